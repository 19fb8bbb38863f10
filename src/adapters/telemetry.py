"""The one logger and the one tracer of each function."""

from __future__ import annotations

import json
from functools import partial

from aws_lambda_powertools import Logger, Tracer

# ASCII: a lone surrogate, which UTF-8 cannot encode, must not lose a line.
logger = Logger(json_serializer=partial(json.dumps, default=str, separators=(",", ":")))
# Only botocore is patched: patching every library that X-Ray knows costs 150 ms of cold start.
tracer = Tracer(patch_modules=["botocore"])
