from __future__ import annotations

import json
import re
import shlex
from functools import cache
from typing import TYPE_CHECKING, Any

import botocore.session
import pytest
from botocore import xform_name

from core.flow import Flow
from tests import markdown
from tests.fragments import fragments
from tests.markdown import Page
from tests.template import ROOT, stack
from tests.values import parsed

if TYPE_CHECKING:
    from botocore.model import OperationModel, Shape

STACK = "lambda-ecs-durable-demo"
PAGES = markdown.pages()
FLOWS = {
    "SyncLambdaFunction": Flow.POLLING,
    "CallbackLambdaFunction": Flow.DYNAMODB,
    "EventBridgeLambdaFunction": Flow.EVENTBRIDGE,
}
# Commands of AWS CLI version 2 itself, or with an option of its own: no service's model knows them.
CLI_COMMANDS: dict[tuple[str, str], set[str]] = {
    ("logs", "tail"): {"follow"},
    ("ecr", "get-login-password"): set(),
    ("s3", "cp"): set(),
    ("s3", "ls"): {"recursive"},
    ("s3", "rm"): {"recursive"},
    ("sns", "subscribe"): {"topic-arn", "protocol", "notification-endpoint"},
}
CLI_OPTIONS = {"cli-binary-format", "max-items", "no-paginate", "output", "query"}
# The CLI's name of a service, where it is another one.
CLI_SERVICES = {"s3api": "s3"}
# Services and operations that only AWS has; a topic's mails are sent by AWS alone.
AWS_ALONE = {
    "ec2",
    "ecr",
    "s3api",
    "sns",
    "delete-task-definitions",
    "execute-command",
    "describe-alarms",
}
OTHER_COMMANDS: dict[tuple[str, str], set[str]] = {
    ("date", "+%s"): set(),
    ("make", "preflight"): set(),
    ("make", "redrive"): set(),
    ("sam", "build"): set(),
    ("sam", "deploy"): {"guided", "parameter-overrides", "tags"},
    ("sam", "delete"): set(),
    ("sam", "local"): {"event", "env-vars", "format", "result", "error-message"},
    ("sam", "traces"): {"trace-id"},
    ("docker", "login"): {"username", "password-stdin"},
    ("docker", "build"): {"platform", "tag"},
    ("docker", "push"): set(),
    ("git", "revert"): {"no-edit"},
}


def name(page: Page) -> str:
    """A page's name in test reports."""
    return str(page.path.relative_to(ROOT))


each_page = pytest.mark.parametrize("page", PAGES, ids=name)


def aws_commands(page: Page) -> list[list[str]]:
    """All commands of the AWS CLI that a page's blocks show."""
    shown = [fence.commands() for fence in page.fences if not fence.needs_nothing]
    return [command for commands in shown for command in commands if command[0] == "aws"]


def options(command: list[str]) -> dict[str, list[str]]:
    """Values by option, and the words before the first option under the empty name."""
    found: dict[str, list[str]] = {"": []}
    for word in command:
        if word.startswith("--"):
            found[word.removeprefix("--")] = []
        else:
            found[list(found)[-1]].append(word)
    return found


@cache
def operations(service: str) -> dict[str, OperationModel]:
    """A service's operations, by the AWS CLI's names."""
    name = CLI_SERVICES.get(service, service)
    model = botocore.session.get_session().get_service_model(name)
    return {xform_name(o, "-"): model.operation_model(o) for o in model.operation_names}


@cache
def functions() -> dict[str, Flow | None]:
    """The stack's functions: each one's flow, by name, whatever its handler is."""
    made = stack(STACK).of_type("AWS::Lambda::Function")
    return {f["FunctionName"]: FLOWS.get(logical_id) for logical_id, f in made.items()}


@cache
def names() -> set[str]:
    """Every name that the stack gives to something, and its own; also with what pages add."""
    given = {STACK}
    shown = [resource for fragment in fragments() for resource in fragment["Resources"].values()]
    for resource in (*stack(STACK).resources.values(), *shown):
        for key, value in resource.get("Properties", {}).items():
            if key in {
                "Family",
                "FunctionName",
                "TableName",
                "QueueName",
                "ClusterName",
                "AlarmName",
            }:
                name = value["Fn::Sub"] if isinstance(value, dict) else value
                given.add(str(name).replace("${AWS::StackName}", STACK))
    return given


@each_page
def test_links(page: Page) -> None:
    """Every link within the repository leads to a file, and to a heading that it has."""
    for link in page.links:
        if link.startswith("https://"):
            continue
        path, _, anchor = link.partition("#")
        target = (page.path.parent / path).resolve() if path else page.path
        assert target.exists(), link
        if anchor:
            assert anchor in Page(target).anchors, link


@each_page
def test_commands_that_need_nothing(page: Page) -> None:
    """A block that says neither "On AWS" nor "locally" holds make targets that exist."""
    makefile = (ROOT / "Makefile").read_text()
    targets = set(re.findall(r"(?m)^([a-z]+):", makefile))
    variables = set(re.findall(r"(?m)^([A-Z_]+) =", makefile))
    for fence in page.fences:
        if fence.language != "bash" or not fence.needs_nothing:
            continue
        for command in fence.commands():
            program, *arguments = made(command)
            assert program == "make"
            given = {word.partition("=")[0] for word in arguments if "=" in word}
            assert given <= variables
            assert {word for word in arguments if "=" not in word} - {"-s"} <= targets


def made(command: list[str]) -> list[str]:
    """The command that runs: the given one, or the one whose output `eval` takes."""
    return shlex.split(command[1].strip("$()")) if command[0] == "eval" else command


@each_page
def test_make_targets_in_text(page: Page) -> None:
    """Every make target that a text mentions exists."""
    targets = set(re.findall(r"(?m)^([a-z]+):", (ROOT / "Makefile").read_text()))
    mentioned = re.findall(r"`make((?: [a-z]+)+)`", page.prose)
    assert {target for words in mentioned for target in words.split()} <= targets


@each_page
def test_fences_are_labelled(page: Page) -> None:
    """Shell stands in blocks called bash, where these tests see it."""
    for fence in page.fences:
        if fence.language != "bash":
            assert not re.search(r"(?m)^(\$ )?(aws|sam|make|docker|git|pip|python3?) ", fence.text)


@each_page
def test_aws_commands(page: Page) -> None:
    """Each AWS command exists, has what it needs, and options and values that AWS's models know."""
    for command in aws_commands(page):
        _, service, operation, *rest = command
        given = options(rest)
        if (service, operation) in CLI_COMMANDS:
            assert set(given) - {""} <= CLI_COMMANDS[service, operation]
            continue
        shape = operations(service)[operation].input_shape
        members = {xform_name(member, "-"): kind for member, kind in shape.members.items()}
        assert set(given) - {""} <= set(members) | CLI_OPTIONS
        assert {xform_name(member, "-") for member in shape.required_members} <= set(given)
        for option, kind in members.items():
            assert set(given.get(option, [])) <= allowed(kind, given.get(option, []))


def allowed(kind: Shape, otherwise: list[str]) -> set[str]:
    """The values that an enumeration, or a list of one, may have; all given ones if it is none."""
    element = kind.member if kind.type_name == "list" else kind
    return set(getattr(element, "enum", None) or otherwise)


@each_page
def test_aws_commands_in_text(page: Page) -> None:
    """Each AWS command that a text mentions exists, with the options that it mentions."""
    for shown in re.findall(r"`(aws [^`]+)`", page.prose):
        _, service, operation, *rest = shown.split()
        members = operations(service)[operation].input_shape.members
        assert set(options(rest)) - {""} <= {xform_name(member, "-") for member in members}


@each_page
def test_other_commands(page: Page) -> None:
    """Blocks that need AWS or its like use the AWS CLI, SAM and Docker, in known ways."""
    for fence in page.fences:
        for program, *arguments in [] if fence.needs_nothing else fence.commands():
            if program != "aws":
                assert set(options(arguments)) - {""} <= OTHER_COMMANDS[program, arguments[0]]


@each_page
def test_account_only_where_needed(page: Page) -> None:
    """A block that only AWS can serve has a command that the local system does not know."""
    for fence in page.fences:
        if fence.is_for_aws and not fence.is_for_make_up:
            assert [c for c in fence.commands() if c[0] != "aws" or AWS_ALONE & {*c[1:3]}]


@each_page
def test_names(page: Page) -> None:
    """Every name that begins with the stack's is one that the template or a fragment gives."""
    shown = re.findall(rf"{STACK}[a-z-]*", page.text)
    assert {word.rstrip("-") for word in shown} <= names()


@each_page
def test_qualifiers(page: Page) -> None:
    """Each invocation names a function with the alias `live` or $LATEST."""
    aliases = {a["Name"] for a in stack(STACK).of_type("AWS::Lambda::Alias").values()}
    for command in aws_commands(page):
        if command[1:3] == ["lambda", "invoke"]:
            [function] = options(command)["function-name"]
            base, _, qualifier = function.partition(":")
            assert base in functions()
            assert qualifier in aliases | {"$LATEST"}


@each_page
def test_log_groups(page: Page) -> None:
    """Each log that is followed is one that the template makes."""
    groups = {g["LogGroupName"] for g in stack(STACK).of_type("AWS::Logs::LogGroup").values()}
    followed = {c[3] for c in aws_commands(page) if c[1:3] == ["logs", "tail"]}
    assert followed <= groups


@each_page
def test_payloads_of_commands(page: Page) -> None:
    """Each payload on a command line is accepted by the flow that it is sent to."""
    for command in aws_commands(page):
        given = options(command)
        payload, *_ = given.get("payload", ["file://"])  # the file for the answer may follow
        if not payload.startswith("file://"):
            parsed(json.loads(payload), flow_of(given["function-name"][0]))


def flow_of(function: str) -> Flow:
    """The flow of a qualified function's name."""
    flow = functions()[function.partition(":")[0]]
    assert flow, f"{function} is none of the flows"
    return flow


@each_page
def test_outputs_asked_for(page: Page) -> None:
    """Each output that a command asks the stack for exists."""
    assert set(re.findall(r"OutputKey=='(\w+)'", page.text)) <= set(stack(STACK).outputs)


def test_release() -> None:
    """The page on operations says that 1.0.0 is not released for as long as that is so."""
    is_released = "## 1.0.0" in (ROOT / "CHANGELOG.md").read_text()
    text = Page(ROOT / "docs" / "operations.md").text
    assert ("Version 1.0.0 is not released yet" in text) is not is_released


def test_every_flow_is_invoked() -> None:
    """The page on flows shows how each flow is invoked."""
    commands: list[Any] = aws_commands(Page(ROOT / "docs" / "flows.md"))
    invoked = {options(c)["function-name"][0] for c in commands if c[1:3] == ["lambda", "invoke"]}
    assert {flow_of(function) for function in invoked} == set(Flow)
