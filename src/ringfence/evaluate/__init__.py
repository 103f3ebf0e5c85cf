"""Alerts held against the truth beside a city: what was recognised, how soon, and what was a false alarm.

One file a kind of alert in `kinds`; docs/evaluate.md says how an alert is matched with an attack and what every figure means.
"""
