"""Crimes: one file each, found by name (`simulate.cast`)."""
