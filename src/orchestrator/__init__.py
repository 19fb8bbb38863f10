"""The durable functions, one a flow."""
