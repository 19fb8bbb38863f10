"""What the rules start: task ends become completions."""
