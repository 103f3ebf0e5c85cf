"""The squad's desk in the browser: its first page."""
