"""What was logged for each execution, and whether it may stand there."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from threading import Lock
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    from local.journal import Journal
    from tests.faults.scenario import Scenario

# The messages that tell of an error, each of which is a task's or the work's own.
_ERRORS = {"Task failed", "Work failed", "Failure not recorded"}
_ONCE = {"Task starting", "Record created", "Returning", "Final result", "Task failed"}


class Lines:
    """The log lines of functions and workers, by execution."""

    def __init__(self, journal: Journal) -> None:
        self._journal, self._read = journal, 0
        self._lines: defaultdict[str, list[tuple[str, str]]] = defaultdict(list)
        self._lock = Lock()

    def wrong(self, scenario: Scenario, execution_id: str, attempts: int) -> list[str]:
        """Return which lines may not stand there, in words."""
        self._follow()
        lines = self._lines[execution_id]
        return [*_unreadable(lines), *_repeated(scenario, lines, attempts)]

    def _follow(self) -> None:
        with self._lock:
            entries = self._journal.after(self._read)
            self._read += len(entries)
            for entry in entries:
                if entry.kind == "line" and entry.facts.get("execution_id"):
                    line = entry.source, entry.facts["text"]
                    self._lines[entry.facts["execution_id"]].append(line)


def _unreadable(lines: list[tuple[str, str]]) -> Iterator[str]:
    for _, text in lines:
        fields = _parsed(text)
        if not {"level", "message", "timestamp"} <= fields.keys():
            yield f"a line is none of the logger's: {text[:200]}"
        elif fields["level"] in {"ERROR", "CRITICAL"} and fields["message"] not in _ERRORS:
            yield f"an error that nobody expects: {text[:400]}"


def _repeated(scenario: Scenario, lines: list[tuple[str, str]], attempts: int) -> Iterator[str]:
    """Whatever is not cut off stands once, or once an attempt; each crash may repeat a line."""
    if scenario.throttled:
        return
    own = Counter((source, _parsed(text).get("message")) for source, text in lines)
    for (source, message), count in own.items():
        times = 1 if message in _ONCE else attempts
        # Each of a task's last two events may find the same to do.
        is_event = message in {"Task event", "Execution event"} or "task-state" in source
        if not is_event and count > times + len(scenario.points):
            yield f"{source} says {count} times: {message}"


def _parsed(text: str) -> dict[str, Any]:
    try:
        parsed = json.loads(text)
    except ValueError:
        return {}
    return parsed if isinstance(parsed, dict) else {}
