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
        why: the reason.
        permission: the permission that the call needs, if it was refused; empty otherwise.
        code: AWS's error code; empty if AWS did not answer.
    """

    why: str
    permission: str = ""
    code: str = ""

    @property
    def cause(self) -> str:
        """The cause, the same for all facts that could not be read for one reason."""
        return self.permission or self.code or self.why.partition(": ")[0]

    def __str__(self) -> str:
        """Return the text for a finding."""
        return f"{self.why}. It needs {self.permission}" if self.permission else self.why


@dataclass(frozen=True, slots=True)
class Named:
    """A resource whose name the template sets."""

    logical_id: str
    kind: str
    name: str


@dataclass(frozen=True, slots=True)
class Plan:
    """The things that a deployment would make.

    Attributes:
        stack: the stack's name.
        description: the template's description.
        outputs: names of the template's outputs.
        named: the resources whose names the template sets.
        makes_vpc: whether the stack makes a VPC of its own.
        records_table: the table of records.
        cluster: the tasks' cluster.
        runtime: the functions' runtime, for example "python3.13".
        sam: the version of the SAM CLI that is tested.
        region: the Region of samconfig.toml; empty if it names none.
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
        resources: types and physical ids of its resources.
    """

    status: str
    description: str
    outputs: frozenset[str]
    resources: frozenset[tuple[str, str]] | Unknown = frozenset()


@dataclass(frozen=True, slots=True)
class Account:
    """The account and its Region.

    Attributes:
        stack: the stack of that name; None if there is none.
        sam_stack: the stack of the bucket that `sam deploy` uploads to; None if there is none.
        taken: physical id of the resource that has a planned name already; empty for a free name.
        owners: the other stack that a taken name belongs to, where there is one or it is unknown.
        open_records: number of open records, if the stack is ours; None if there is no table.
        ecs_role: whether ECS has its service-linked role.
        vpcs: number of VPCs.
        vpc_quota: highest number of VPCs.
        durable: whether Lambda knows durable executions.
        cli_region: the Region of AWS_REGION, which the AWS CLI alone reads; empty if it is not set.
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
        elsewhere: path of such a Python that is not on PATH; empty if there is none.
        sam: version of the SAM CLI; empty if there is none.
        aws: version of the AWS CLI; empty if there is none.
    """

    python: str
    elsewhere: str
    sam: str
    aws: str
