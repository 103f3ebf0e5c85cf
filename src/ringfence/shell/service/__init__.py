"""The live service: everything of it that touches a socket, a disk or a clock."""
