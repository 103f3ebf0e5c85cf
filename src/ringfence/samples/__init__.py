"""Records to try things on."""
