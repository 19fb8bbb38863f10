"""The times in which AWS shows a task, and for which it remembers one."""

from __future__ import annotations

from datetime import timedelta

# An event arrives sooner, retries of a throttle included. A younger end or limit is left to events
# and to the executions' own timeouts.
EVENT_GRACE = timedelta(minutes=2)
# ECS may not know a task for minutes after RunTask.
UNKNOWN_WHEN_YOUNG = timedelta(minutes=10)
# ECS may miss an older task for a moment too: it is gone if two looks this far apart miss it.
BETWEEN_LOOKS = timedelta(minutes=2)
# ECS shows a task for an hour after its end; one that ended longer ago than this may be forgotten.
SHOWN_AFTER_END = timedelta(minutes=55)
# ECS keeps a client token for the task's life and an hour, at most a day; well before that, a
# launch that was cut off asks for its task by name instead of trusting the token.
TOKEN_TRUSTED = timedelta(minutes=30)
