"""The facts that the rules judge."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Unknown:
    """A fact that could not be read.

    Attributes:
        why: what the call came to.
        permission: that the call needs, if it was refused; empty if it was not.
        code: AWS's own for the error; empty if it did not answer.
    """

    why: str
    permission: str = ""
    code: str = ""

    @property
    def cause(self) -> str:
        """The kind that several of them have in common."""
        return self.permission or self.code or self.why.partition(": ")[0]

    def __str__(self) -> str:
        """Return it as a finding tells it."""
        return f"{self.why}. It needs {self.permission}" if self.permission else self.why


@dataclass(frozen=True, slots=True)
class Named:
    """A resource to which the template gives its name."""

    logical_id: str
    kind: str
    name: str


@dataclass(frozen=True, slots=True)
class Plan:
    """The things that a deployment would make.

    Attributes:
        stack: the stack's name.
        description: the template's.
        outputs: names of the template's.
        named: the resources with a name of the template's choice.
        makes_vpc: whether it has a VPC of its own.
        records_table: the table of records.
        cluster: the tasks' cluster.
        runtime: the functions', such as "python3.13".
        sam: the version of the SAM CLI that is tested.
        region: that samconfig.toml deploys into; empty if it names none.
    """

    stack: str
    description: str
    outputs: frozenset[str]
    named: tuple[Named, ...]
    makes_vpc: bool
    records_table: str
    cluster: str
    runtime: str
    sam: str
    region: str = ""


@dataclass(frozen=True, slots=True)
class Deployed:
    """The stack that has the name already.

    Attributes:
        resources: types and physical ids of what it has.
    """

    status: str
    description: str
    outputs: frozenset[str]
    resources: frozenset[tuple[str, str]] | Unknown = frozenset()


@dataclass(frozen=True, slots=True)
class Account:
    """The account and its Region.

    Attributes:
        stack: the one of that name; None if there is none.
        sam_stack: the one with the bucket that `sam deploy` uploads to; None if there is none.
        taken: physical id of what has a planned name already; empty for a name that is free.
        owners: the other stack that a name belongs to, where one does or nobody tells.
        open_records: how many, if the stack is ours; None if there is no table of them.
        ecs_role: whether ECS has its service-linked role.
        vpcs: how many there are.
        vpc_quota: how many there may be.
        durable: whether Lambda knows durable executions.
        cli_region: that the AWS CLI is told before all others; empty if none is.
    """

    region: str
    stack: Deployed | Unknown | None
    sam_stack: Deployed | Unknown | None
    ecs_role: bool | Unknown
    vpcs: int | Unknown
    vpc_quota: int | Unknown
    durable: bool | Unknown
    taken: Mapping[Named, str | Unknown] = field(default_factory=dict)
    owners: Mapping[Named, str | Unknown] = field(default_factory=dict)
    open_records: int | Unknown | None = None
    cli_region: str = ""


@dataclass(frozen=True, slots=True)
class Machine:
    """This machine's tools.

    Attributes:
        python: path of the functions' Python, with pip, on PATH; empty if there is none.
        elsewhere: path of one that is not on PATH; empty if there is none.
        sam: version of the SAM CLI; empty if there is none.
        aws: version of the AWS CLI; empty if there is none.
    """

    python: str
    elsewhere: str
    sam: str
    aws: str
