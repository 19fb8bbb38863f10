"""The plan of a deployment, as template.yaml and samconfig.toml say."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from local.errors import TemplateError
from local.stack import Home, Stack
from local.stack.samconfig import PROJECT, SAMCONFIG, overrides, region
from scripts.preflight.facts import Named, Plan
from scripts.preflight.kinds import name_of

if TYPE_CHECKING:
    from pathlib import Path

_TESTED_SAM = re.compile(r"(?m)^aws-sam-cli==(\S+)")


def plan(
    name: str,
    where: str,
    account: str,
    template: Path = PROJECT / "template.yaml",
    samconfig: Path = SAMCONFIG,
) -> Plan:
    """Return the plan of a deployment under a name.

    Args:
        name: the stack's name.
        where: the Region.
        account: the account's number.
        template: file of the template.
        samconfig: file with the parameters.

    Raises:
        TemplateError: one of these files cannot be read.
    """
    home = Home(where, name, account)
    stack = Stack(template, "", overrides(samconfig), home, samconfig)
    written = list(stack.written())
    named = (
        Named(logical_id, kind, given)
        for logical_id, kind, properties in written
        if (given := name_of(kind, properties))
    )
    [runtime] = {f["Runtime"] for _, kind, f in written if kind == "AWS::Lambda::Function"}
    return Plan(
        stack=name,
        description=stack.description,
        outputs=frozenset(stack.outputs),
        named=tuple(named),
        makes_vpc=any(kind == "AWS::EC2::VPC" for _, kind, _ in written),
        records_table=stack.outputs["CallbackTableName"],
        cluster=stack.outputs["ECSClusterName"],
        runtime=runtime,
        sam=_tested_sam(),
        region=region(samconfig),
    )


def _tested_sam() -> str:
    path = PROJECT / "requirements" / "sam.in"
    found = _TESTED_SAM.search(path.read_text())
    if found is None:
        raise TemplateError(f"{path.name}: expected aws-sam-cli==VERSION.")
    return found[1]
