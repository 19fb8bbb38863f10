from __future__ import annotations

import json
import os
import subprocess
from typing import TYPE_CHECKING

import pytest

from local.gateway import Drop, Refuse
from scripts.preflight.__main__ import main
from tests.e2e.tools import tool
from tests.unit.preflight.facts import TOOLS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from local.gateway import Call
    from local.gateway.seams import Fault
    from local.system import System

    Preflight = Callable[[str], tuple[int, list[str]]]

OUTPUTS = ("SyncLambdaFunctionArn", "CallbackLambdaFunctionArn", "LogGroupName")


@pytest.fixture
def preflight(
    system: System, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Preflight:
    """A call of preflight on the local system; it returns the exit code and the printed lines."""
    for name, value in system.variables.items():
        monkeypatch.setenv(name, value)
    # This machine's tools have tests of their own.
    monkeypatch.setattr("scripts.preflight.machine.look", lambda _: TOOLS)

    def run(stack: str) -> tuple[int, list[str]]:
        monkeypatch.setattr("sys.argv", ["preflight", stack])
        code = main()
        return code, capsys.readouterr().out.splitlines()

    return run


@pytest.fixture
def clash(system: System) -> Iterator[str]:
    """A stack name under which a log group, a table and a deleted cluster are left over."""
    logs, dynamodb, ecs = (system.account.client(s) for s in ("logs", "dynamodb", "ecs"))
    logs.create_log_group(logGroupName="/ecs/clash")
    dynamodb.create_table(
        TableName="clash-callbacks",
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
    )
    ecs.create_cluster(clusterName="clash-cluster")
    ecs.delete_cluster(cluster="clash-cluster")
    yield "clash"
    dynamodb.delete_table(TableName="clash-callbacks")


def marked(lines: list[str], mark: str) -> list[str]:
    """The printed lines with a mark."""
    return [line for line in lines if line[0] == mark]


def test_own_stack(system: System, preflight: Preflight) -> None:
    """The local system's own stack would be updated, and nothing of it is a clash."""
    _, lines = preflight(system.stack.name)
    assert "✓ Stack: it is there (CREATE_COMPLETE), so it will be an update" in lines
    # Another test's executions may go on.
    others = [line for line in marked(lines, "✗") if not line.startswith("✗ Open records")]
    assert not [*others, *marked(lines, "?")]
    assert any("Open records" in line for line in lines)


def test_clash_is_named_and_mended(clash: str, system: System, preflight: Preflight) -> None:
    """A log group and a table that are left over are named; the command that is shown mends it."""
    code, lines = preflight(clash)
    assert code == 1
    assert [line.partition(": ")[0] for line in marked(lines, "✗")] == [
        "✗ Names of log groups",
        "✗ Names of tables",
    ]
    [delete] = [line.strip() for line in lines if "delete-log-group" in line]
    assert delete.endswith("/ecs/clash")
    path = f"{tool('aws', 'aws').parent}{os.pathsep}{os.environ['PATH']}"
    subprocess.run(
        ["/bin/sh", "-c", delete], env=os.environ | system.variables | {"PATH": path}, check=True
    )
    _, lines = preflight(clash)
    assert [line.partition(": ")[0] for line in marked(lines, "✗")] == ["✗ Names of tables"]


def test_what_cannot_be_seen(system: System, preflight: Preflight) -> None:
    """A look that is refused, throttled or cut off is reported with its reason, and not as fine."""
    faults: dict[str, Fault] = {
        "logs": Refuse("AccessDeniedException", "not you"),
        "sqs": Refuse(),
        "dynamodb": Drop(),
    }

    def plan(call: Call, _asked: str) -> Fault | None:
        return faults.get(call.service) if call.caller == "user" else None

    system.seams.plan = plan
    code, lines = preflight("unseen")
    system.seams.clear()
    groups, queues, tables = sorted(marked(lines, "?"))
    assert groups.startswith("? Names of log groups: not checked: ")
    assert groups.endswith("It needs logs:DescribeLogGroups")
    assert "did not answer" in tables
    assert "ThrottlingException" in queues
    assert code == 0


@pytest.mark.usefixtures("preflight")
def test_stranger(
    system: System,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A key that AWS does not know ends preflight at once, with what to do."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "STRANGER")
    monkeypatch.setattr("sys.argv", ["preflight", system.stack.name])
    assert main() == 2
    told = capsys.readouterr()
    assert "UnrecognizedClientException" in told.err
    assert "sign in again" in told.err
    assert not told.out


def test_region_without_durable_functions(system: System, preflight: Preflight) -> None:
    """A Region whose Lambda does not know the operation is in the way."""
    operation = "ListDurableExecutionsByFunction"
    unknown = Refuse("UnknownOperationException", "")
    system.seams.inject(unknown, caller="user", operation=operation)
    code, lines = preflight("elsewhere")
    assert code == 1
    assert [line for line in marked(lines, "✗") if line.startswith("✗ Durable functions")]


def test_original_pattern(system: System, preflight: Preflight) -> None:
    """A stack of the original pattern is in the way; its log groups belong to it until then."""
    group = {"Type": "AWS::Logs::LogGroup", "Properties": {"LogGroupName": "/ecs/original"}}
    outputs = {name: {"Value": name} for name in OUTPUTS}
    template = json.dumps({"Resources": {"TaskLogGroup": group}, "Outputs": outputs})
    cloudformation = system.account.client("cloudformation")
    cloudformation.create_stack(StackName="original", TemplateBody=template)
    code, lines = preflight("original")
    cloudformation.delete_stack(StackName="original")
    assert code == 1
    [line] = marked(lines, "✗")
    assert line.startswith("✗ Stack: it is the original pattern's")
    assert "    sam delete --stack-name original" in lines


def test_stack_with_an_output_of_the_same_name(system: System, preflight: Preflight) -> None:
    """A stack of another project is not ours although one of its outputs has the same name."""
    template = {
        "Resources": {"Group": {"Type": "AWS::Logs::LogGroup"}},
        "Outputs": {"FailedExecutionsQueueUrl": {"Value": "url"}},
    }
    cloudformation = system.account.client("cloudformation")
    cloudformation.create_stack(StackName="like", TemplateBody=json.dumps(template))
    code, lines = preflight("like")
    cloudformation.delete_stack(StackName="like")
    assert code == 1
    [line] = marked(lines, "✗")
    assert line.startswith("✗ Stack: it is another project's")


def test_name_of_another_stack(system: System, preflight: Preflight) -> None:
    """A resource of another stack is reported with that stack's name, and not to be deleted."""
    group = {"Type": "AWS::Logs::LogGroup", "Properties": {"LogGroupName": "/ecs/mine"}}
    cloudformation = system.account.client("cloudformation")
    cloudformation.create_stack(
        StackName="theirs", TemplateBody=json.dumps({"Resources": {"Group": group}})
    )
    _, lines = preflight("mine")
    cloudformation.delete_stack(StackName="theirs")
    [line] = marked(lines, "✗")
    assert "/ecs/mine of the stack theirs" in line
    assert not any("delete" in line for line in lines)


def test_region_of_the_cli(
    system: System, preflight: Preflight, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A Region that only the AWS CLI reads is a warning, and the other Region is looked at."""
    monkeypatch.setenv("AWS_REGION", "eu-north-1")
    _, lines = preflight("mine")
    [line] = marked(lines, "!")
    assert line.startswith("! Region: AWS_REGION is eu-north-1")
    assert f"look at {system.stack.region}." in line


def test_refused_name(preflight: Preflight) -> None:
    """A name that CloudFormation refuses is reported, and AWS is asked nothing about it."""
    code, lines = preflight("my_stack")
    assert code == 1
    assert [line[:12] for line in marked(lines, "✗")] == ["✗ Stack name"]
    assert not [line for line in lines if line.startswith("✓ Stack")]
