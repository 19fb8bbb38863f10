from __future__ import annotations

import inspect
import re
import shlex
from dataclasses import replace
from typing import TYPE_CHECKING

import botocore.session
from botocore import xform_name

from scripts.preflight import account as account_of
from scripts.preflight import rules
from scripts.preflight.kinds import KINDS
from tests.markdown import Page
from tests.template import ROOT
from tests.unit.preflight.facts import TOOLS, account, deployed
from tests.unit.preflight.test_stack_rules import states
from tests.unit.test_docs import CLI_OPTIONS, operations, options

if TYPE_CHECKING:
    from scripts.preflight.facts import Account, Plan

# Services whose requests are signed for another name than IAM's.
SIGNED_OTHERWISE = {"cloudwatch"}
DEPLOY = Page(ROOT / "docs" / "deploy.md")


def accounts(planned: Plan) -> list[Account]:
    """Accounts in which everything that can be is in the way, with each state of a stack."""
    bad = account(
        planned,
        sam_stack=deployed(planned, outputs=frozenset()),
        ecs_role=False,
        vpcs=5,
        durable=False,
        open_records=1,
        cli_region="us-west-2",
        taken={named: named.name for named in planned.named},
    )
    return [bad, *(replace(bad, stack=deployed(planned, status=status)) for status in states())]


def commands(planned: Plan) -> set[str]:
    """Every command that is shown for them, and for a machine without tools."""
    bare = replace(TOOLS, python="", sam="", aws="")
    found = [f for there in accounts(planned) for f in rules.of_account(planned, there)]
    return {c for finding in [*found, *rules.of_machine(planned, bare)] for c in finding.commands}


def waiters() -> set[str]:
    """The states that the AWS CLI can wait for in CloudFormation."""
    client = botocore.session.get_session().create_client("cloudformation", region_name="us-east-1")
    return {name.replace("_", "-") for name in client.waiter_names}


def test_commands_exist(planned: Plan) -> None:
    """Each command of the AWS CLI that is shown exists, with its options, and has what it needs."""
    shown = [shlex.split(command) for command in commands(planned)]
    of_aws = [words for words in shown if words[0] == "aws"]
    assert len(of_aws) > len(planned.named)
    for _, service, operation, *rest in of_aws:
        given = set(options(rest)) - {""}
        if operation == "wait":
            assert rest[0] in waiters()
            continue
        shape = operations(service)[operation].input_shape
        assert given <= {xform_name(member, "-") for member in shape.members} | CLI_OPTIONS
        assert {xform_name(member, "-") for member in shape.required_members} <= given


def rights(planned: Plan) -> set[str]:
    """The right that each call to AWS needs, but for the one that needs none."""
    source = inspect.getsource(account_of)
    asked = set(re.findall(r'ask\(\s*"([\w-]+)", "(\w+)"', source))
    asked |= {(KINDS[n.kind].service, KINDS[n.kind].operation) for n in planned.named}
    session = botocore.session.get_session()
    found = set()
    for service, operation in asked:
        model = session.get_service_model(service)
        [name] = [o for o in model.operation_names if xform_name(o) == operation]
        signed = service if service in SIGNED_OTHERWISE else model.signing_name
        found.add(f"{signed}:{name}")
    return found


def test_rights(planned: Plan) -> None:
    """The page on deployment names the right that each look needs, and no other one."""
    part = DEPLOY.text.partition("## Look first")[2].partition("\n## ")[0]
    assert set(re.findall(r"`(\w+:[A-Z]\w+)`", part)) == rights(planned)


def test_other_commands(planned: Plan) -> None:
    """All other commands are SAM's, make's, pipx's or the shell's own."""
    programs = {shlex.split(command)[0] for command in commands(planned)}
    assert programs <= {"aws", "sam", "make", "pipx", "export"}
