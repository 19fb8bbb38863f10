from __future__ import annotations

import inspect
import re
from dataclasses import fields
from typing import Any, get_args

import botocore.session
import pytest

from core.correlation import Correlation
from core.flow import Flow
from core.job import Capacity, Job
from core.outcome import (
    CAUSES,
    KINDS,
    NOT_FETCHED,
    FailedToStart,
    Outcome,
    cause_of,
    classification,
    classify,
)
from core.payload import check_length
from core.record import Record
from core.reported import TICKET_RESERVE
from core.retry import OnDemand, Policy
from core.trace import TRACE_RESERVE
from local.up import PORT
from tests import template
from tests.markdown import Page, code, first_column
from tests.template import ROOT
from tests.unit.core.tasks import WORKER as CONTAINER
from tests.unit.core.tasks import container, stopped
from tests.values import launch, parsed, place, record

ARCHITECTURE = Page(ROOT / "docs" / "architecture.md")
CAUSES_PAGE = Page(ROOT / "docs" / "causes.md")
PAYLOAD = Page(ROOT / "docs" / "payload.md")
LOCAL = Page(ROOT / "docs" / "local.md")
WORKER = Page(ROOT / "docs" / "worker.md")
LONGEST_STACK_NAME = "s" * 43
EXECUTION_ID = "e" * 36
# A module that the page links to, and the names that stand right after it.
DEFINED = re.compile(r"\]\(\.\./([^)]+\.py)\), (`\w+`(?:(?:, | and )`\w+`)*)")
FAILING = {"simulate": {"exitCode": 3}}


def request(payload: dict[str, Any], flow: Flow) -> dict[str, Any]:
    """The RunTask request that a payload leads to, its names as long as they can be."""
    correlation = Correlation(LONGEST_STACK_NAME, EXECUTION_ID, 1)
    work = parsed(payload, flow)
    drawn = {"ticket": TICKET_RESERVE, "trace": TRACE_RESERVE}
    asked = launch(correlation=correlation, flow=flow, job=work.job, **drawn)
    there = place(table=f"{LONGEST_STACK_NAME}-callbacks", bucket="b" * 63)
    check_length(work.told, asked.excess(there.table, there.bucket, work.policy.max_attempts))
    return asked.request(there)


def variables(payload: dict[str, Any], flow: Flow) -> set[str]:
    """Names of the variables that a flow's RunTask sets."""
    [container] = request(payload, flow)["overrides"]["containerOverrides"]
    return {variable["name"] for variable in container["environment"]}


@pytest.mark.parametrize("flow", Flow)
def test_longest_message(flow: Flow) -> None:
    """A message of 7300 characters fits, as the page says, under the longest stack name."""
    assert "about 7300 plain characters" in PAYLOAD.text
    assert request({"message": "x" * 7_300, **FAILING}, flow)


def test_names_beside_modules() -> None:
    """Each name beside a module on the page is defined in that module."""
    for path, listed in DEFINED.findall(" ".join(ARCHITECTURE.text.split())):
        source = (ROOT / path).read_text()
        for name in code(listed):
            assert re.search(rf"(?m)(^ *(def|class) {name}\b|^{name}\b.*=)", source), name


@pytest.mark.parametrize("column", ["What is decided", "Limit"])
def test_where_it_is_decided(column: str) -> None:
    """Each row names a part of a module, and a test."""
    for _, where, test in ARCHITECTURE.table(column):
        assert DEFINED.search(where)
        assert "test_" in test


def test_questions() -> None:
    """Each question has its test, or its answer is a list with the tests."""
    for _, answer, test in ARCHITECTURE.table("Question"):
        assert "test_" in test or answer.startswith("[Limits of size](#limits-of-size)")


def test_limits_of_size() -> None:
    """The table of limits names each limit that a caller or a worker can reach."""
    limits = {
        "MAX_OVERRIDES",
        "MAX_INLINE",
        "MAX_RESULT_BYTES",
        "MAX_ANSWER_BYTES",
        "MAX_BYTES",
        "LENGTHS",
        "MAX_NAME",
        "MAX_TAGS",
        "MAX_URI",
        "MAX_KEY_BYTES",
        "MAX_DETAIL",
        "MAX_MESSAGE",
    }
    assert {name for row in ARCHITECTURE.table("Limit") for name in code(row[1])} == limits


def test_grant_of_a_callback() -> None:
    """The answer to the question of the callback names the role and the actions of its grant."""
    answer = next(row for row in ARCHITECTURE.table("Question") if "answer a callback" in row[0])
    *actions, holder = code(answer[1])
    [policy] = template.source()["Resources"][holder]["Properties"]["Policies"]
    statements = policy["PolicyDocument"]["Statement"]
    [granted] = [s for s in statements if set(actions) <= set(template.as_list(s["Action"]))]
    assert "-eventbridge-function:" in str(granted["Resource"])


def test_layout() -> None:
    """The layout names every part of the source, and every folder beside it that a user meets."""
    paths = {shown.strip("[]/").partition("]")[0] for shown, _ in ARCHITECTURE.table("Path")}
    parts = {f"src/{p.name}" for p in (ROOT / "src").iterdir() if (p / "__init__.py").exists()}
    assert parts | {"template.yaml", "events", "local", "tests", "docs"} == {
        path.rstrip("/") for path in paths
    }


def test_outcomes() -> None:
    """The table of outcomes has every kind, in the code's order."""
    assert first_column(ARCHITECTURE.table("Kind")) == list(KINDS)


def test_rules_of_classification() -> None:
    """The numbered rules are those of the code, in the order in which it asks them."""
    outcomes = ARCHITECTURE.text.partition("## Outcomes")[2].partition("\n## ")[0]
    documented = re.findall(r"(?m)^\d\. \*\*.+?\*\* \(`(\w+)`\)", outcomes)
    source = inspect.getsource(classification.classify)
    source += inspect.getsource(classification._kind)  # noqa: SLF001 - the page names its parts
    called = re.findall(r"\b(_\w+)\(", source)
    assert documented == [name for name in called if name in documented]
    # The others find the facts, and no kind.
    facts = {"_main", "_kind", "_life", "_may_be_others", "_ended_the_task"}
    assert set(called) - {*documented} <= facts
    assert f"exit code {NOT_FETCHED}" in outcomes


def test_stop_codes() -> None:
    """The table of outcomes names each stop code of ECS at the kind that it stands for."""
    ecs = botocore.session.get_session().get_service_model("ecs")
    codes = ecs.shape_for("TaskStopCode").enum
    named = {row[0].strip("`"): {*code(row[1])} & {*codes} for row in ARCHITECTURE.table("Kind")}
    for stop_code in codes:
        outcome = classify(stopped(container(None), stopCode=stop_code), CONTAINER)
        assert outcome is not None
        assert [kind for kind, its in named.items() if stop_code in its] == [outcome.kind]


def test_what_is_tried_again() -> None:
    """The table of outcomes says which of them are tried again, as the code decides."""
    documented = {row[0].strip("`"): row[2] for row in ARCHITECTURE.table("Kind")}
    decided = {name: tried_again(kind) for name, kind in KINDS.items()}
    assert documented == decided


def test_causes() -> None:
    """The table of causes has all of them, in the order in which they are looked for."""
    rows = CAUSES_PAGE.table("Cause")
    passes = {True: "passes", False: "lasts"}
    assert [row[:4] for row in rows] == [
        [cause.name, cause.area, passes[cause.passes], cause.advice] for cause in CAUSES
    ]
    for name, *_, example in rows:
        [reason] = code(example)
        cause = cause_of(reason)
        assert cause is not None
        assert cause.name == name


def tried_again(kind: type[Outcome]) -> str:
    """The table's word for a kind whose task was there."""
    on_demand = frozenset(get_args(OnDemand))
    if kind is FailedToStart:
        ends: list[Outcome] = [FailedToStart(task_arn="x", transient=t) for t in (True, False)]
        tried = [Policy().delay(end, 1, "seed") is not None for end in ends]
        return "if transient" if tried == [True, False] else "otherwise"
    end = kind(task_arn="x")
    if Policy().delay(end, 1, "seed"):
        return "yes"
    return "only if `retryOn` names it" if Policy(3, on_demand).delay(end, 1, "seed") else "no"


def test_record() -> None:
    """The table of the record's attributes has all that an item can have."""
    absent = [field.name for field in fields(Record) if getattr(record(), field.name) is None]
    item = record(**dict.fromkeys(absent, "x"), attempts=({},)).to_item()
    assert set(first_column(ARCHITECTURE.table("Attribute"))) == set(item)


def test_job() -> None:
    """The table of a job's fields has those that are stored."""
    asked: dict[str, Any] = {field.name: "1" for field in fields(Job)}
    asked |= {"environment": {"A": "1"}, "tags": {"a": "1"}, "capacity": Capacity.SPOT}
    stored = Job(**asked).to_dict()
    assert len({*stored, "is_whole"}) == len(fields(Job))
    assert first_column(ARCHITECTURE.table("Field of a job")) == list(stored)


def test_variables_of_the_worker() -> None:
    """The table of the worker's variables has those that RunTask sets, and says when."""
    documented = {row[0].strip("`"): row[2] for row in WORKER.table("Variable")}
    seen = {flow: variables({}, flow) for flow in Flow}
    always = set.intersection(*seen.values())
    unsaid = {
        name for name, when in documented.items() if when.startswith("unless the payload has")
    }
    assert {name for name, when in documented.items() if when == "always"} | unsaid == always
    assert always - variables({"command": ["true"]}, Flow.EVENTBRIDGE) == unsaid
    not_in_polling = {name for name, when in documented.items() if when == "not in polling"}
    assert not_in_polling == seen[Flow.DYNAMODB] - always
    told = [variables(FAILING | {"input": "x" * size}, Flow.EVENTBRIDGE) for size in (1, 5_000)]
    assert set(documented) == set.union(*told)


def test_variables_of_make() -> None:
    """The table of make's variables has those that `make up` hands on, with their defaults."""
    defaults = {row[0].strip("`"): row[1] for row in LOCAL.table("Variable of make")}
    makefile = (ROOT / "Makefile").read_text()
    assert all(re.search(rf"(?m)^{name} =$", makefile) for name in defaults)
    assert defaults["PORT"] == str(PORT)
    assert defaults["TIME_SCALE"] == "1"
