"""What the service must not forget besides the records: alerts, what is told of them, tokens, and who looked at whom."""
