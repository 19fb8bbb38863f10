"""What samconfig.toml says of the stack, as `sam deploy` reads it."""

from __future__ import annotations

import shlex
import tomllib
from pathlib import Path

PROJECT = Path(__file__).parent.parent.parent
SAMCONFIG = PROJECT / "samconfig.toml"
_COMMANDS = ("global", "deploy")


def stack_name(path: Path) -> str:
    """Return the name that the stack is deployed under."""
    return str(tomllib.loads(path.read_text())["default"]["global"]["parameters"]["stack_name"])


def overrides(path: Path) -> dict[str, str]:
    """Return the parameters that are deployed with other values than the template's defaults."""
    commands = tomllib.loads(path.read_text())["default"]
    found = {}
    for command in _COMMANDS:
        given = commands.get(command, {}).get("parameters", {}).get("parameter_overrides", [])
        for pair in shlex.split(given) if isinstance(given, str) else given:
            # `sam deploy --guided` writes A="b"; the longer form is CloudFormation's own.
            short = pair.removeprefix("ParameterKey=").replace(",ParameterValue=", "=", 1)
            name, _, value = short.partition("=")
            found[name] = value.strip('"')
    return found
