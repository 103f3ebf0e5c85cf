"""The figures of the README, measured side by side: one file a figure, found by name (`python -m bench`)."""
