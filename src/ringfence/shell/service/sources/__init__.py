"""Where live records come from: one file a kind of source. None knows what becomes of what it gives."""
