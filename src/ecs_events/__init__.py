"""The functions that rules and a schedule start: they report ends and repair missed ones."""
