"""The programs of a task's containers: of its definition, and of the request for it."""

from __future__ import annotations

from typing import Any

import pytest

from local.ecs.program import check_main, main_name, programs
from local.errors import ApiError

MAIN = {
    "Name": "worker",
    "Image": "worker",
    "EntryPoint": ["tini", "--"],
    "Command": ["python", "-m", "worker"],
    "StopTimeout": 5,
    "Environment": [{"Name": "A", "Value": 1}, {"Name": "B", "Value": "of the definition"}],
}
BESIDE = {"Name": "proxy", "Image": "proxy", "Command": ["serve"], "Essential": False}
BARE = {"Name": "bare", "Image": "bare"}
DEFINITION = {"Family": "demo-etl", "ContainerDefinitions": [MAIN, BESIDE, BARE]}


def overrides(**told: Any) -> dict[str, Any]:
    """Return overrides of one container."""
    return {"containerOverrides": [told]}


def test_definitions_own() -> None:
    """A request that says nothing lets each container run as its definition says."""
    main, beside, bare = programs(DEFINITION, {}, "worker")
    assert main.words == ("tini", "--", "python", "-m", "worker")
    assert dict(main.environment) == {"A": "1", "B": "of the definition"}
    assert (main.is_worker, main.is_essential, main.grace, main.can_run) == (True, True, 5, True)
    assert (beside.is_worker, beside.is_essential, beside.grace) == (False, False, 30)
    assert (beside.words, bare.words, bare.can_run) == (("serve",), (), False)


def test_request() -> None:
    """A request's command and variables reach the container that it names, and no other."""
    told = overrides(
        name="proxy", command=["listen"], environment=[{"name": "B", "value": "of the request"}]
    )
    main, beside, _ = programs(DEFINITION, told, "worker")
    assert (beside.words, dict(beside.environment)) == (("listen",), {"B": "of the request"})
    assert main.command == ("python", "-m", "worker")
    assert main.environment["B"] == "of the definition"


@pytest.mark.parametrize(
    ("told", "name"),
    [({}, "worker"), (overrides(name="proxy"), "proxy"), ({"cpu": "256"}, "worker")],
)
def test_main(told: dict[str, Any], name: str) -> None:
    """The main container is the one that a request names, or else the definition's first."""
    assert main_name(DEFINITION, told) == name


def test_main_that_cannot_run() -> None:
    """A main container without image and command is refused by its name; one beside it is not."""
    check_main(DEFINITION, {}, "worker")
    check_main(DEFINITION, overrides(name="bare", command=["true"]), "worker")
    with pytest.raises(ApiError, match="The container bare of demo-etl cannot run here"):
        check_main(DEFINITION, overrides(name="bare"), "worker")
