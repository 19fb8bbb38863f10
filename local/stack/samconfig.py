"""The stack's settings in samconfig.toml, as `sam deploy` reads them."""

from __future__ import annotations

import shlex
import tomllib
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from local.errors import TemplateError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

PROJECT = Path(__file__).parent.parent.parent
SAMCONFIG = PROJECT / "samconfig.toml"
_COMMANDS = ("global", "deploy")


def stack_name(path: Path) -> str:
    """Return the stack's name.

    Raises:
        TemplateError: the file is not readable, or has no name.
    """
    names = [given.get("stack_name") for given in _parameters(path)]
    name = next((name for name in reversed(names) if name is not None), None)
    if not isinstance(name, str) or not name:
        where = "in [default.global.parameters]"
        raise TemplateError(f'{path.name}: expected stack_name = "a name" {where}, not {name!r}.')
    return name


def region(path: Path) -> str:
    """Return the Region of the deployment; empty if the environment names it.

    Raises:
        TemplateError: the file is not readable.
    """
    named = [given.get("region") for given in _parameters(path)]
    return next((str(name) for name in reversed(named) if name is not None), "")


def overrides(path: Path) -> dict[str, str]:
    """Return the parameters whose values differ from the template's defaults.

    Raises:
        TemplateError: the file is not readable, or has them in an unknown form.
    """
    found = {}
    for parameters in _parameters(path):
        for pair in _pairs(path, parameters.get("parameter_overrides", [])):
            # `sam deploy --guided` writes A="b"; the longer form is CloudFormation's.
            short = pair.removeprefix("ParameterKey=").replace(",ParameterValue=", "=", 1)
            name, _, value = short.partition("=")
            found[name] = value.strip('"')
    return found


def _parameters(path: Path) -> Iterator[Mapping[str, Any]]:
    """Yield the parameters of each command that deploys; later ones win."""
    try:
        default = tomllib.loads(path.read_text()).get("default", {})
        yield from [default.get(command, {}).get("parameters", {}) for command in _COMMANDS]
    except OSError as error:
        raise TemplateError(f"{path.name} cannot be read: {error.strerror}.") from error
    except ValueError as error:
        raise TemplateError(f"{path.name} is not TOML: {error}.") from error
    except AttributeError as error:
        raise TemplateError(
            f"{path.name}: expected tables such as [default.deploy.parameters]."
        ) from error


def _pairs(path: Path, given: object) -> list[str]:
    if isinstance(given, list):
        return [str(pair) for pair in given]
    with suppress(ValueError):
        if isinstance(given, str):
            return shlex.split(given)
    expected = 'expected parameter_overrides = \'A="b" C="d"\''
    raise TemplateError(f"{path.name}: {expected}, not {given!r}.")
