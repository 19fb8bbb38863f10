"""The metrics of an execution against its record: never more than that, and no less if all live."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from tests.faults.invariants import End
    from tests.faults.scenario import Scenario

# By name, and for an end by its kind.
Counts = Counter[tuple[str, str]]


def counted(lines: Iterable[Mapping[str, Any]]) -> Counts:
    """Return the sums of an execution's metrics.

    Args:
        lines: in CloudWatch's embedded format.
    """
    sums: Counts = Counter()
    for line in lines:
        for directive in line["_aws"]["CloudWatchMetrics"]:
            for metric in directive["Metrics"]:
                values = line[metric["Name"]]
                key = (metric["Name"], line.get("outcome", ""))
                sums[key] += sum(values) if isinstance(values, list) else values
    return sums


def truth(end: End) -> Counts:
    """Return what the closed record of an execution says that there is to count."""
    record, entries = end.record, end.record["attempts"]
    counts = Counter(("AttemptsEnded", entry["kind"]) for entry in entries)
    counts["AttemptsPerExecution", ""] = len(entries)
    started = [entry for entry in entries if "taskArn" in entry]
    counts["TasksStarted", ""] = len(started)
    for entry in entries:
        if by := entry.get("learnedBy"):
            counts[f"LearnedBy{by.capitalize()}", ""] += 1
    counts["ExecutionsFailed", ""] = int(record["status"] == "FAILED")
    return counts


def wrong(scenario: Scenario, end: End, lines: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """Yield what is counted wrongly of an execution whose record is closed, in words.

    Args:
        scenario: what was to happen.
        end: what came of it.
        lines: that were written for the execution in CloudWatch's embedded format.
    """
    if "attempts" not in end.record or "open" in end.record:
        return
    actual, wanted = counted(lines), truth(end)
    for (name, kind), count in sorted(wanted.items()):
        least = count
        if dies(scenario) or (name == "ExecutionsFailed" and stops(scenario)):
            least = 0
        if not least <= actual[name, kind] <= count:
            yield f"{name} {kind} is {actual[name, kind]:.0f}, the record says {count}"
    for name, kind in sorted(actual.keys() - wanted.keys()):
        if name == "AttemptsEnded" or name.startswith("LearnedBy"):
            yield f"{name} {kind} is counted, the record does not know it"


def astray(
    scenario: Scenario,
    end: End,
    segments: Iterable[Mapping[str, Any]],
    lines: Iterable[Mapping[str, Any]],
) -> Iterator[str]:
    """Yield what is wrong with the segments of an execution whose record is closed, in words.

    Args:
        scenario: what was to happen.
        end: what came of it.
        segments: documents of the attempts in the execution's trace.
        lines: as for `wrong`.
    """
    if "attempts" not in end.record or "open" in end.record:
        return
    attempts = Counter(segment["annotations"]["attempt"] for segment in segments)
    for attempt, number in sorted(attempts.items()):
        if number > 1:
            yield f"attempt {attempt} has {number} segments"
    known = {int(entry["attempt"]) for entry in end.record["attempts"]}
    for attempt in sorted(attempts.keys() - known):
        yield f"attempt {attempt} has a segment, the record does not know it"
    refused = counted(lines)["SegmentsRefused", ""]
    missing = sorted(known - attempts.keys())
    if len(missing) > refused and not dies(scenario):
        yield f"attempts {missing} have no segments, X-Ray has refused {refused:.0f}"


def dies(scenario: Scenario) -> bool:
    """Whether a function dies in a scenario."""
    deaths = (point for point in scenario.points if point.when not in {"stop", "pause"})
    return any(point.role != "worker" for point in deaths)


def stops(scenario: Scenario) -> bool:
    """Whether somebody stops the execution in a scenario."""
    return any(point.stops for point in scenario.points)
