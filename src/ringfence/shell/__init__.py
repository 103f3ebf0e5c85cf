"""The only sockets, disk and clock."""
