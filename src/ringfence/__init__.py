"""Ringfence recognises telephone crime from call records, while it is committed."""

__version__ = "0.1.0"
