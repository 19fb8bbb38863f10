"""The lines logged for each execution, and the rule that says which may be there."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from threading import Lock
from typing import TYPE_CHECKING, Any

from local.journal import Line
from tests.faults import counts

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from local.journal import Journal
    from tests.faults.invariants import End
    from tests.faults.scenario import Scenario

# The messages that tell of an error, each of which is a task's or the work's own.
_ERRORS = {"Task failed", "Work failed", "Failure not recorded"}
_ONCE = {"Task starting", "Record created", "Returning", "Final result", "Task failed"}


class Lines:
    """The log lines of functions and workers, by execution."""

    def __init__(self, journal: Journal) -> None:
        self._journal, self._read = journal, 0
        self._lines: defaultdict[str, list[tuple[str, str]]] = defaultdict(list)
        self._metrics: defaultdict[str, list[dict[str, Any]]] = defaultdict(list)
        self._lock = Lock()

    def wrong(
        self,
        scenario: Scenario,
        execution_id: str,
        end: End,
        segments: Sequence[Mapping[str, Any]],
    ) -> list[str]:
        """Return which lines, metrics and segments may not be there, or are missing, in words."""
        self.follow()
        lines, others = self._lines[execution_id], self._lines.pop("", [])
        found = [*_unreadable([*lines, *others]), *_repeated(scenario, lines, len(end.tasks))]
        metrics = self._metrics[execution_id]
        found += counts.wrong(scenario, end, metrics)
        found += counts.astray(scenario, end, segments, metrics)
        return [*found, *_told(scenario, lines, end)]

    def follow(self) -> None:
        """Read what is new, before the journal forgets it."""
        with self._lock:
            entries = self._journal.after(self._read)
            self._read += len(entries)
            for entry in entries:
                if isinstance(entry, Line):
                    # The reconciler works for all: its line names whom it is about.
                    fields = _parsed(entry.text)
                    named = fields.get("executionId") or ""
                    if "_aws" in fields:
                        # A function whose time was over may still write when another has its place.
                        self._metrics[named].append(fields)
                    else:
                        self._lines[entry.execution_id or named].append((entry.source, entry.text))


def _unreadable(lines: list[tuple[str, str]]) -> Iterator[str]:
    for _, text in lines:
        fields = _parsed(text)
        if not {"level", "message", "timestamp"} <= fields.keys():
            yield f"a line is none of the logger's: {text[:200]}"
        elif fields["level"] in {"ERROR", "CRITICAL"} and fields["message"] not in _ERRORS:
            yield f"an error that nobody expects: {text[:400]}"


def _repeated(scenario: Scenario, lines: list[tuple[str, str]], attempts: int) -> Iterator[str]:
    """Each line is logged once, or once an attempt; each crash may repeat a line."""
    if scenario.throttled:
        return
    own = Counter((source, *_said(source, text)) for source, text in lines)
    for (source, message, _), count in own.items():
        times = 1 if message in _ONCE else attempts
        # Each of a task's last two events may find the same to do.
        is_event = message in {"Task event", "Execution event"} or "task-state" in source
        if not is_event and count > times + len(scenario.points):
            yield f"{source} says {count} times: {message}"


def _said(source: str, text: str) -> tuple[str | None, str | None]:
    """Return a line's message; of the reconciler, who may say the same in each run, its run too."""
    fields = _parsed(text)
    run = fields.get("function_request_id") if "reconciler" in source else None
    return fields.get("message"), run


def _told(scenario: Scenario, lines: list[tuple[str, str]], end: End) -> Iterator[str]:
    """A failure is told once, whoever tells it, but for who dies or is stopped before."""
    times = [_parsed(text).get("message") for _, text in lines].count("Task failed")
    is_failed = end.record.get("status") == "FAILED"
    if is_failed and not times and all(point.when == "before" for point in scenario.points):
        yield "nobody tells of the failure"
    if times > is_failed + len(scenario.points) and not scenario.throttled:
        yield f"the failure is told {times} times"


def _parsed(text: str) -> dict[str, Any]:
    try:
        parsed = json.loads(text)
    except ValueError:
        return {}
    return parsed if isinstance(parsed, dict) else {}
