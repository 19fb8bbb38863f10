"""`make demo`: every flow with a task that succeeds, one that fails and one that is killed; one on Spot."""
