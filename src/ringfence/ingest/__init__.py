"""Records in, calls out. One file a format, found by name; no sockets, no paths: bytes come in from the shell."""
