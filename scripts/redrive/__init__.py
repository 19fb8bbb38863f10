"""Deliver events again that nobody could deliver or process: `python -m scripts.redrive STACK`."""
