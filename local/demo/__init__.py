"""`make demo`: every flow with a task that succeeds, fails and is killed; and one on Spot."""
