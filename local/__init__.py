"""The whole system on one machine: AWS's own software where it exists, and the glue it lacks.

Everything binds to 127.0.0.1, and answers only callers with a key of its run. It is a development
tool; production is AWS.
"""
