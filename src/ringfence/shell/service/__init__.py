"""The live service: the only place with sockets, clocks and threads."""
