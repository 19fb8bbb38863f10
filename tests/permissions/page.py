"""The grants that docs/permissions.md lists."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from itertools import product
from typing import TYPE_CHECKING

from tests.markdown import Page, code
from tests.permissions.grant import Condition, Grant
from tests.template import ACCOUNT, REGION, ROOT

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from tests.template import Stack

PAGE = Page(ROOT / "docs" / "permissions.md")
_WITH_IMAGE = {"either": {True, False}, "`WorkerImage`": {True}, "default": {False}}


@dataclass(frozen=True, slots=True)
class Row:
    """A line of one of the tables.

    Attributes:
        holders: the cell that names whose grant it is.
        actions: what may be done.
        resources: on what.
        conditions: what is asked of a request.
        reason: who needs it, and why.
        principals: for whom; one empty name for the holders of a role.
        effect: `Allow` or `Deny`.
        image: whether the task's image is one's own, in each case in which the grant stands.
    """

    holders: str
    actions: list[str]
    resources: list[str]
    conditions: list[str]
    reason: str
    principals: list[str]
    effect: str = "Allow"
    image: str = "either"

    @property
    def sources(self) -> list[str]:
        """The files of src/ that make the calls."""
        return re.findall(r"\]\(\.\./(src/[^)]+)\)", self.reason)


@cache
def rows() -> tuple[Row, ...]:
    """Return the rows of every table."""
    return tuple(_rows())


def _rows() -> Iterator[Row]:
    for who, may, on, only_if, why in PAGE.table("Function", "May"):
        yield Row(who, code(may), code(on), code(only_if), why, [""])
    for who, may, on, only_if, image, why in PAGE.table("Role", "May"):
        yield Row(who, code(may), code(on), code(only_if), why, [""], image=image)
    for who, by, only_if, why in PAGE.table("Role", "Taken by"):
        yield Row(who, ["sts:AssumeRole"], [""], code(only_if), why, code(by))
    for who, effect, by, may, only_if, why in PAGE.table("Queue"):
        yield Row(who, code(may), ["<queue>"], code(only_if), why, code(by), effect)
    for who, effect, by, may, on, only_if, why in PAGE.table("Bucket"):
        yield Row(who, code(may), code(on), code(only_if), why, code(by), effect)
    for who, by, may, on, only_if, why in PAGE.table("Function", "Invoked by"):
        yield Row(who, code(may), code(on), code(only_if), why, code(by))


def listed(stack: Stack, *, own_image: bool) -> set[Grant]:
    """Return every grant that a stack should have."""
    kept = [row for row in rows() if own_image in _WITH_IMAGE[row.image]]
    return {grant for row in kept for grant in _grants(row, stack)}


def holders(row: Row, stack: Stack) -> Iterable[str]:
    """Return the names of those whose grant a row is, without the stack's name."""
    groups = {
        "each function": stack.functions(),
        "each durable function": stack.durable_functions(),
        "each queue": stack.of_type("AWS::SQS::Queue"),
    }
    if row.holders not in groups:
        return code(row.holders)
    names = [r.get("FunctionName") or r["QueueName"] for r in groups[row.holders].values()]
    return [name.removeprefix(f"{stack.name}-") for name in names]


def _grants(row: Row, stack: Stack) -> Iterator[Grant]:
    for short in holders(row, stack):
        buckets = {name: stack.references.ref(name) for name in stack.of_type("AWS::S3::Bucket")}
        # The task's two roles have names of their own, and so has a bucket.
        own = buckets.get(short) or (short if short.endswith("Role") else None)
        holder = own or f"{stack.name}-{short}"
        words = {"stack": stack.name, "account": ACCOUNT, "region": REGION, **buckets}
        words |= {"function": holder, "queue": holder}
        conditions = frozenset(_condition(_filled(text, words)) for text in row.conditions)
        resources = [_filled(resource, words) for resource in row.resources]
        for action, resource, principal in product(row.actions, resources, row.principals):
            arn = _arn(action, resource)
            yield Grant(holder, action, arn, conditions, principal, row.effect)


def _filled(text: str, words: Mapping[str, str]) -> str:
    """Return a text with its words in angle brackets filled in; others are logical ids."""
    return re.sub(r"<(\w+)>", lambda m: words.get(m[1], f"{words['stack']}-{m[1]}"), text)


def _condition(text: str) -> Condition:
    operator, key, *values = text.split()
    if operator.startswith("Arn"):
        values = [_arn(key, value) for value in values]
    return Condition(operator, key, frozenset(values))


def _arn(of: str, resource: str) -> str:
    """Return the ARN of a resource that is one of an action's, or of a condition key's, service."""
    service = of.partition(":")[0]
    if resource in {"", "*"} or resource.startswith("arn:"):
        return resource
    if service == "s3":
        return f"arn:aws:s3:::{resource}"
    region = "" if service == "iam" else REGION
    return f"arn:aws:{service}:{region}:{ACCOUNT}:{resource}"
