"""The worker's log: lines of JSON."""

from __future__ import annotations

import json
from functools import partial

from aws_lambda_powertools import Logger

# In ASCII: half a character, which UTF-8 does not know, may not cost a line.
logger = Logger(
    service="worker", json_serializer=partial(json.dumps, default=str, separators=(",", ":"))
)
