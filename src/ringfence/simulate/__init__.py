"""Records of calls that never were: floods and the life around them, with the truth beside. Nothing here places a call."""
