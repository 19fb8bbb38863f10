"""The text that a person reads when the local system is up."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from local.functions import Configuration

_GREETING = """\
{name} is up. To stop it: Ctrl-C here, or `make down{folder}` elsewhere.
{notices}

In the shell that is to use it, paste this, or say: eval "$(make -s env{folder})"

{exports}
Functions:

{functions}
{examples}"""
_EXAMPLES = """
For example:

aws lambda invoke --function-name {function} \\
  --invocation-type Event --cli-binary-format raw-in-base64-out \\
  --payload '{{"message": "Hello", "processingTime": 10}}' response.json
aws logs tail {log_group} --follow
aws lambda list-durable-executions-by-function --function-name {name}
"""


def exports(variables: Mapping[str, str]) -> str:
    """Return the lines with which a shell exports variables."""
    quoted = ((name, shlex.quote(value)) for name, value in variables.items())
    return "".join(f"export {name}={value}\n" for name, value in quoted)


def worker_notice(image: str) -> list[str]:
    """Return the notice about an image that was chosen for the workers, if there is one."""
    return [f"WorkerImage is {image}; here src/worker/ runs in its place."] if image else []


def greeting(
    name: str,
    notices: list[str],
    variables: Mapping[str, str],
    functions: list[Configuration],
    folder: str,
) -> str:
    """Return the text that says how to reach the system, with some commands.

    Args:
        name: the stack's name.
        notices: the differences from a deployment.
        variables: the variables to export.
        functions: all functions of the stack.
        folder: the words that tell make where the note is; empty for the default place.
    """
    durable = [function for function in functions if function.execution_timeout]
    return _GREETING.format(
        name=name,
        notices="\n".join(notices),
        exports=exports(variables),
        functions="\n".join(f"  {qualified(function)}" for function in functions),
        examples=_examples(durable[-1]) if durable else "",
        folder=folder,
    )


def _examples(function: Configuration) -> str:
    group = function.properties["LoggingConfig"]["LogGroup"]
    return _EXAMPLES.format(function=qualified(function), name=function.name, log_group=group)


def qualified(function: Configuration) -> str:
    """Return a function's name, with its alias where it has one."""
    return ":".join([function.name, *list(function.aliases)[:1]])


def pace_notice(scale: float) -> str:
    """Return the notice about the pace of AWS's time."""
    if scale == 1:
        return (
            "Fargate's phases last as long as in AWS; TIME_SCALE=10 makes them ten times as fast."
        )
    return f"Fargate's phases pass {scale:g} times as fast as in AWS."
