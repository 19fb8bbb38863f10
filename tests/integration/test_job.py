from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from adapters.settings import Settings
from orchestrator import dynamodb, polling
from tests.integration.aws import ENVIRONMENT, JOB, throttled
from tests.values import job

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.integration.aws import Aws
    from tests.integration.conftest import Start


@pytest.mark.parametrize("handler", [dynamodb.handler, polling.handler], ids=["db", "poll"])
def test_launch_that_is_repeated(aws: Aws, durable: Start, handler: Callable[..., Any]) -> None:
    """A launch that is repeated runs the job that its record holds, not what is asked for today."""
    stored = job(family=JOB.family, container=JOB.container, environment={"TEXT": "stored"})
    aws.at("ecs.RunTask", lambda: aws.rewrite("SET #job = :job", job=stored.to_dict()), 1)
    aws.answer_with("ecs.RunTask", *throttled(1))
    aws.script(lambda: aws.exit(0))
    durable(handler, {"message": "asked for"}).result()
    [first, second] = [call["overrides"]["containerOverrides"] for call in aws.calls["RunTask"]]
    assert {"name": "MESSAGE", "value": "asked for"} in first[0]["environment"]
    assert {"name": "TEXT", "value": "stored"} in second[0]["environment"]
    assert "MESSAGE" not in {variable["name"] for variable in second[0]["environment"]}


def test_environment_that_changes(
    aws: Aws, durable: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Later looks are for the container that was started, whatever the function's settings then."""

    def change() -> None:
        monkeypatch.setenv("CONTAINER_NAME", "another")
        monkeypatch.setenv("TASK_FAMILY", "another")
        Settings.load.cache_clear()

    aws.at("ecs.RunTask", change, after=True)
    aws.script(lambda: None, lambda: aws.exit(3))
    _, data = durable(polling.handler, {}).error()
    assert (data["kind"], data["exitCode"]) == ("ApplicationFailed", 3)
    prefix = f"{ENVIRONMENT['TASK_LOG_PREFIX']}/{JOB.container}/"
    assert data["logStream"].startswith(prefix)
