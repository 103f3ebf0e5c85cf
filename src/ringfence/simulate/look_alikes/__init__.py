"""Ordinary life that looks like crime: one file each, found by name (`simulate.cast`)."""
