"""The report of a scan: one self-contained page, in English and Chinese."""
