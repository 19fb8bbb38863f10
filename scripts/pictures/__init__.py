"""Pictures for the documentation that are drawn from what the local system does."""
