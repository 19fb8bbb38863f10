from __future__ import annotations

import functools
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

import boto3
import pytest
from botocore.exceptions import ClientError

from local.journal import Line
from local.stack.stack import PROJECT
from local.system import System
from tests.e2e.user import Flow, User
from tests.fragments import added, fragments
from tests.integration.local.fargate import ENDED_BY_SIGNAL, request
from tests.template import source

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ROLE, DEFINITION = "AWS::IAM::Role", "AWS::ECS::TaskDefinition"
# Says when it has begun, goes on, and tells of the signal that ends it.
STAYS = "trap 'echo told to stop; exit 5' TERM; echo begun; while :; do sleep 0.05; done"
# Ends itself by no signal but SIGKILL.
DEAF = "trap '' TERM; echo begun; while :; do sleep 0.05; done"


def container(name: str, command: str | None, **more: Any) -> dict[str, Any]:
    """A container that runs a line of shell; None for one that has an image alone."""
    own = {} if command is None else {"Command": ["sh", "-c", command]}
    options = {
        "awslogs-group": {"Ref": "TaskLogGroup"},
        "awslogs-region": {"Ref": "AWS::Region"},
        "awslogs-stream-prefix": "worker",
    }
    log = {"LogDriver": "awslogs", "Options": options}
    return {"Name": name, "Image": "an/image", "LogConfiguration": log, **own, **more}


# Families by the names that follow the stack's, each with its containers.
FAMILIES: dict[str, list[dict[str, Any]]] = {
    "pair": [
        container("side", STAYS, Environment=[{"Name": "WHO", "Value": "side"}]),
        container("main", "pwd; echo $WHO; ls -A; sleep 0.2; exit 3"),
    ],
    "brief": [
        container("main", STAYS),
        container("side", "echo brief; exit 4", Essential=False),
    ],
    "ended": [container("main", STAYS), container("side", "sleep 0.3; exit 4")],
    "deaf": [container("main", "sleep 0.3; exit 0"), container("side", DEAF, StopTimeout=2)],
    "bare": [container("main", None), container("side", STAYS)],
    "absent": [
        container("main", None, Command=["no-such-program", "x"]),
        container("side", STAYS),
    ],
    "entry": [
        {**container("main", None), "EntryPoint": ["sh", "-c"], "Command": ["echo definition"]}
    ],
}


def definition(family: Any, containers: list[dict[str, Any]], role: str) -> dict[str, Any]:
    """A task definition whose tasks have a role."""
    properties = {
        "Family": family,
        "RequiresCompatibilities": ["FARGATE"],
        "NetworkMode": "awsvpc",
        "Cpu": "256",
        "Memory": "512",
        "TaskRoleArn": {"Fn::GetAtt": [role, "Arn"]},
        "ExecutionRoleArn": {"Fn::GetAtt": ["TaskExecutionRole", "Arn"]},
        "ContainerDefinitions": containers,
    }
    return {"Type": DEFINITION, "Properties": properties}


def written() -> dict[str, Any]:
    """The template with the pages' fragments, and definitions of this module's own."""
    template = functools.reduce(added, fragments(), source())
    resources = template["Resources"]
    for name, containers in FAMILIES.items():
        family = {"Fn::Sub": f"${{AWS::StackName}}-{name}"}
        resources[f"{name.title()}Definition"] = definition(family, containers, "CounterRole")
    # Somebody else's family, and a family of the stack whose role lies elsewhere.
    trust = resources["CounterRole"]["Properties"]["AssumeRolePolicyDocument"]
    resources["StrangeRole"] = {
        "Type": ROLE,
        "Properties": {"Path": "/elsewhere/", "AssumeRolePolicyDocument": trust},
    }
    work = [container("main", "exit 0")]
    resources["OtherDefinition"] = definition("others-work", work, "CounterRole")
    lent = {"Fn::Sub": "${AWS::StackName}-lent"}
    resources["LentDefinition"] = definition(lent, work, "StrangeRole")
    return template


@pytest.fixture(scope="module")
def user(tmp_path_factory: pytest.TempPathFactory) -> Iterator[User]:
    """A user of the local system with several definitions."""
    path = tmp_path_factory.mktemp("definitions") / "template.yaml"
    path.write_text(json.dumps(written()))
    with System(path, time_scale=100) as running:
        yield User(running)


def asked(user: User, name: str, main: str = "main", **own: Any) -> dict[str, Any]:
    """RunTask's parameters for a family and its main container."""
    overrides = {"containerOverrides": [{"name": main, **own}]}
    return request(user, taskDefinition=f"{user.stack}-{name}", overrides=overrides)


def run(user: User, name: str, main: str = "main", **own: Any) -> str:
    """Start a task of a family, and return its ARN."""
    answer = user.ecs.run_task(**asked(user, name, main, **own))
    assert answer["failures"] == []
    return str(answer["tasks"][0]["taskArn"])


def lines(user: User, arn: str, name: str) -> list[str]:
    """Return what a container has logged into its stream, as far as it has come there."""
    stream = f"worker/{name}/{arn.rpartition('/')[2]}"
    group = f"/ecs/{user.stack}"
    logs = user.client("logs")
    try:
        events = logs.get_log_events(logGroupName=group, logStreamName=stream)["events"]
    except logs.exceptions.ResourceNotFoundException:
        return []
    return [event["message"] for event in events]


def containers(user: User, arn: str) -> dict[str, Any]:
    """Wait for a task's end, and return its containers' exit codes by name."""
    task = user.task(arn, "STOPPED")
    return {each["name"]: each.get("exitCode") for each in task["containers"]}


def begun(user: User, arn: str, count: int = 1) -> None:
    """Wait until so many containers of a task have said that they have begun."""

    def said() -> bool:
        told = [line.text for line in user.system.journal.entries(Line) if line.source == arn]
        return told.count("begun") == count

    user.wait(said)


def test_fragment(user: User) -> None:
    """The definition that the page shows runs its command, with what a request adds."""
    arn = run(user, "counter", "counter", environment=[{"name": "COUNT", "value": "2"}])
    assert containers(user, arn) == {"counter": 0}
    user.wait(lambda: lines(user, arn, "counter") == ["1", "2"])
    assert user.task(arn)["group"] == f"family:{user.stack}-counter"


@pytest.mark.parametrize(
    "form", ["{0}", "{0}:1", "arn:aws:ecs:{1}:123456789012:task-definition/{0}:1"]
)
def test_forms_of_a_definition(user: User, form: str) -> None:
    """A definition is named by its family, with a revision, or by its ARN."""
    family = f"{user.stack}-counter"
    named = form.format(family, user.system.stack.region)
    parameters = asked(user, "counter", "counter") | {"taskDefinition": named}
    [task] = user.ecs.run_task(**parameters)["tasks"]
    assert task["taskDefinitionArn"].endswith(f"task-definition/{family}:1")


def test_containers_of_their_own(user: User) -> None:
    """Each container has a folder, variables and a log of its own, and ends with its task."""
    arn = run(user, "pair", environment=[{"name": "WHO", "value": "main"}])
    codes = containers(user, arn)
    assert codes["main"] == 3
    assert codes["side"] in {5, *ENDED_BY_SIGNAL}
    user.wait(lambda: len(lines(user, arn, "main")) == 2)
    folder, who = lines(user, arn, "main")
    assert who == "main"
    assert not Path(folder).is_relative_to(PROJECT)
    assert "begun" in lines(user, arn, "side")
    assert user.task(arn)["stopCode"] == "EssentialContainerExited"


def test_container_that_may_end(user: User) -> None:
    """A container that is not essential ends without its task."""
    arn = run(user, "brief")
    begun(user, arn)
    user.wait(lambda: dict(_codes(user, arn)).get("side") == 4)
    assert user.task(arn)["desiredStatus"] == "RUNNING"
    user.stop(arn)
    assert containers(user, arn)["main"] in {5, *ENDED_BY_SIGNAL}


def _codes(user: User, arn: str) -> list[tuple[str, Any]]:
    return [(each["name"], each.get("exitCode")) for each in user.task(arn)["containers"]]


def test_essential_container_beside(user: User) -> None:
    """An essential container beside the main one ends the task, which stops the main one."""
    arn = run(user, "ended")
    codes = containers(user, arn)
    assert codes["side"] == 4
    assert codes["main"] in {5, *ENDED_BY_SIGNAL}


def test_stop_timeout_of_a_container(user: User) -> None:
    """A container that does not hear SIGTERM is killed after its own StopTimeout."""
    assert containers(user, run(user, "deaf")) == {"main": 0, "side": 137}


def test_main_container_without_a_command(user: User) -> None:
    """A main container with an image alone is refused by name, if no command comes with it."""
    with pytest.raises(ClientError, match=r"main of [a-z-]+-bare cannot run here") as refused:
        run(user, "bare")
    assert refused.value.response["Error"]["Code"] == "InvalidParameterException"
    assert containers(user, run(user, "bare", command=["sh", "-c", "exit 6"]))["main"] == 6


def test_program_that_is_not_there(user: User) -> None:
    """A container whose program is not there fails to start, and with it the task."""
    arn = run(user, "absent")
    task = user.task(arn, "STOPPED")
    assert task["stopCode"] == "TaskFailedToStart"
    [main] = [each for each in task["containers"] if each["name"] == "main"]
    assert main["reason"].startswith("CannotStartContainerError: ")
    assert "no-such-program" in main["reason"]
    assert all("exitCode" not in each for each in task["containers"])


def test_entry_point(user: User) -> None:
    """A request's command takes the place of the definition's, and the entry point stays."""
    tasks = [run(user, "entry"), run(user, "entry", command=["echo request"])]
    assert [containers(user, arn) for arn in tasks] == [{"main": 0}] * 2
    user.wait(lambda: [lines(user, arn, "main") for arn in tasks] == [["definition"], ["request"]])


def test_role_of_its_own(user: User) -> None:
    """A task's credentials are those of its definition's role, by which its calls are decided."""
    script = (
        "import boto3, botocore.exceptions as e, os\n"
        "s3 = boto3.client('s3')\n"
        "s3.put_object(Bucket=os.environ['BUCKET'], Key='results/mine', Body=b'x')\n"
        "try: boto3.client('sqs').list_queues()\n"
        "except e.ClientError as error: print(error.response['Error']['Code'])\n"
    )
    bucket = [{"name": "BUCKET", "value": user.outputs["DataBucketName"]}]
    arn = run(user, "counter", "counter", command=["python3", "-c", script], environment=bucket)
    assert containers(user, arn) == {"counter": 0}
    kept = user.client("s3").get_object(Bucket=user.outputs["DataBucketName"], Key="results/mine")
    assert kept["Body"].read() == b"x"
    user.wait(lambda: lines(user, arn, "counter") == ["UnknownRequestException"])


@pytest.fixture
def orchestrator(user: User) -> Iterator[Callable[[str], Any]]:
    """Return what asks ECS for a task of a family, as the polling flow's function may."""
    caller = user.system.callers.new("mine", "SyncRole")
    ecs = boto3.client(
        "ecs",
        region_name=user.system.stack.region,
        endpoint_url=user.system.endpoint,
        aws_access_key_id=caller.access_key,
        aws_secret_access_key=caller.secret,
    )
    yield lambda family: ecs.run_task(**{**asked(user, "", "main"), "taskDefinition": family})
    del caller


@pytest.mark.parametrize(
    ("family", "action"), [("others-work", "ecs:RunTask"), ("{}-lent", "iam:PassRole")]
)
def test_families_and_roles_of_others(
    user: User, orchestrator: Callable[[str], Any], family: str, action: str
) -> None:
    """A family that is not the stack's, or a role that lies elsewhere, is refused as in AWS."""
    with pytest.raises(ClientError, match=f"not authorized to perform: {action}") as refused:
        orchestrator(family.format(user.stack))
    assert refused.value.response["Error"]["Code"] == "AccessDeniedException"
    assert orchestrator(f"{user.stack}-entry")["tasks"]


@pytest.mark.parametrize("flow", get_args(Flow))
def test_documented_definition_by_payload(user: User, flow: Flow) -> None:
    """A payload runs the documented definition by its names, in each flow."""
    looks: dict[str, Any] = {"pollSeconds": 1} if flow == "polling" else {}
    named = {"taskDefinition": f"{user.stack}-counter", "containerName": "counter"}
    arn = user.start(flow, **named, environment={"COUNT": "2"}, **looks)
    record = user.closed(arn)
    assert (record["status"], record["lastOutcome"]["exitCode"]) == ("COMPLETED", 0)
    user.wait(lambda: lines(user, record["taskArn"], "counter") == ["1", "2"])
