"""Facts of an account and a machine in which nothing is in the way."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from scripts.preflight.facts import Account, Deployed, Machine, Unknown

if TYPE_CHECKING:
    from scripts.preflight.facts import Plan

REFUSED = Unknown("An error occurred (AccessDenied)", "service:Operation")
TOOLS = Machine(python="/python3.13", elsewhere="", sam="1.170.0", aws="2.30.0")


def account(planned: Plan, **other: Any) -> Account:
    """An account in which a stack may be made."""
    facts: dict[str, Any] = {
        "region": "eu-west-1",
        "stack": None,
        "sam_stack": None,
        "ecs_role": True,
        "vpcs": 1,
        "vpc_quota": 5,
        "durable": True,
        "taken": dict.fromkeys(planned.named, ""),
    }
    return Account(**facts | other)


def deployed(planned: Plan, **other: Any) -> Deployed:
    """This project's stack, which has everything that is planned."""
    facts: dict[str, Any] = {
        "status": "CREATE_COMPLETE",
        "description": planned.description,
        "outputs": planned.outputs,
        "resources": frozenset(
            {(n.kind, n.name) for n in planned.named} | {("AWS::EC2::VPC", "vpc-1")}
        ),
    }
    return Deployed(**facts | other)
