"""Pictures for the documentation, drawn from a run of the local system."""
