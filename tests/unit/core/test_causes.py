from __future__ import annotations

import re

import pytest

from core.outcome import CAUSES, Cause, FailedToStart, cause_of, classify, is_transient
from tests.unit.core.reasons import MISLEADING, REASONS, UNKNOWN
from tests.unit.core.tasks import WORKER, container, stopped

WORDINGS = [(name, reason) for name, reasons in REASONS.items() for reason in reasons]
# Words that the name of a stack, an image or a log group may have in it.
NAMES = ("efs-sync", "kms", "secret-sync", "parameter", "group", "eni", "agent", "log-stream")
BY_NAME = {cause.name: cause for cause in CAUSES}
# Characters between two words of a pattern; a detail has at most 1,000.
LONGEST_SKIP, SHORT_SKIP = 500, 20


def test_each_row_has_wordings() -> None:
    """Each cause has a name of its own, and is known by more than one wording."""
    assert list(REASONS) == list(BY_NAME)
    assert len(BY_NAME) == len(CAUSES)
    assert all(len(set(reasons)) > 1 for reasons in REASONS.values())


@pytest.mark.parametrize(("name", "reason"), WORDINGS)
def test_wording(name: str, reason: str) -> None:
    """A reason is its own cause's, whatever words it shares with others."""
    cause = cause_of(reason)
    assert cause is not None
    assert cause.name == name
    assert is_transient(reason) is cause.passes


@pytest.mark.parametrize(("name", "reason"), WORDINGS)
def test_failed_start(name: str, reason: str) -> None:
    """A start that failed is repeated as its cause says, and advised about as its cause says."""
    outcome = classify(stopped(stopCode="TaskFailedToStart", stoppedReason=reason), WORKER)
    assert isinstance(outcome, FailedToStart)
    assert (outcome.transient, outcome.advice) == (BY_NAME[name].passes, BY_NAME[name].advice)


@pytest.mark.parametrize(
    ("name", "reason"), [(name, reason) for name, reason in WORDINGS if name != CAUSES[0].name]
)
def test_reason_of_the_container(name: str, reason: str) -> None:
    """A cause is found too where only the container's reason has it."""
    task = stopped(container(None, reason=reason), stopCode="TaskFailedToStart")
    outcome = classify(task | {"stoppedReason": "Task failed to start"}, WORKER)
    assert isinstance(outcome, FailedToStart)
    assert (outcome.transient, outcome.advice) == (BY_NAME[name].passes, BY_NAME[name].advice)


@pytest.mark.parametrize("reason", UNKNOWN)
def test_unknown(reason: str) -> None:
    """A start that failed for a reason that no row knows is not repeated."""
    assert cause_of(reason) is None
    outcome = classify(stopped(stopCode="TaskFailedToStart", stoppedReason=reason), WORKER)
    assert isinstance(outcome, FailedToStart)
    assert not outcome.transient
    assert "not known here" in outcome.advice


@pytest.mark.parametrize(
    ("name", "reason"), [(name, reason) for name, given in MISLEADING.items() for reason in given]
)
def test_misleading_words(name: str, reason: str) -> None:
    """A word in a name, or a number in an address, makes no other cause of a reason."""
    cause = cause_of(reason)
    assert cause is not None
    assert cause.name == name


@pytest.mark.parametrize("name", NAMES)
def test_names_of_images(name: str) -> None:
    """An image's name with the words of a cause changes nothing: the registry's words count."""
    pull = f"CannotPullContainerError: failed to resolve ref registry.example.com/acme/{name}:1: "
    told = {"not found": "image not found", "dial tcp 192.0.2.9:443: i/o timeout": "no way out"}
    for end, expected in told.items():
        cause = cause_of(pull + end)
        assert cause is not None
        assert cause.name == expected


@pytest.mark.parametrize("cause", CAUSES, ids=lambda cause: cause.name)
def test_no_slow_pattern(cause: Cause) -> None:
    """No reason makes the search slow: each pattern skips a bounded text, and only once."""
    assert not re.search(r"(?<!\\)[*+]", cause.pattern.pattern)
    for way in ways(cause.pattern.pattern):
        skipped = [int(most) for most in re.findall(r"\{\d+,(\d+)\}", way)]
        assert max(skipped, default=0) <= LONGEST_SKIP
        assert len([most for most in skipped if most > SHORT_SKIP]) <= 1


def ways(pattern: str) -> list[str]:
    """Split a pattern at the bars that are in no group."""
    depth, parts = 0, [""]
    for sign in re.findall(r"\\.|.", pattern):
        depth += (sign == "(") - (sign == ")")
        if sign == "|" and depth == 0:
            parts.append("")
        else:
            parts[-1] += sign
    return parts
