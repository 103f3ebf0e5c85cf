"""What is done about an alert: whom to warn next, and what is expected of it. Pure."""
