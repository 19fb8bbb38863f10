"""The worker's log: lines of JSON."""

from __future__ import annotations

import json
from functools import partial

from aws_lambda_powertools import Logger

# ASCII: a lone surrogate, which UTF-8 cannot encode, must not lose a line.
logger = Logger(
    service="worker", json_serializer=partial(json.dumps, default=str, separators=(",", ":"))
)
