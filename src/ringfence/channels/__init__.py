"""One file a channel on which somebody is told: an event in, bytes out. No sockets, no clock."""
