"""The words of the domain: numbers, calls, alerts, and the tables they travel in. Pure."""
