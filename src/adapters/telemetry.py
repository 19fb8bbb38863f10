"""The one logger and the one tracer of each function."""

from __future__ import annotations

from aws_lambda_powertools import Logger, Tracer

# Only botocore is patched: patching every library that X-Ray knows costs 150 ms of cold start.
logger = Logger()
tracer = Tracer(patch_modules=["botocore"])
