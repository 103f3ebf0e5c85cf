"""Migrations of the store: forward only, in the order of their numbers, all in one transaction."""
