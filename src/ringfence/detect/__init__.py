"""Moments in, alerts out. Pure: no clock, no disk, no network, no randomness; time comes with the event."""
