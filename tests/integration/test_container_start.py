"""The default container's entry point, from template.yaml, run against a server of ours."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import os
import signal
import subprocess
import sys
import threading
import zipfile
from dataclasses import dataclass, field
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import pytest

from core.outcome import NOT_FETCHED
from tests import template
from tests.template import ROOT
from tests.waiting import PATIENCE

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

LAYER = "arn:aws:lambda:us-east-1:123456789012:layer:demo-worker:7"
SIGNATURE = "not-for-the-log"
# Tells what it was given, through a module of the package and one of the libraries beside it.
FAKE_WORKER = {
    "__init__.py": "",
    "__main__.py": "import library\nfrom worker.tell import tell\ntell(library.NAME)\n",
    "tell.py": (
        "import json, os\n"
        "def tell(name):\n"
        "    print(json.dumps([os.getpid(), os.environ['MESSAGE'], name]))\n"
    ),
    "library.py": "NAME = 'library'\n",
}


def layer(files: Mapping[str, str]) -> bytes:
    """Return a layer's archive as `sam deploy` uploads it: everything under python/."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as writer:
        for name, text in files.items():
            member = zipfile.ZipInfo(f"python/{name}")
            member.external_attr = (0o100755 if name.endswith(".sh") else 0o100644) << 16
            writer.writestr(member, text)
    return archive.getvalue()


def digest(archive: bytes) -> str:
    """Return an archive's SHA-256 as Lambda tells it."""
    return base64.b64encode(hashlib.sha256(archive).digest()).decode()


@dataclass
class Aws:
    """Lambda's GetLayerVersionByArn, and S3 with the layer's archive.

    Attributes:
        url: where it answers.
        archive: what a download gives.
        kept: the archive that Lambda knows, if that is another.
        lookup: status of GetLayerVersionByArn.
        throttles: how often it is throttled before.
        downloads: statuses of the next downloads; 200 when they are used up.
        downloaded: how many downloads were asked for.
        hold: downloads wait for it.
    """

    url: str = ""
    archive: bytes = field(default_factory=lambda: layer(FAKE_WORKER))
    kept: bytes | None = None
    lookup: HTTPStatus = HTTPStatus.OK
    throttles: int = 0
    downloads: list[HTTPStatus] = field(default_factory=list)
    downloaded: int = 0
    asked: threading.Event = field(default_factory=threading.Event)
    hold: threading.Event = field(default_factory=threading.Event)

    def answer(self, path: str) -> tuple[HTTPStatus, bytes]:
        """Answer a GET."""
        if path.startswith("/2018-10-31/layers?"):
            asked_for = parse_qs(urlsplit(path).query)["Arn"]
            assert asked_for == [LAYER]
            if self.throttles:
                self.throttles -= 1
                return HTTPStatus.TOO_MANY_REQUESTS, b"{}"
            location = f"{self.url}/archive?X-Amz-Signature={SIGNATURE}"
            content = {"Location": location, "CodeSha256": digest(self.kept or self.archive)}
            answer = {"Content": content, "Message": "not authorized to read"}
            return self.lookup, json.dumps(answer).encode()
        self.downloaded += 1
        self.asked.set()
        self.hold.wait()
        status = self.downloads.pop(0) if self.downloads else HTTPStatus.OK
        return status, self.archive if status is HTTPStatus.OK else b""


@pytest.fixture
def aws() -> Iterator[Aws]:
    """A server on this machine in the place of Lambda and S3."""
    account = Aws()
    account.hold.set()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, body = account.answer(self.path)
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Keep the test's output to the test's own."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        account.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        yield account
        account.hold.set()
        server.shutdown()
        thread.join()


def start(aws: Aws, folder: Path, *command: str, **variables: str) -> subprocess.Popen[str]:
    """Start the container as Fargate would, with this test's Python; by default its own command.

    It is the text of src/worker/fetch.py: tests/unit/test_template_tasks.py compares the two. Its
    waits between two tries take no time here.
    """
    [definition] = template.stack().of_type("AWS::ECS::TaskDefinition").values()
    [container] = definition["ContainerDefinitions"]
    environment = {
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ENDPOINT_URL": aws.url,
        "EXECUTION_ID": "execution-1",
        "MESSAGE": "hi",
        "PATH": os.environ["PATH"],
        "TMPDIR": str(folder),
        "WORKER_CODE_ARN": LAYER,
    }
    [_, option, program] = container["EntryPoint"]
    follows = command or container["Command"]
    return subprocess.Popen(
        [sys.executable, option, f"import time; time.sleep = lambda _: None\n{program}", *follows],
        env=environment | variables,
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def ended(process: subprocess.Popen[str]) -> tuple[int, str]:
    """Wait for the end; return exit code and log."""
    log, _ = process.communicate(timeout=PATIENCE)
    return process.returncode, log


def complaint(log: str) -> dict[str, Any]:
    """The only line of a container that could not fetch its code."""
    [line] = log.splitlines()
    return dict(json.loads(line))


def test_worker_takes_over(aws: Aws, tmp_path: Path) -> None:
    """The fetched worker runs in the container's first process, with its environment."""
    process = start(aws, tmp_path)
    exit_code, log = ended(process)
    assert (exit_code, json.loads(log)) == (0, [process.pid, "hi", "library"])


def test_exit_code(aws: Aws, tmp_path: Path) -> None:
    """The worker's exit code is the container's."""
    aws.archive = layer({"__init__.py": "", "__main__.py": "raise SystemExit(3)"})
    assert ended(start(aws, tmp_path)) == (3, "")


def test_module_of_ones_own(aws: Aws, tmp_path: Path) -> None:
    """A command runs a module that lies beside the worker's, with its arguments."""
    told = "import sys, library, worker.tell; print(sys.argv[1:], library.NAME)"
    aws.archive = layer(FAKE_WORKER | {"etl.py": told})
    process = start(aws, tmp_path, "python", "-m", "etl", "--day", "2026-01-05")
    assert ended(process) == (0, "['--day', '2026-01-05'] library\n")


def test_script_of_ones_own(aws: Aws, tmp_path: Path) -> None:
    """An executable script of the layer can run in the container, and no other file can."""
    aws.archive = layer(FAKE_WORKER | {"etl.sh": "#!/bin/sh\nexit 7\n", "data": "x"})
    assert ended(start(aws, tmp_path, "./etl.sh")) == (7, "")
    exit_code, log = ended(start(aws, tmp_path, "./data"))
    assert (exit_code, "Permission denied" in log) == (126, True)


def test_python_path_of_ones_own(aws: Aws, tmp_path: Path) -> None:
    """A caller's PYTHONPATH comes after the code's own folders, and hides none of them."""
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "own.py").write_text("NAME = 'own'")
    (tmp_path / "mine" / "library.py").write_text("raise SystemExit(9)")
    told = "import own, library; print(own.NAME, library.NAME)"
    aws.archive = layer(FAKE_WORKER | {"etl.py": told})
    process = start(aws, tmp_path, "python", "-m", "etl", PYTHONPATH=str(tmp_path / "mine"))
    assert ended(process) == (0, "own library\n")


def test_command_in_the_code(aws: Aws, tmp_path: Path) -> None:
    """Any command runs in the folder of the code, in the first process, and has its own end."""
    process = start(aws, tmp_path, "sh", "-c", "ls; echo $$; exit 3")
    exit_code, log = ended(process)
    assert (exit_code, log.split()) == (3, [*sorted(FAKE_WORKER), str(process.pid)])


def test_sigterm_reaches_the_command(aws: Aws, tmp_path: Path) -> None:
    """SIGTERM reaches the command, which ends as it likes."""
    script = "trap 'exit 7' TERM; echo ready; while :; do sleep 0.1; done"
    process = start(aws, tmp_path, "sh", "-c", script)
    assert process.stdout
    assert process.stdout.readline() == "ready\n"
    process.terminate()
    assert ended(process)[0] == 7


@pytest.mark.parametrize(
    ("command", "expected", "why"),
    [
        ("no-such-command", 127, "No such file or directory"),
        ("./none.sh", 127, "No such file or directory"),
        ("./library.py", 126, "Permission denied"),
    ],
)
def test_command_that_cannot_run(
    aws: Aws, tmp_path: Path, command: str, expected: int, why: str
) -> None:
    """A command that is not there, or cannot run, is named in one line; the code is a shell's."""
    exit_code, log = ended(start(aws, tmp_path, command, "--option"))
    assert (exit_code, complaint(log)["message"]) == (
        expected,
        f"Command not run: {command}: {why}",
    )


def test_passing_fault(aws: Aws, tmp_path: Path) -> None:
    """A download that S3 could not serve is tried again."""
    aws.downloads = [HTTPStatus.SERVICE_UNAVAILABLE]
    assert ended(start(aws, tmp_path))[0] == 0
    assert aws.downloaded == 2


def test_throttled_lookup(aws: Aws, tmp_path: Path) -> None:
    """Many containers that start at once ask for their code again until they have it."""
    aws.throttles = 2
    assert ended(start(aws, tmp_path))[0] == 0
    assert aws.throttles == 0


def test_lasting_fault(aws: Aws, tmp_path: Path) -> None:
    """A download that never succeeds is given up, and its signed address stays out of the log."""
    aws.downloads = [HTTPStatus.SERVICE_UNAVAILABLE] * 9
    exit_code, log = ended(start(aws, tmp_path))
    assert (exit_code, aws.downloaded) == (NOT_FETCHED, 5)
    assert "503" in complaint(log)["message"]
    assert SIGNATURE not in log


def test_refused_download(aws: Aws, tmp_path: Path) -> None:
    """A refused download ends the container with one line that says why, for which execution."""
    aws.downloads = [HTTPStatus.FORBIDDEN]
    exit_code, log = ended(start(aws, tmp_path))
    assert exit_code == NOT_FETCHED
    assert complaint(log) == {
        "level": "ERROR",
        "message": "Worker code not fetched: OSError: the download was answered with HTTP 403",
        "service": "worker",
        "correlation_id": "execution-1",
    }


def test_refused_lookup(aws: Aws, tmp_path: Path) -> None:
    """A layer that may not be read, or is gone, ends the container with what Lambda said."""
    aws.lookup = HTTPStatus.FORBIDDEN
    exit_code, log = ended(start(aws, tmp_path))
    assert exit_code == NOT_FETCHED
    assert "not authorized to read" in complaint(log)["message"]


def test_damaged_archive(aws: Aws, tmp_path: Path) -> None:
    """An archive that cannot be read ends the container with one line."""
    aws.archive = aws.archive[:100]
    exit_code, log = ended(start(aws, tmp_path))
    assert exit_code == NOT_FETCHED
    assert "BadZipFile" in complaint(log)["message"]


@pytest.mark.parametrize("damaged", [True, False])
def test_other_archive(aws: Aws, tmp_path: Path, damaged: bool) -> None:
    """Code that is not, byte by byte, the layer that Lambda keeps is not run; the log says why."""
    kept = aws.archive
    aws.kept, aws.archive = kept, kept[:-1] if damaged else layer({"__main__.py": "print('ours')"})
    exit_code, log = ended(start(aws, tmp_path))
    assert exit_code == NOT_FETCHED
    assert complaint(log)["message"] == (
        "Worker code not fetched: OSError: "
        f"the archive's SHA-256 is {digest(aws.archive)}, Lambda says {digest(kept)}"
    )


def test_stopped_while_fetching(aws: Aws, tmp_path: Path) -> None:
    """A task that is stopped before its worker runs ends at once."""
    aws.hold.clear()
    process = start(aws, tmp_path)
    assert aws.asked.wait(timeout=PATIENCE)
    process.terminate()
    assert ended(process) == (-signal.SIGTERM, "")


def test_own_worker(aws: Aws, tmp_path: Path) -> None:
    """This project's worker runs from a layer: it needs nothing but its folder and libraries."""
    folder = ROOT / "src" / "worker"
    aws.archive = layer({path.name: path.read_text() for path in folder.glob("*.py")})
    variables = {"EXECUTION_FLOW": "polling", "EXECUTION_ATTEMPT": "1", "PROCESSING_TIME": "0"}
    exit_code, log = ended(start(aws, tmp_path, **variables))
    assert exit_code == 0, log
    assert {json.loads(line)["correlation_id"] for line in log.splitlines()} == {"execution-1"}


def test_worker_hides_nothing() -> None:
    """No module of the worker is named like one of Python's, which it would hide in the layer."""
    names = {path.stem for path in (ROOT / "src" / "worker").glob("*.py")}
    assert not names & sys.stdlib_module_names
