"""How long AWS takes to tell of a task, and for how long it remembers one."""

from __future__ import annotations

from datetime import timedelta

# An event takes less on its way, retries of a throttle included: what is younger is left to the
# events, and to the executions' own timeouts.
EVENT_GRACE = timedelta(minutes=2)
# ECS may not know a task for minutes after RunTask.
UNKNOWN_WHEN_YOUNG = timedelta(minutes=10)
# Later it may lose sight of one for a moment: a task is gone if two looks this far apart miss it.
BETWEEN_LOOKS = timedelta(minutes=2)
# ECS shows a task for an hour after its end; one that ended longer ago than this may be forgotten.
SHOWN_AFTER_END = timedelta(minutes=55)
# ECS keeps a client token for the task's life and an hour, at most a day; well before that, a
# launch that was cut off asks for its task by name instead of trusting the token.
TOKEN_TRUSTED = timedelta(minutes=30)
