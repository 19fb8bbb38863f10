"""The few lines that talk to AWS: clients made lazily, answers typed, errors told apart."""
