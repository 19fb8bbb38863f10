"""What rules and a schedule start: ends told by events, repairs of what they missed."""
