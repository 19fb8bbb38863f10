"""The sweep: it empties items that workers have made up in the records table; they expire."""

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

# The schedule's period, and the number of parts of the table: one for each run of a day.
PERIOD = timedelta(minutes=5)
PARTS = int(timedelta(days=1) / PERIOD)


def sweep(records: Records, tally: Tally) -> None:
    """Look through one part of the table, by the time of day; a day reads the whole table once.

    Raises:
        AwsBusyError, AwsRefusedError: a page could not be read; the next day reads the part again.
    """
    now = clock.now()
    part = int(timedelta(hours=now.hour, minutes=now.minute) / PERIOD)
    for keys in tally.in_time(strays.pages(records.table, part, PARTS), FOR_ONE):
        for key in tally.in_time(keys, FOR_ONE):
            with tally.settling(key):
                if records.expire_stray(key) is Write.WRITTEN:
                    tally.done[Done.EXPIRES] += 1
        pause()
