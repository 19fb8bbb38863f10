"""The rules: the meaning of the facts for a deployment."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import TYPE_CHECKING

from scripts.preflight import stack_rules
from scripts.preflight.facts import Deployed, Unknown
from scripts.preflight.findings import Check, Finding, Mark
from scripts.preflight.kinds import KINDS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from scripts.preflight.facts import Account, Machine, Named, Plan

_Judged = tuple[Mark, str, tuple[str, ...]]
_VPC = "AWS::EC2::VPC"
VPC_QUOTA = "L-F678F1CE"
# The stack of the bucket that `sam deploy` uploads to.
SAM_STACK = "aws-sam-cli-managed-default"
# No account's quota is lower.
_DEFAULT_VPCS = 5


def of_account(plan: Plan, account: Account) -> list[Finding]:
    """Judge the account's facts."""
    return [
        stack_rules.region(plan, account),
        *stack_rules.region_of_the_cli(account),
        stack_rules.stack(plan, account.stack),
        *stack_rules.records(plan, account),
        *names(plan, account),
        sam_bucket(account),
        ecs_role(account),
        *vpcs(plan, account),
        durable(account),
    ]


def of_machine(plan: Plan, machine: Machine) -> list[Finding]:
    """Judge the machine's facts."""
    return [python(plan, machine), sam(plan, machine), aws_cli(machine)]


def names(plan: Plan, account: Account) -> list[Finding]:
    """Judge the names that the template gives, type by type."""
    kinds = dict.fromkeys(named.kind for named in plan.named)
    return [
        finding
        for kind in kinds
        for finding in _of_kind(kind, [n for n in plan.named if n.kind == kind], account)
    ]


def _of_kind(kind: str, planned: list[Named], account: Account) -> list[Finding]:
    plural = KINDS[kind].plural if kind in KINDS else kind
    seen = {named: is_foreign(named, account) for named in planned}
    taken = [named for named, its in seen.items() if its is True]
    # A cause that all names share is reported once: a permission, a service that does not answer.
    unread = {its.cause: its for its in seen.values() if isinstance(its, Unknown)}
    judged: list[_Judged] = [
        (Mark.NOT_CHECKED, f"not checked: {its}", ()) for its in unread.values()
    ]
    judged += _owned(taken, account)
    judged += _of_nobody_knows(taken, account)
    judged += _loose([named for named in taken if named not in account.owners])
    fine = (Mark.FINE, "free, or the stack's own", ())
    return [Finding(Check.TAKEN, *found, of=plural) for found in judged or [fine]]


def _owned(taken: list[Named], account: Account) -> list[_Judged]:
    owned = {n: its for n in taken if isinstance(its := account.owners.get(n), str)}
    if not owned:
        return []
    stacks = ", ".join(sorted(set(owned.values())))
    text = f"{_listed(owned)} of the stack {stacks}. Take another stack name"
    return [(Mark.IN_THE_WAY, text, (stack_rules.ANOTHER,))]


def _of_nobody_knows(taken: list[Named], account: Account) -> list[_Judged]:
    unread = {n: its for n in taken if isinstance(its := account.owners.get(n), Unknown)}
    if not unread:
        return []
    why = next(iter(unread.values()))
    text = f"in use already: {_listed(unread)}. The owner was not checked: {why}. Take another name"
    return [(Mark.IN_THE_WAY, text, (stack_rules.ANOTHER,))]


def _loose(taken: list[Named]) -> list[_Judged]:
    if not taken:
        return []
    delete = tuple(KINDS[n.kind].delete.format(shlex.quote(n.name)) for n in taken)
    text = f"in use already: {_listed(taken)}. Delete what you need no more, or take another name"
    return [(Mark.IN_THE_WAY, text, delete)]


def is_foreign(named: Named, account: Account) -> bool | Unknown:
    """Return whether a resource outside of the stack has a name that the stack needs."""
    its, stack = account.taken[named], account.stack
    if not its or isinstance(its, Unknown):
        return its or False
    if isinstance(stack, Unknown):
        return Unknown(f"{named.name} exists, and perhaps is the stack's: {stack}")
    owned = stack.resources if stack else frozenset()
    if isinstance(owned, Unknown):
        return Unknown(f"{named.name} exists, and perhaps is the stack's: {owned}")
    # The address of a queue has had several forms; its last part is the name in all of them.
    return not any(
        kind == named.kind and (own == its or own.endswith(f"/{named.name}")) for kind, own in owned
    )


def sam_bucket(account: Account) -> Finding:
    """Judge SAM's own stack, which names the bucket to upload to; `sam deploy` can make it."""
    found = account.sam_stack
    if isinstance(found, Unknown):
        return Finding(Check.SAM_BUCKET, Mark.NOT_CHECKED, f"not checked: {found}")
    if found is None:
        return Finding(Check.SAM_BUCKET, Mark.FINE, "none is there, so `sam deploy` will make one")
    if "SourceBucket" in found.outputs:
        return Finding(Check.SAM_BUCKET, Mark.FINE, "it is there")
    if found.status in stack_rules.WAITS:
        text = f"the stack {SAM_STACK} is in {found.status}: wait for its end, and look again"
        wait = stack_rules.WAITS[found.status].format(SAM_STACK)
        return Finding(Check.SAM_BUCKET, Mark.IN_THE_WAY, text, (wait,))
    text = f"the stack {SAM_STACK} is in {found.status} and tells no bucket. Delete it"
    delete = f"aws cloudformation delete-stack --stack-name {SAM_STACK}"
    return Finding(Check.SAM_BUCKET, Mark.IN_THE_WAY, text, (delete,))


def ecs_role(account: Account) -> Finding:
    """Judge ECS's service-linked role: a new account lacks it, and no task starts without it."""
    command = "aws iam create-service-linked-role --aws-service-name ecs.amazonaws.com"
    match account.ecs_role:
        case Unknown() as unknown:
            return Finding(Check.ECS_ROLE, Mark.NOT_CHECKED, f"not checked: {unknown}")
        case True:
            return Finding(Check.ECS_ROLE, Mark.FINE, "it is there")
    text = "it is missing. Who makes it needs iam:CreateServiceLinkedRole"
    return Finding(Check.ECS_ROLE, Mark.IN_THE_WAY, text, (command,))


def vpcs(plan: Plan, account: Account) -> list[Finding]:
    """Judge whether there is room for one more VPC, if the stack would make one."""
    has_one = _has_vpc(account.stack)
    if not plan.makes_vpc or has_one is True:
        return []
    unread = has_one if isinstance(has_one, Unknown) else None
    return [_room(account.vpcs, account.vpc_quota, unread)]


def _room(count: int | Unknown, quota: int | Unknown, own: Unknown | None) -> Finding:
    if isinstance(count, Unknown):
        return Finding(Check.VPCS, Mark.NOT_CHECKED, f"not checked: {count}")
    if isinstance(quota, Unknown):
        if count < _DEFAULT_VPCS:
            return Finding(Check.VPCS, Mark.FINE, f"{count}, fewer than any quota allows")
        text = f"{count} are there; how many may be was not checked: {quota}"
        return Finding(Check.VPCS, Mark.NOT_CHECKED, text)
    if count < quota:
        return Finding(Check.VPCS, Mark.FINE, f"{count} of {quota}, so there is room for one")
    if own:
        text = f"{count} of {quota}; whether the stack has one was not checked: {own}"
        return Finding(Check.VPCS, Mark.NOT_CHECKED, text)
    text = (
        f"{count} of {quota}, so there is no room for the stack's. Delete one, ask for more, or "
        "give the stack a network of your own"
    )
    ask = (
        "aws service-quotas request-service-quota-increase --service-code vpc "
        f"--quota-code {VPC_QUOTA} --desired-value {count + 1}"
    )
    return Finding(Check.VPCS, Mark.IN_THE_WAY, text, (ask,))


def _has_vpc(stack: Deployed | Unknown | None) -> bool | Unknown:
    owned = stack.resources if isinstance(stack, Deployed) else stack
    return owned if isinstance(owned, Unknown) else any(kind == _VPC for kind, _ in owned or ())


def durable(account: Account) -> Finding:
    """Judge whether the Region has durable functions, as far as Lambda shows it."""
    match account.durable:
        case Unknown() as unknown:
            text = f"could not tell whether the Region has them: {unknown}"
            return Finding(Check.DURABLE, Mark.NOT_CHECKED, text)
        case True:
            return Finding(Check.DURABLE, Mark.FINE, "the Region knows them")
    text = f"Lambda in {account.region} does not know them. Take another Region"
    return Finding(
        Check.DURABLE,
        Mark.IN_THE_WAY,
        text,
        ("export AWS_REGION=us-east-1 AWS_DEFAULT_REGION=us-east-1",),
    )


def python(plan: Plan, machine: Machine) -> Finding:
    """Judge whether `sam build` finds the functions' Python."""
    if machine.python:
        return Finding(Check.PYTHON, Mark.FINE, machine.python)
    text = f"no {plan.runtime} with pip is on PATH"
    if machine.elsewhere:
        folder = shlex.quote(str(Path(machine.elsewhere).parent))
        return Finding(Check.PYTHON, Mark.IN_THE_WAY, text, (f'export PATH={folder}:"$PATH"',))
    text += f". Install {plan.runtime.replace('python', 'Python ')} from https://www.python.org"
    return Finding(Check.PYTHON, Mark.IN_THE_WAY, text)


def sam(plan: Plan, machine: Machine) -> Finding:
    """Judge whether the SAM CLI is there, and as new as the one that is tested."""
    if machine.sam and _parts(machine.sam) >= _parts(plan.sam):
        return Finding(Check.SAM, Mark.FINE, machine.sam)
    have = f"it is {machine.sam}" if machine.sam else "no sam is on PATH"
    text = f"{have}; {plan.sam} or newer is needed"
    install = f"pipx install --force 'aws-sam-cli>={plan.sam}'"
    return Finding(Check.SAM, Mark.IN_THE_WAY, text, (install,))


def aws_cli(machine: Machine) -> Finding:
    """Judge the AWS CLI: no deployment needs it, but most commands of the documentation do."""
    if machine.aws and _parts(machine.aws) >= (2,):
        return Finding(Check.AWS_CLI, Mark.FINE, machine.aws)
    have = f"it is {machine.aws}" if machine.aws else "no aws is on PATH"
    where = "https://docs.aws.amazon.com/cli/latest/userguide/getting-started-install.html"
    text = (
        f"{have}; a deployment needs none, the commands of the documentation a version 2: {where}"
    )
    return Finding(Check.AWS_CLI, Mark.WARNING, text)


def _parts(version: str) -> tuple[int, ...]:
    return tuple(map(int, re.findall(r"\d+", version)))


def _listed(named: Iterable[Named]) -> str:
    return ", ".join(n.name for n in named)
