"""The few lines that talk to AWS: lazy clients, typed answers, two kinds of errors."""
