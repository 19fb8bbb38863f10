"""The rules about the stack's name, and about the stack that has it already."""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING

from core.record import OPEN, OPEN_INDEX
from scripts.preflight.facts import Unknown
from scripts.preflight.findings import Check, Finding, Mark
from scripts.preflight.kinds import KINDS

if TYPE_CHECKING:
    from scripts.preflight.facts import Account, Deployed, Plan

_FORM = re.compile(r"[A-Za-z][A-Za-z0-9-]*")
_LONGEST = 128
# The outputs of the original pattern's stack; this project's stack has these and more.
_ORIGINAL = frozenset(
    {
        "SyncLambdaFunctionArn",
        "CallbackLambdaFunctionArn",
        "CallbackTableName",
        "ECSClusterName",
        "LogGroupName",
    }
)
# A change set without a stack: `sam deploy` starts from it as from nothing.
_NOTHING_YET = "REVIEW_IN_PROGRESS"
_STARTS = frozenset(
    {
        "CREATE_COMPLETE",
        "IMPORT_COMPLETE",
        "IMPORT_ROLLBACK_COMPLETE",
        "UPDATE_COMPLETE",
        "UPDATE_ROLLBACK_COMPLETE",
    }
)
ANOTHER = "make preflight STACK=another-name"
_WAIT = "aws cloudformation wait {} --stack-name {{}}"
_EVENTS = "aws cloudformation describe-stack-events --stack-name {}"
_DELETE = "sam delete --stack-name {}"
# The commands that lead out of each state from which no deployment starts.
_WAY_OUT = {
    "CREATE_FAILED": (_DELETE,),
    "CREATE_IN_PROGRESS": (_WAIT.format("stack-create-complete"),),
    "DELETE_FAILED": (_EVENTS, _DELETE),
    "DELETE_IN_PROGRESS": (_WAIT.format("stack-delete-complete"),),
    "IMPORT_IN_PROGRESS": (_WAIT.format("stack-import-complete"),),
    "ROLLBACK_COMPLETE": (_DELETE,),
    "ROLLBACK_FAILED": (_DELETE,),
    "UPDATE_FAILED": ("aws cloudformation rollback-stack --stack-name {}",),
    "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS": (_WAIT.format("stack-update-complete"),),
    "UPDATE_IN_PROGRESS": (_WAIT.format("stack-update-complete"),),
    "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS": (_WAIT.format("stack-rollback-complete"),),
    "UPDATE_ROLLBACK_FAILED": ("aws cloudformation continue-update-rollback --stack-name {}",),
    "UPDATE_ROLLBACK_IN_PROGRESS": (_WAIT.format("stack-rollback-complete"),),
}
# The states that end by themselves.
WAITS = {status: way[0] for status, way in _WAY_OUT.items() if status.endswith("_IN_PROGRESS")}


_OPEN = (
    f"aws dynamodb query --table-name {{}} --index-name {OPEN_INDEX} "
    "--key-condition-expression '#o = :o' --expression-attribute-names '{{\"#o\": \"open\"}}' "
    f'--expression-attribute-values \'{{{{":o": {{{{"S": "{OPEN}"}}}}}}}}\''
)


def stack_name(plan: Plan) -> Finding:
    """Judge the name: CloudFormation's own rules, and the names that begin with it."""
    if not _FORM.fullmatch(plan.stack):
        text = f"{plan.stack!r} is refused: it takes a letter first, then letters, digits and -"
    elif (length := len(plan.stack)) > (longest := longest_name(plan)):
        text = f"{plan.stack} has {length} characters, at most {longest} fit: names begin with it"
    else:
        return Finding(Check.NAME, Mark.FINE, plan.stack)
    return Finding(Check.NAME, Mark.IN_THE_WAY, text, (ANOTHER,))


def longest_name(plan: Plan) -> int:
    """Return how long the stack's name may be: names that begin with it have limits too."""
    room = [
        KINDS[named.kind].longest - len(named.name) + len(plan.stack)
        for named in plan.named
        if named.kind in KINDS
    ]
    return min([_LONGEST, *room])


def region(plan: Plan, account: Account) -> Finding:
    """Judge the Region that was looked at: `sam deploy` takes samconfig.toml's first."""
    if plan.region in {"", account.region}:
        return Finding(Check.REGION, Mark.FINE, f"this looks at {account.region}")
    text = f"this looks at {account.region}; samconfig.toml deploys into {plan.region}"
    # Python's SDK reads this variable, and so does SAM.
    look = f"make preflight STACK={shlex.quote(plan.stack)}"
    command = f"AWS_DEFAULT_REGION={shlex.quote(plan.region)} {look}"
    return Finding(Check.REGION, Mark.WARNING, text, (command,))


def region_of_the_cli(account: Account) -> list[Finding]:
    """Judge whether the AWS CLI uses another Region: it alone reads AWS_REGION, and that first."""
    if account.cli_region in {"", account.region}:
        return []
    text = (
        f"AWS_REGION is {account.cli_region}, so the AWS CLI looks there; this, `sam` and "
        f"`make redrive` look at {account.region}. Name one Region in both variables"
    )
    one = shlex.quote(account.region)
    command = f"export AWS_REGION={one} AWS_DEFAULT_REGION={one}"
    return [Finding(Check.REGION, Mark.WARNING, text, (command,))]


def stack(plan: Plan, found: Deployed | Unknown | None) -> Finding:
    """Judge whether a deployment can start, and whether the stack is this project's."""
    if isinstance(found, Unknown):
        return Finding(Check.STACK, Mark.NOT_CHECKED, f"not checked: {found}")
    if found is None or found.status == _NOTHING_YET:
        return Finding(Check.STACK, Mark.FINE, "none has this name, so it will be made")
    if found.status not in _STARTS:
        return _stuck(plan, found)
    match is_ours(plan, found):
        case True:
            text = f"it is there ({found.status}), so it will be an update"
            return Finding(Check.STACK, Mark.FINE, text)
        case False:
            return _foreign(plan, found)
        case unread:
            text = f"it is there; whether it is this project's was not checked: {unread}"
            return Finding(Check.STACK, Mark.NOT_CHECKED, text)


def is_ours(plan: Plan, found: Deployed) -> bool | Unknown:
    """Whether a stack is of this project's template, in any version.

    An output of ours alone shows nothing: another project may have one of the same name.
    """
    if found.description == plan.description:
        return True
    if not found.outputs & (plan.outputs - _ORIGINAL):
        return False
    if isinstance(found.resources, Unknown):
        return found.resources
    of_each_release = {
        ("AWS::DynamoDB::Table", plan.records_table),
        ("AWS::ECS::Cluster", plan.cluster),
    }
    return of_each_release <= found.resources


def _stuck(plan: Plan, found: Deployed) -> Finding:
    text = f"it is in {found.status}, from which no deployment starts"
    name = shlex.quote(plan.stack)
    ways: tuple[str, ...] = _WAY_OUT.get(found.status, (_EVENTS,))
    if is_ours(plan, found) is not True and found.status not in WAITS:
        text += ". Nothing shows that it is this project's: look what it is, or take another name"
        ways = (_EVENTS, ANOTHER)
    return Finding(Check.STACK, Mark.IN_THE_WAY, text, tuple(way.format(name) for way in ways))


def _foreign(plan: Plan, found: Deployed) -> Finding:
    if {"SyncLambdaFunctionArn", "CallbackLambdaFunctionArn"} <= found.outputs <= _ORIGINAL:
        text = (
            "it is the original pattern's, whose functions cannot become these. Delete it and look "
            "again, for its log groups stay; or take another name"
        )
        command = _DELETE.format(shlex.quote(plan.stack))
        return Finding(Check.STACK, Mark.IN_THE_WAY, text, (command,))
    text = "it is another project's, and would be replaced. Take another name"
    return Finding(Check.STACK, Mark.IN_THE_WAY, text, (ANOTHER,))


def records(plan: Plan, account: Account) -> list[Finding]:
    """Judge whether an update may begin: before version 1.0.0 no record may be open."""
    number = account.open_records
    if number is None:
        return []
    if isinstance(number, Unknown):
        return [Finding(Check.RECORDS, Mark.NOT_CHECKED, f"not checked: {number}")]
    if number == 0:
        return [Finding(Check.RECORDS, Mark.FINE, "none: the update may begin")]
    text = f"{number} executions or tasks go on. Let them end before the update, or stop them"
    return [Finding(Check.RECORDS, Mark.IN_THE_WAY, text, (_OPEN.format(plan.records_table),))]
