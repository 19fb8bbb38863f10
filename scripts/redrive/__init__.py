"""Redeliver events that could not be delivered or processed: `python -m scripts.redrive STACK`."""
