"""The pure core: no boto3, no SDK, no clock of its own."""
