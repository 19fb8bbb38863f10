from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from scripts.preflight import rules
from scripts.preflight.account import Reader
from scripts.preflight.facts import Named, Unknown
from scripts.preflight.findings import Check, Finding, Mark, exit_code
from scripts.preflight.kinds import KINDS
from tests.unit.preflight.facts import REFUSED, TOOLS, account, deployed

if TYPE_CHECKING:
    from scripts.preflight.facts import Plan

FINE, IN_THE_WAY, NOT_CHECKED = Mark.FINE, Mark.IN_THE_WAY, Mark.NOT_CHECKED
GROUP = "AWS::Logs::LogGroup"


def first(planned: Plan, kind: str) -> Named:
    """The first planned resource of a type."""
    return next(named for named in planned.named if named.kind == kind)


def taken(planned: Plan, *names: Named, its: Unknown | None = None) -> dict[Named, Any]:
    """Some names in use, or not known to be, and all the others free."""
    return dict.fromkeys(planned.named, "") | {named: its or named.name for named in names}


def of_names(planned: Plan, **facts: Any) -> list[Finding]:
    """Findings of the rule on names that are not fine."""
    found = rules.names(planned, account(planned, **facts))
    return [finding for finding in found if finding.mark is not FINE]


def test_nothing_in_the_way(planned: Plan) -> None:
    """All findings are fine in an account with room and free names, with the tools there."""
    found = [*rules.of_account(planned, account(planned)), *rules.of_machine(planned, TOOLS)]
    assert {finding.mark for finding in found} == {FINE}
    assert exit_code(found) == 0


def test_update(planned: Plan) -> None:
    """The stack's own resources are no clash, and its own VPC is the one that it needs."""
    there = account(planned, stack=deployed(planned), taken=taken(planned, *planned.named), vpcs=5)
    assert {finding.mark for finding in rules.of_account(planned, there)} == {FINE}


@pytest.mark.parametrize("kind", sorted({k for k in KINDS if "Role" not in k and "S3" not in k}))
def test_clash(kind: str, planned: Plan) -> None:
    """A name of each type that somebody has in use already is in the way, and can be deleted."""
    named = first(planned, kind)
    [finding] = of_names(planned, taken=taken(planned, named))
    assert finding.mark is IN_THE_WAY
    assert named.name in finding.text
    [command] = finding.commands
    assert named.name in command


def test_clash_with_role_or_bucket_of_tomorrow(planned: Plan) -> None:
    """A role or a bucket that gets a name of the template's is looked for like all others."""
    more = (Named("R", "AWS::IAM::Role", "demo-r"), Named("B", "AWS::S3::Bucket", "demo-b"))
    then = replace(planned, named=(*planned.named, *more))
    found = of_names(then, taken=taken(then, *more))
    assert [finding.mark for finding in found] == [IN_THE_WAY] * 2


def test_each_clash_has_its_command(planned: Plan) -> None:
    """Several log groups in use are one finding, with one command for each."""
    groups = [named for named in planned.named if named.kind == GROUP]
    [finding] = of_names(planned, taken=taken(planned, *groups))
    assert len(finding.commands) == len(groups) > 1


def test_clash_with_another_stack(planned: Plan) -> None:
    """A resource of another stack is not to be deleted: another name is proposed."""
    named = first(planned, "AWS::SQS::Queue")
    [finding] = of_names(planned, taken=taken(planned, named), owners={named: "theirs"})
    assert "stack theirs" in finding.text
    assert not any("delete" in command for command in finding.commands)


def test_clash_with_nobody_knows_whose(planned: Plan) -> None:
    """A name whose owner may not be asked for is in the way, and nobody is told to delete it."""
    named = first(planned, "AWS::DynamoDB::Table")
    [finding] = of_names(planned, taken=taken(planned, named), owners={named: REFUSED})
    assert (finding.mark, "service:Operation" in finding.text) == (IN_THE_WAY, True)
    assert not any("delete" in command for command in finding.commands)


def test_clash_beside_the_own_stack(planned: Plan) -> None:
    """A name that is new in the template may be in use outside the stack that is updated."""
    named = first(planned, GROUP)
    kept = frozenset({(GROUP, n.name) for n in planned.named if n != named})
    mine = deployed(planned, resources=kept)
    [finding] = of_names(planned, stack=mine, taken=taken(planned, named))
    assert finding.mark is IN_THE_WAY


@pytest.mark.parametrize(
    "facts",
    [
        {"its": REFUSED},
        {"stack": REFUSED},
        {"resources": REFUSED},
    ],
    ids=["name", "stack", "its resources"],
)
def test_names_that_nobody_can_judge(facts: dict[str, Any], planned: Plan) -> None:
    """A name is not called free, nor in the way, where a look was refused."""
    named = first(planned, GROUP)
    stack = facts.get("stack") or (
        deployed(planned, resources=REFUSED) if "resources" in facts else None
    )
    seen = taken(planned, named, its=facts.get("its"))
    [finding] = of_names(planned, stack=stack, taken=seen)
    assert finding.mark is NOT_CHECKED
    assert exit_code([finding]) == 0


@pytest.mark.parametrize(
    "why",
    [
        Unknown("AccessDenied: not {name}", "service:Operation", "AccessDenied"),
        Unknown("ThrottlingException: {name}", code="ThrottlingException"),
        Unknown("logs did not answer: {name}"),
    ],
    ids=["refused", "throttled", "cut off"],
)
def test_one_cause_is_told_once(why: Unknown, planned: Plan) -> None:
    """One permission that is missing, or one service that is not there, is one line."""
    groups = [named for named in planned.named if named.kind == GROUP]
    unread = {n: replace(why, why=why.why.format(name=n.name)) for n in groups}
    [finding] = of_names(planned, taken=taken(planned) | unread)
    assert finding.mark is NOT_CHECKED
    assert why.permission in finding.text


@pytest.mark.parametrize(
    ("outputs", "mark"), [({"SourceBucket"}, FINE), (set(), IN_THE_WAY)], ids=["whole", "broken"]
)
def test_stack_of_sam(outputs: set[str], mark: Mark, planned: Plan) -> None:
    """SAM's own stack is in the way if its creation failed, for it tells no bucket then."""
    found = deployed(planned, status="ROLLBACK_COMPLETE", outputs=frozenset(outputs))
    assert rules.sam_bucket(account(planned, sam_stack=found)).mark is mark


def test_stack_of_sam_that_is_being_made(planned: Plan) -> None:
    """SAM's own stack that somebody makes at this moment is waited for, and not deleted."""
    found = deployed(planned, status="CREATE_IN_PROGRESS", outputs=frozenset())
    [command] = rules.sam_bucket(account(planned, sam_stack=found)).commands
    assert command.startswith("aws cloudformation wait stack-create-complete ")


def test_unread_stack_of_sam(planned: Plan) -> None:
    """SAM's own stack that may not be looked at is not checked."""
    assert rules.sam_bucket(account(planned, sam_stack=REFUSED)).mark is NOT_CHECKED


@pytest.mark.parametrize(
    ("there", "mark"), [(True, FINE), (False, IN_THE_WAY), (REFUSED, NOT_CHECKED)]
)
def test_ecs_role(there: bool | Unknown, mark: Mark, planned: Plan) -> None:
    """ECS's role that is missing is in the way; the permission to make it is named."""
    finding = rules.ecs_role(account(planned, ecs_role=there))
    assert finding.mark is mark
    assert ("iam:CreateServiceLinkedRole" in finding.text) is (mark is IN_THE_WAY)


@pytest.mark.parametrize(
    ("count", "quota", "mark"),
    [
        (4, 5, FINE),
        (5, 5, IN_THE_WAY),
        (5, 6, FINE),
        (7, 5, IN_THE_WAY),
        (4, REFUSED, FINE),
        (5, REFUSED, NOT_CHECKED),
        (REFUSED, 5, NOT_CHECKED),
        (REFUSED, REFUSED, NOT_CHECKED),
    ],
)
def test_vpcs(count: int | Unknown, quota: int | Unknown, mark: Mark, planned: Plan) -> None:
    """A Region that is full of VPCs is in the way; below the default nobody's quota is needed."""
    [finding] = rules.vpcs(planned, account(planned, vpcs=count, vpc_quota=quota))
    assert finding.mark is mark
    assert bool(finding.commands) is (mark is IN_THE_WAY)


@pytest.mark.parametrize("unread", ["stack", "resources"])
def test_vpc_that_may_be_the_own(unread: str, planned: Plan) -> None:
    """A Region that is full of VPCs is not judged where one of them may be the stack's."""
    stack = REFUSED if unread == "stack" else deployed(planned, resources=REFUSED)
    [finding] = rules.vpcs(planned, account(planned, stack=stack, vpcs=5))
    assert finding.mark is NOT_CHECKED


def test_quota_to_ask_for(planned: Plan) -> None:
    """The quota that is asked for has room for one more VPC than there are."""
    [finding] = rules.vpcs(planned, account(planned, vpcs=7, vpc_quota=5))
    assert finding.commands[0].endswith("--quota-code L-F678F1CE --desired-value 8")


def test_own_network_needs_no_vpc(planned: Plan) -> None:
    """A Region that is full of VPCs is no matter where the stack makes none."""
    full = account(planned, vpcs=5)
    assert not rules.vpcs(replace(planned, makes_vpc=False), full)


@pytest.mark.parametrize(
    ("known", "mark"), [(True, FINE), (False, IN_THE_WAY), (REFUSED, NOT_CHECKED)]
)
def test_durable(known: bool | Unknown, mark: Mark, planned: Plan) -> None:
    """A Region is refused only where Lambda says that it does not know durable functions."""
    assert rules.durable(account(planned, durable=known)).mark is mark


def test_region_with_durable_functions(planned: Plan, monkeypatch: pytest.MonkeyPatch) -> None:
    """The Region that is proposed instead is where the next look goes."""
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    [command] = rules.durable(account(planned, durable=False)).commands
    for given in command.removeprefix("export ").split():
        monkeypatch.setenv(*given.split("="))
    assert Reader().region == "us-east-1"


@pytest.mark.parametrize(
    ("tools", "check", "mark"),
    [
        ({"python": "", "elsewhere": "/opt/bin/python3.13"}, Check.PYTHON, IN_THE_WAY),
        ({"python": ""}, Check.PYTHON, IN_THE_WAY),
        ({"sam": ""}, Check.SAM, IN_THE_WAY),
        ({"sam": "1.99.0"}, Check.SAM, IN_THE_WAY),
        ({"sam": "2.0.0"}, Check.SAM, FINE),
        ({"aws": ""}, Check.AWS_CLI, Mark.WARNING),
        ({"aws": "1.45.0"}, Check.AWS_CLI, Mark.WARNING),
    ],
)
def test_tools(tools: dict[str, str], check: Check, mark: Mark, planned: Plan) -> None:
    """Python and SAM that are missing or old are in the way; an AWS CLI is only missed."""
    found = rules.of_machine(replace(planned, sam="1.170.0"), replace(TOOLS, **tools))
    [finding] = [finding for finding in found if finding.check is check]
    assert finding.mark is mark
    assert {other.mark for other in found if other.check is not check} == {FINE}


def test_python_elsewhere(planned: Plan) -> None:
    """A Python that is not on PATH is put there by one command."""
    finding = rules.python(planned, replace(TOOLS, python="", elsewhere="/my tools/python3.13"))
    assert finding.commands == ("""export PATH='/my tools':"$PATH\"""",)


def test_as_lines() -> None:
    """A finding is one line, with its commands below, and escapes what others put into it."""
    finding = Finding(Check.STACK, IN_THE_WAY, "bad \x1b[2J", ("one", "two"))
    assert str(finding).splitlines() == [
        "✗ Stack: bad \\x1b[2J",
        "    one",
        "    two",
    ]


@pytest.mark.parametrize(
    ("marks", "code"),
    [([], 0), ([FINE, NOT_CHECKED, Mark.WARNING], 0), ([FINE, IN_THE_WAY], 1)],
)
def test_exit_code(marks: list[Mark], code: int) -> None:
    """The command fails only for a finding that is in the way."""
    assert exit_code([Finding(Check.STACK, mark, "") for mark in marks]) == code
