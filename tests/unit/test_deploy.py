from __future__ import annotations

import json
import re
import tomllib

import pytest

from core.flow import Flow
from core.network import EXAMPLE, parse
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


def test_company() -> None:
    """The values for a company's account are parameters that the template takes, and tags."""
    [example] = [tomllib.loads(f.text) for f in DEPLOY.fences if f.language == "toml"]
    given = dict(word.split("=", 1) for word in example["parameter_overrides"].split())
    parameters = template.source()["Parameters"]
    for name, value in given.items():
        parameter = parameters[name]
        assert re.fullmatch(parameter.get("AllowedPattern", ".*"), value)
        assert value in map(str, parameter.get("AllowedValues", [value]))
    assert all("=" in tag for tag in example["tags"].split())


def test_longest_stack_name() -> None:
    """The page and the template agree on how long the stack's name may be."""
    [length] = re.findall(r"(\d+) characters", template.source()["Description"])
    [row] = [row for row in DEPLOY.table("Prompt") if row[0] == "Stack Name"]
    assert f"At most {length} characters" in row[2]


def test_network() -> None:
    """The example of a network's parameter is one that launches read and that errors show."""
    [example] = [f.text for f in DEPLOY.fences if f.before == "<!-- network -->"]
    assert example.strip() == EXAMPLE
    assert parse("name", example).public_ip == "ENABLED"


def test_longest_task_by_default() -> None:
    """The page says how long a task may run if nothing is asked for."""
    seconds = parsed({}, Flow.EVENTBRIDGE, EXECUTION_TIMEOUT).timeout_seconds
    longest = f"{seconds // 3_600} h {seconds % 3_600 // 60} min"
    assert f"may run {longest}: three attempts share a day" in DEPLOY.text


def test_work_of_days() -> None:
    """The payload for work that outlasts its tasks fits into the ExecutionTimeout beside it."""
    page = Page(ROOT / "docs" / "operations.md")
    [payload] = [json.loads(fence.text) for fence in page.fences if fence.language == "json"]
    [timeout] = map(int, re.findall(r"with `ExecutionTimeout` at (\d+)", page.text))
    assert parsed(payload, Flow.EVENTBRIDGE, timeout).timeout_seconds == 30 * 86_400
    assert "up to 30 days without a loss, and be retired nine times" in page.text.replace("\n", " ")
    assert payload["maxAttempts"] == MAX_ATTEMPTS


def number(text: str) -> float:
    """The first number of a cell."""
    [found] = re.findall(r"^\$?([\d,.]+)", text)
    return float(found.replace(",", ""))


def price(cell: str) -> float:
    """The price of one unit, or of one byte where gigabytes are billed."""
    [words] = re.findall(r"^\$[\d.]+ (each|a million|a GB)", cell)
    return number(cell) / {"each": 1, "a million": 1e6, "a GB": 1e9}[words]


def units(cell: str) -> float:
    """How many of them, or how many bytes."""
    sizes = [
        size for name, size in (("KB", 1e3), (" GB", 1e9)) if re.search(rf"{name}\b(?!-)", cell)
    ]
    return number(cell) * (sizes[0] if sizes else 1)


def test_costs_of_tasks() -> None:
    """The page's costs of 1,000 tasks are its quantities at its prices, and their sum."""
    *rows, together = DEPLOY.table("For 1,000 tasks of an hour")
    for row in rows:
        for cell in row[2:]:
            quantity, _, cost = cell.partition(": ")
            assert number(cost) == pytest.approx(1_000 * units(quantity) * price(row[1]), abs=5e-4)
    for flow in (2, 3, 4):
        costs = [number(row[flow].partition(": ")[2]) for row in rows]
        assert number(together[flow]) == pytest.approx(sum(costs))


def test_costs_of_short_tasks() -> None:
    """The page's cost of 1,000 tasks of a minute has a sixtieth of what it counts in hours."""
    *rows, _ = DEPLOY.table("For 1,000 tasks of an hour")
    costs = {row[0]: number(row[4].partition(": ")[2]) for row in rows}
    short = sum(cost / 60 if "in hours" in what else cost for what, cost in costs.items())
    assert f"1,000 tasks of a minute cost some ${short:.2f} in the EventBridge flow" in DEPLOY.text


def test_compared_price() -> None:
    """The price of a task beside that of Step Functions is that of operations and invocations."""
    rows = DEPLOY.table("For 1,000 tasks of an hour")
    parts = [r for r in rows if re.match("Durable operations|Invocations|Their time", r[0])]
    total = sum(number(row[4].partition(": ")[2]) for row in parts) / 1_000
    table = Page(ROOT / "docs" / "comparison.md").table("", "Step Functions Standard")
    [price_here] = [row[2] for row in table if row[0] == "Price of one task"]
    assert price_here.startswith(f"${total:.5f}: ")
    invocations = next(row[4] for row in parts if row[0].startswith("Invocations"))
    assert number(invocations) == 4
    assert "four short invocations" in price_here


@pytest.mark.parametrize("table", ["An idle stack", "A flow that is used in every hour"])
def test_costs_of_a_month(table: str) -> None:
    """The page's costs of a month are its quantities at its prices, and their sum."""
    *rows, together = DEPLOY.table(table)
    for _, quantity, unit, cost in rows:
        assert number(cost) == pytest.approx(units(quantity) * price(unit), abs=5e-4)
    assert number(together[3]) == pytest.approx(sum(number(row[3]) for row in rows))


def test_quantities_of_costs() -> None:
    """The page counts operations as that on flows, and runs as the template's schedule."""
    operations = next(r for r in DEPLOY.table("For 1,000 tasks of an hour") if "operations" in r[0])
    page = Page(ROOT / "docs" / "flows.md")
    [cost] = [row for row in page.table("Feature") if row[0] == "Cost"]
    counted = [re.findall(r"(\d+) operations", cell)[0] for cell in cost[1:]]
    assert [cell.partition(":")[0] for cell in operations[2:]] == counted
    schedule = template.source()["Resources"]["ReconcilerFunction"]["Properties"]["Events"][
        "Period"
    ]
    [minutes] = re.findall(r"^rate\((\d+) minutes\)$", schedule["Properties"]["Schedule"])
    runs = DEPLOY.table("An idle stack")[0]
    assert number(runs[1]) == 30 * 24 * 60 / int(minutes)
    assert f"some ${number(DEPLOY.table('An idle stack')[-1][3]):.2f} a month" in DEPLOY.text
