"""Facts that have to stand in two places, for one cannot import the other: both say the same."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from botocore.retries import standard

from adapters.clients import CONFIG
from adapters.ecs import MAX_REASON
from adapters.errors import BUSY_CODES
from core.answer import MAX_ANSWER_BYTES
from core.correlation import MAX_STARTED_BY
from core.evidence import LOG_LINES, MAX_BYTES
from core.flow import Flow
from core.launch import MAX_OVERRIDES
from core.outcome import is_ending
from core.polling import REFUSED_FOR
from core.reading import InvalidRequestError
from core.reported import LENGTHS, LONGEST_PROGRESS
from core.retry import LAUNCH_STEP_TRIES, MAX_TRIES
from core.start import LAST_WORD_SECONDS
from core.verdict import ENDED_BADLY
from core.visibility import BETWEEN_LOOKS, EVENT_GRACE, TOKEN_TRUSTED, UNKNOWN_WHEN_YOUNG
from core.work import RESERVE_SECONDS
from ecs_events.sweep import PARTS
from ecs_events.tally import FOR_ONE
from ecs_events.task_state import REMEMBERED
from local.ecs.api import FORMS, LONGEST_REASON, MOST_OVERRIDES
from local.ecs.state import STATES
from scripts.redrive.failed_executions import MESSAGES, PAGES
from scripts.redrive.letters import COMPARED
from tests import template
from tests.markdown import Page
from tests.template import ROOT
from tests.values import parsed
from worker.report import MAX_RESULT_BYTES

if TYPE_CHECKING:
    from tests.template import Stack

STACK = template.stack()
[DAYS] = {
    f["Environment"]["Variables"]["RECORD_RETENTION_DAYS"] for f in STACK.functions().values()
}
WORDS = {2: "two", 3: "three", 4: "four", 10: "ten"}


def minutes(time: timedelta) -> int:
    """A time in whole minutes."""
    return time // timedelta(minutes=1)


def in_words(time: timedelta) -> str:
    """A time as pages say it."""
    return f"{WORDS[minutes(time)]} minutes"


RUN = timedelta(seconds=STACK.resources["ReconcilerFunction"]["Properties"]["Timeout"])
SAID = (
    ("docs/deploy.md", f"the histories of ended executions are deleted after {DAYS} days"),
    (
        "docs/flows.md",
        f"The execution's history is deleted {DAYS} days after the end of the execution",
    ),
    ("docs/own-work.md", f"at most {MAX_RESULT_BYTES:,} bytes of JSON"),
    ("docs/flows.md", f"the last {LOG_LINES} lines of the container's log"),
    (
        "docs/payload.md",
        f"the next interval is at most {BETWEEN_LOOKS.seconds} s",
    ),
    ("SECURITY.md", f"they are usually emptied within a day, and expire after {DAYS} more"),
    ("SECURITY.md", f"up to {LOG_LINES} and {MAX_BYTES:,} bytes"),
    ("SECURITY.md", f"the texts of an error, up to {sum(LENGTHS.values()):,} characters"),
    ("docs/architecture.md", f"Set at the close, {DAYS} days ahead"),
    ("docs/architecture.md", f"began more than {in_words(UNKNOWN_WHEN_YOUNG)} ago"),
    ("docs/architecture.md", f"looks, {in_words(BETWEEN_LOOKS)} apart, did not find the task"),
    ("docs/architecture.md", f"refused all looks for {in_words(timedelta(seconds=REFUSED_FOR))}"),
    ("docs/architecture.md", f"every look for {in_words(timedelta(seconds=REFUSED_FOR))}"),
    ("docs/payload.md", f"{LAST_WORD_SECONDS} s for each attempt except the last attempt"),
    ("docs/architecture.md", f"leave {RESERVE_SECONDS} s of `ExecutionTimeout` free"),
    ("docs/architecture.md", f"look for this report for {LAST_WORD_SECONDS} s"),
    ("docs/operations.md", f"had not begun {in_words(EVENT_GRACE)} after `startTimeoutSeconds`"),
    ("docs/architecture.md", f"repeated after {minutes(TOKEN_TRUSTED)} minutes"),
    ("docs/architecture.md", f"begins a launch at most {WORDS[MAX_TRIES]} times"),
    ("docs/architecture.md", f"Each launch step has up to {WORDS[LAUNCH_STEP_TRIES]} tries"),
    ("docs/operations.md", f"at a task of {in_words(UNKNOWN_WHEN_YOUNG)} or more"),
    ("docs/operations.md", f"if it still does not in {in_words(BETWEEN_LOOKS)}"),
    ("docs/operations.md", f"a run has {in_words(RUN)}"),
    ("docs/operations.md", f"It is launched again, up to {WORDS[MAX_TRIES]} times"),
    ("docs/operations.md", f"It prints the first {MESSAGES} messages"),
    ("docs/operations.md", f"of the {WORDS[COMPARED]} that ended badly next to the message's time"),
    ("docs/operations.md", f"up to {WORDS[PAGES]} pages"),
    ("docs/operations.md", f"one of {PARTS} parts of the table"),
    ("docs/operations.md", f"what the table keeps for {DAYS} days"),
    ("docs/worker.md", f"all of them together may have {MAX_OVERRIDES:,} characters"),
    ("docs/worker.md", f"text of at most {MAX_RESULT_BYTES:,} bytes"),
    ("docs/worker.md", f"result.json) + 2 * others)) -le {MAX_RESULT_BYTES} ]"),
    ("docs/worker.md", f"`message`, of which {LONGEST_PROGRESS} characters are taken"),
    ("docs/worker.md", f"outcome together exceed {MAX_ANSWER_BYTES:,} bytes"),
    ("docs/worker.md", "`summary` ({summary:,} characters)".format(**LENGTHS)),
    ("docs/worker.md", "`detail` ({detail:,}) and `advice` ({advice:,})".format(**LENGTHS)),
)


@pytest.mark.parametrize(("page", "sentence"), SAID, ids=[sentence[:40] for _, sentence in SAID])
def test_pages(page: str, sentence: str) -> None:
    """A page says a number as the code or the template has it."""
    assert sentence in " ".join(Page(ROOT / page).text.split())


def test_kept_for_as_many_days() -> None:
    """Closed records and histories of executions are kept for the same time, logs by default."""
    durable = [function["DurableConfig"] for function in STACK.durable_functions().values()]
    assert {config["RetentionPeriodInDays"] for config in durable} == {int(DAYS)}
    assert template.source()["Parameters"]["LogRetentionDays"]["Default"] == int(DAYS)


def test_events_are_remembered_until_none_comes_again(stack: Stack) -> None:
    """Idempotency knows an event for longer than it may be delivered again."""
    rule = stack.of_type("AWS::Events::Rule")["TaskStateFunctionTaskStateChange"]
    [target] = rule["Targets"]
    invoked = stack.of_type("AWS::Lambda::EventInvokeConfig")["TaskStateFunctionEventInvokeConfig"]
    ages = target["RetryPolicy"], invoked
    assert sum(age["MaximumEventAgeInSeconds"] for age in ages) < REMEMBERED.total_seconds()


def test_bad_ends_are_the_rules(stack: Stack) -> None:
    """The rule on executions picks exactly the ends after which the code abandons a record."""
    rule = stack.of_type("AWS::Events::Rule")["ExecutionStatusFunctionExecutionStatusChange"]
    assert set(rule["EventPattern"]["detail"]["status"]) == ENDED_BADLY


def test_calls_that_hang_leave_time(stack: Stack) -> None:
    """One call that hangs to the end of its tries ends before its function or its reserve does."""
    tries = CONFIG.retries["total_max_attempts"]
    longest = tries * (CONFIG.connect_timeout + CONFIG.read_timeout)
    timeouts = [function["Timeout"] for function in stack.functions().values()]
    assert longest < min(FOR_ONE, *timeouts)


def test_longest_timeout() -> None:
    """A task that nobody waits for may run for as long as the longest ExecutionTimeout."""
    bounds = template.source()["Parameters"]["ExecutionTimeout"]
    assert bounds["MinValue"] > RESERVE_SECONDS
    longest = {"timeoutSeconds": bounds["MaxValue"]}
    assert parsed(longest, Flow.DYNAMODB, bounds["MinValue"]).timeout_seconds == bounds["MaxValue"]
    with pytest.raises(InvalidRequestError):
        parsed({"timeoutSeconds": bounds["MaxValue"] + 1}, Flow.DYNAMODB, bounds["MaxValue"])


def test_the_rule_takes_each_end(stack: Stack) -> None:
    """The rule takes the events of those states in which a task may have ended, and no others."""
    rule = stack.of_type("AWS::Events::Rule")["TaskStateFunctionTaskStateChange"]
    taken = rule["EventPattern"]["detail"]["lastStatus"]
    assert taken == [status for status in STATES if is_ending({"lastStatus": status})]


def test_local_ecs_has_the_limits_of_the_code() -> None:
    """The local system's ECS refuses as long a request, name or reason as the code does."""
    assert (MOST_OVERRIDES, LONGEST_REASON) == (MAX_OVERRIDES, MAX_REASON)
    assert FORMS["startedBy"].fullmatch("x" * MAX_STARTED_BY)
    assert not FORMS["startedBy"].fullmatch("x" * (MAX_STARTED_BY + 1))


def test_throttles_are_known() -> None:
    """Every error code that botocore takes for a throttle or a passing fault passes."""
    throttled = standard.ThrottledRetryableChecker._THROTTLED_ERROR_CODES  # noqa: SLF001 - told nowhere else
    passing = standard.TransientRetryableChecker._TRANSIENT_ERROR_CODES  # noqa: SLF001 - told nowhere else
    # ECS, Lambda and DynamoDB refuse with the first for good; the second is EC2's.
    others = {"LimitExceededException", "EC2ThrottledException"}
    assert {*throttled, *passing} - others <= BUSY_CODES
