from __future__ import annotations

import functools
import json
import os
from typing import TYPE_CHECKING, Any, get_args

import pytest

from core.reported import moment
from local.journal import Line
from local.system import System
from tests.e2e.tools import tool
from tests.e2e.user import Flow, User, id_of
from tests.fragments import added, fragments
from tests.integration.local.examples import Example, examples
from tests.template import source

if TYPE_CHECKING:
    from collections.abc import Iterator

FLOWS: tuple[Flow, ...] = get_args(Flow)
EXAMPLES = [*examples("worker.md")]
# Characters that JSON escapes, and others that are not ASCII.
HARD = {"text": 'a "quoted" \\ back\\\\slash\nand\ta tab', "Größe": ["🚀", None, 1.5, "$HOME `id`"]}
STALE = "0" * 32
WORK = """printf '{"input": %s}' "$(cat input.json)" > result.json"""


@pytest.fixture(scope="module")
def template() -> dict[str, Any]:
    """The template with the pages' fragments."""
    return functools.reduce(added, fragments(), source())


@pytest.fixture(scope="module")
def script(template: dict[str, Any]) -> str:
    """The script that docs/worker.md shows."""
    definition = template["Resources"]["ShellDefinition"]["Properties"]
    [container] = definition["ContainerDefinitions"]
    _shell, _option, text = container["Command"]
    return str(text)


@pytest.fixture(scope="module")
def user(template: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Iterator[User]:
    """A user of the local system with the pages' definitions, whose containers find the AWS CLI."""
    folder = tmp_path_factory.mktemp("images")
    path = folder / "template.yaml"
    path.write_text(json.dumps(template))
    (folder / "bin").mkdir()
    (folder / "bin" / "aws").symlink_to(tool("aws", "aws"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PATH", f"{folder / 'bin'}{os.pathsep}{os.environ['PATH']}")
        with System(path, time_scale=100) as running:
            yield User(running)


def start(user: User, flow: Flow, **payload: Any) -> str:
    """Start an execution of the documented script's definition."""
    return user.start(flow, taskDefinition=f"{user.stack}-shell", **payload)


def stored(user: User, uri: str) -> bytes:
    """Return the bytes of an object, by its address."""
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    body: bytes = user.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read()
    return body


def printed(user: User, record: dict[str, Any]) -> str:
    """Return what the container of a record's task has printed."""
    lines = user.system.journal.entries(Line)
    return "\n".join(line.text for line in lines if line.source == record["taskArn"])


def handed_back(value: object) -> str:
    """Return the script's result for an input: the stack's JSON text within its own."""
    return f'{{"input": {json.dumps(value, separators=(",", ":"))}}}'


@pytest.fixture(scope="module")
def started(user: User) -> list[str]:
    """All examples of the page, each as an execution that has been started."""
    return [each.start(user) for each in EXAMPLES]


@pytest.mark.parametrize(
    ("number", "example"),
    [*enumerate(EXAMPLES)],
    ids=[f"{number}-{each.flow}" for number, each in enumerate(EXAMPLES)],
)
def test_example(user: User, started: list[str], number: int, example: Example) -> None:
    """Each payload of docs/worker.md ends as the page says, in each of its flows."""
    record = user.closed(started[number])
    example.check(record)
    if example.payload["taskDefinition"].endswith("-counter"):
        assert not {"result", "resultUri", "progress"} & record.keys()
        if example.flow != "dynamodb" and record["status"] == "COMPLETED":
            result = user.result(started[number])
            assert (result["result"], result["resultUri"]) == (None, None)


@pytest.fixture(scope="module")
def small(user: User) -> dict[Flow, str]:
    """An execution of the script in each flow, with an input that a variable holds."""
    return {flow: start(user, flow, input=HARD) for flow in FLOWS}


@pytest.fixture(scope="module")
def large(user: User) -> dict[Flow, str]:
    """An execution of the script in each flow, with an input that only an object holds."""
    return {flow: start(user, flow, input=[HARD, "x" * 300_000]) for flow in FLOWS}


@pytest.mark.parametrize("flow", ["dynamodb", "eventbridge"])
def test_small_result(user: User, small: dict[Flow, str], flow: Flow) -> None:
    """The documented script hands a small result over as it is, whatever characters are in it."""
    record = user.closed(small[flow])
    assert (record["status"], record["result"]) == ("COMPLETED", handed_back(HARD))
    assert "resultUri" not in record
    if flow == "eventbridge":
        assert user.result(small[flow])["result"] == {"input": HARD}


@pytest.mark.parametrize("flow", ["dynamodb", "eventbridge"])
def test_large_result(user: User, large: dict[Flow, str], flow: Flow) -> None:
    """The documented script leaves a large result in S3, byte for byte, and says where."""
    record = user.closed(large[flow])
    assert record["status"] == "COMPLETED"
    assert "result" not in record
    expected = handed_back([HARD, "x" * 300_000]).encode()
    assert stored(user, record["resultUri"]) == expected
    if flow == "eventbridge":
        result = user.result(large[flow])
        assert (result["result"], result["resultUri"]) == (None, record["resultUri"])


def test_polling(user: User, small: dict[Flow, str], large: dict[Flow, str]) -> None:
    """The documented script does its work in polling too, and writes nothing."""
    for arn in (small["polling"], large["polling"]):
        record = user.closed(arn)
        assert record["status"] == "COMPLETED", record
        assert not {"result", "resultUri", "progress"} & record.keys()
        result = user.result(arn)
        assert (result["result"], result["resultUri"]) == (None, None)


@pytest.mark.parametrize("flow", ["dynamodb", "eventbridge"])
def test_progress(user: User, small: dict[Flow, str], flow: Flow) -> None:
    """The documented script's last word on its progress is in the record."""
    told = user.closed(small[flow])["progress"]
    assert (told["percent"], told["message"]) == (100, "The result is there")
    assert moment(told["at"])


def test_words_and_repetitions(user: User, script: str) -> None:
    """All characters of progress arrive, and none of it ends the work; another result does."""
    words = 'half of "all"\n is $(true) done in C:\\\nGröße 🚀'
    more = 'hand_over\nprogress 08 eighth\nprogress 33.3 third\nprogress 50 "$WORDS"\n'
    more += "echo 1 > result.json\nhand_over\n"
    own, variables = f"{script}\n{more}", {"WORDS": words}
    record = user.closed(
        start(user, "eventbridge", command=["sh", "-c", own], environment=variables)
    )
    told = record["progress"]
    assert (told["percent"], told["message"]) == (50, words.replace("\n", " "))
    assert (record["status"], record["result"]) == ("FAILED", handed_back(None))
    assert "ConditionalCheckFailedException" in printed(user, record)


def replaced(script: str, work: str) -> str:
    """The script with other work in the place of its own."""
    before, own, after = script.partition(WORK)
    assert own
    return f"{before}{work}{after}"


def test_result_in_other_characters(user: User, script: str) -> None:
    """A result whose bytes are few, and whose ASCII is too long for an answer, is left in S3."""
    large = "\U0001f680" * 30_000
    work = "printf '\"%s\"' \"$(printf '\U0001f680%.0s' $(seq 30000))\" > result.json"
    arn = start(user, "eventbridge", command=["sh", "-c", replaced(script, work)])
    record = user.closed(arn)
    assert record["status"] == "COMPLETED", record
    assert stored(user, record["resultUri"]) == f'"{large}"'.encode()


def test_stale_ticket(user: User, script: str) -> None:
    """The documented script with another attempt's ticket writes nothing, and fails."""
    late = f"EXECUTION_TICKET={STALE}\n{script}"
    record = user.closed(start(user, "dynamodb", command=["sh", "-c", late], input=HARD))
    assert (record["status"], record["lastOutcome"]["kind"]) == ("FAILED", "ApplicationFailed")
    assert not {"result", "resultUri", "progress"} & record.keys()
    text = printed(user, record)
    assert "Progress not recorded" in text
    assert "ConditionalCheckFailedException" in text


def test_failing_work(user: User, script: str) -> None:
    """Work that fails within the documented script fails the task, with its own exit code."""
    record = user.closed(
        start(user, "dynamodb", command=["sh", "-c", replaced(script, "sh -c 'exit 7'")])
    )
    assert (record["status"], record["error"]["exitCode"]) == ("FAILED", 7)
    assert record["progress"]["percent"] == 0


def test_files(user: User, started: list[str]) -> None:
    """A file that a container leaves below RESULT_URI is found by the execution's id."""
    [arn] = (
        arn
        for arn, each in zip(started, EXAMPLES, strict=True)
        if each.flow == "eventbridge" and "RESULT_URI" in str(each.payload)
    )
    user.closed(arn)
    bucket, prefix = user.outputs["DataBucketName"], f"results/{id_of(arn)}/"
    [found] = user.client("s3").list_objects_v2(Bucket=bucket, Prefix=prefix)["Contents"]
    assert found["Key"].endswith("/numbers.txt")
    assert stored(user, f"s3://{bucket}/{found['Key']}") == b"1\n2\n3\n"
