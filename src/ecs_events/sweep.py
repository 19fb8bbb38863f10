"""Items that workers have made up in the records' table are emptied, and expire."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from adapters import clock, strays
from core.done import Done
from core.write import Write
from ecs_events.tally import FOR_ONE, pause

if TYPE_CHECKING:
    from adapters.records import Records
    from ecs_events.tally import Tally

# The schedule's, and how many parts of the table a day has.
PERIOD = timedelta(minutes=5)
PARTS = int(timedelta(days=1) / PERIOD)


def sweep(records: Records, tally: Tally) -> None:
    """Look through one part of the table, by the time of day; all of it is read once a day.

    Raises:
        AwsBusyError, AwsRefusedError: a page could not be read; another day has the part again.
    """
    now = clock.now()
    part = int(timedelta(hours=now.hour, minutes=now.minute) / PERIOD)
    for keys in tally.in_time(strays.pages(records.table, part, PARTS), FOR_ONE):
        for key in tally.in_time(keys, FOR_ONE):
            with tally.settling(key):
                if records.expire_stray(key) is Write.WRITTEN:
                    tally.done[Done.EXPIRES] += 1
        pause()
