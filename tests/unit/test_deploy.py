from __future__ import annotations

import json
import re
import tomllib

import pytest

from core.flow import Flow
from core.payload import InvalidRequestError
from core.retry import MAX_ATTEMPTS
from tests import template
from tests.markdown import Page, first_column
from tests.template import ROOT
from tests.values import parsed

DEPLOY = Page(ROOT / "docs" / "deploy.md")
EXECUTION_TIMEOUT = template.source()["Parameters"]["ExecutionTimeout"]["Default"]


def test_outputs() -> None:
    """The table of outputs has the template's, in its order."""
    outputs = template.source()["Outputs"]
    assert first_column(DEPLOY.table("Output")) == list(outputs)


def test_parameters() -> None:
    """The table of parameters has the template's, with their defaults and bounds."""
    parameters = template.source()["Parameters"]
    rows = DEPLOY.table("Parameter")
    assert first_column(rows) == list(parameters)
    for (_, default, meaning), parameter in zip(rows, parameters.values(), strict=True):
        assert default.strip("`").replace("empty", "") == str(parameter["Default"])
        for bound in ("MinValue", "MaxValue"):
            assert str(parameter.get(bound, "")) in meaning


def test_prompts() -> None:
    """The guided deployment's prompts are the template's parameters, and Enter is their default."""
    parameters = template.source()["Parameters"]
    prompts = {row[0]: row[1].strip("`") for row in DEPLOY.table("Prompt")}
    asked = [name for name in prompts if name.startswith("Parameter ")]
    assert asked == [f"Parameter {name}" for name in parameters]
    for name, parameter in parameters.items():
        assert prompts[f"Parameter {name}"].replace("empty", "") == str(parameter["Default"])
    config = tomllib.loads((ROOT / "samconfig.toml").read_text())["default"]
    assert prompts["Stack Name"] == config["global"]["parameters"]["stack_name"]
    assert prompts["Confirm changes before deploy"] == "N"
    assert config["deploy"]["parameters"]["confirm_changeset"] is False


def test_longest_stack_name() -> None:
    """The page and the template agree on how long the stack's name may be."""
    [length] = re.findall(r"(\d+) characters", template.source()["Description"])
    [row] = [row for row in DEPLOY.table("Prompt") if row[0] == "Stack Name"]
    assert f"At most {length} characters" in row[2]


@pytest.mark.parametrize(("attempts", "longest"), [(3, "7 h 56 min"), (1, "23 h 55 min")])
def test_longest_task_by_default(attempts: int, longest: str) -> None:
    """The page says how long a task may run if nothing is asked for but a number of attempts."""
    seconds = parsed({"maxAttempts": attempts}, Flow.EVENTBRIDGE, EXECUTION_TIMEOUT).timeout_seconds
    assert f"{seconds // 3_600} h {seconds % 3_600 // 60} min" == longest
    assert longest in DEPLOY.text


def test_longer_tasks() -> None:
    """The page's ExecutionTimeout for three attempts of three days is just long enough."""
    [seconds] = re.findall(r"three attempts of three days\s+take ([\d,]+)", DEPLOY.text)
    timeout, days = int(seconds.replace(",", "")), 3 * 86_400
    assert parsed({"timeoutSeconds": days}, Flow.EVENTBRIDGE, timeout).timeout_seconds == days
    with pytest.raises(InvalidRequestError):
        parsed({"timeoutSeconds": days}, Flow.EVENTBRIDGE, timeout - 3)


def test_work_of_days() -> None:
    """The payload for work that outlasts its tasks fits into the ExecutionTimeout beside it."""
    page = Page(ROOT / "docs" / "operations.md")
    [payload] = [json.loads(fence.text) for fence in page.fences if fence.language == "json"]
    [timeout] = map(int, re.findall(r"with `ExecutionTimeout` at (\d+)", page.text))
    assert parsed(payload, Flow.EVENTBRIDGE, timeout).timeout_seconds == 30 * 86_400
    assert "up to 30 days without a loss, and be retired nine times" in page.text.replace("\n", " ")
    assert payload["maxAttempts"] == MAX_ATTEMPTS
