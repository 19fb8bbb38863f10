from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
from typing import TYPE_CHECKING

import psutil

from local.stack.stack import PROJECT
from tests import template
from tests.e2e.tools import tool
from tests.e2e.up import NAME, ask, up
from tests.markdown import Page, first_column
from tests.waiting import PATIENCE, until

if TYPE_CHECKING:
    from pathlib import Path

    from tests.e2e.up import Up


def paste(text: str, folder: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run commands in a shell, where the Python that make would take is of no use."""
    tool("dev", "python")
    flags = f"FOLDER={folder} PYTHON=/no/python"
    return subprocess.run(
        ["bash", "-uc", text],  # noqa: S607 - any bash will do
        cwd=PROJECT,
        env={"PATH": os.environ["PATH"], "MAKEFLAGS": flags, **variables},
        capture_output=True,
        text=True,
        check=False,
    )


def refused_for_its_port(folder: Path) -> subprocess.CompletedProcess[str]:
    """Ask for a port that somebody listens to."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return ask(folder, "--port", str(server.getsockname()[1]))


def test_tells_how_to_use_it(shared: Up) -> None:
    """`make up` prints the exports of `make env`, each function's alias and three commands."""
    exported = "".join(f"export {name}={value}\n" for name, value in shared.variables().items())
    assert exported in shared.printed
    documented = Page(PROJECT / "docs" / "local.md").table("Exported")
    assert list(shared.variables()) == first_column(documented)
    for function in template.stack(NAME).of_type("AWS::Lambda::Function").values():
        assert f"{function['FunctionName']}:live\n" in shared.printed
    assert len(re.findall(r"(?m)^aws ", shared.printed)) == 3


def test_paste(shared: Up) -> None:
    """The line that the page says to paste exports the system's variables to the shell."""
    page = Page(PROJECT / "docs" / "local.md")
    [block] = [fence for fence in page.fences if "eval" in fence.text]
    hosts = "example.com,127.0.0.1,localhost"
    expected = shared.variables() | {"NO_PROXY": hosts, "no_proxy": hosts}
    pasted = paste(f"{block.text}env", shared.folder, NO_PROXY="example.com")
    lines = {f"{name}={value}" for name, value in expected.items()}
    assert lines <= set(pasted.stdout.splitlines()), pasted.stderr


def test_paste_what_it_prints(shared: Up, tmp_path: Path) -> None:
    """The line that `make up` prints to paste reaches the system, wherever its note is."""
    [command] = re.findall(r"eval .*", shared.printed)
    pasted = paste(f"{command}; env", tmp_path)
    exported = f"AWS_ENDPOINT_URL={shared.variables()['AWS_ENDPOINT_URL']}"
    assert exported in pasted.stdout.splitlines(), pasted.stderr


def test_paste_without_a_system(tmp_path: Path) -> None:
    """A shell without a system exports nothing, reads why, and does not go on to AWS."""
    pasted = paste('eval "$(make -s env)" && echo on to AWS', tmp_path)
    assert (pasted.returncode, pasted.stdout) == (1, "")
    assert "nothing is exported" in pasted.stderr


def test_without_an_installation(tmp_path: Path) -> None:
    """No system is up if nothing is installed, and no Python is needed to say so."""
    (tmp_path / "src").mkdir()
    make = ["make", "-s", "-f", str(PROJECT / "Makefile"), "PYTHON=/no/python"]
    # Nothing of a make that runs this test.
    own = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    down, env = (
        subprocess.run(
            [*make, name], cwd=tmp_path, env=own, capture_output=True, text=True, check=False
        )
        for name in ("down", "env")
    )
    assert (down.returncode, down.stderr) == (0, "")
    assert "No local system is up" in down.stdout
    assert env.returncode
    assert env.stdout == "false\n"
    assert "No local system is up, so nothing is exported" in env.stderr


def test_one_at_a_time(shared: Up) -> None:
    """A second system refuses to start while one is up, and the first stays up."""
    second = ask(shared.folder, "--port", "0")
    assert second.returncode == 1
    assert "up already" in second.stderr
    assert shared.process.poll() is None


def test_interrupt(tmp_path: Path) -> None:
    """Ctrl-C ends `make up` with every function and every worker."""
    with up(tmp_path) as running:
        running.start_work()
        processes = running.processes()
        assert running.end(signal.SIGINT) == 0
    assert running.printed.endswith("Stopped.\n")
    assert not [pid for pid in processes if psutil.pid_exists(pid)]


def test_down(tmp_path: Path) -> None:
    """`make down` ends the system, and returns when all its processes are gone."""
    with up(tmp_path) as running:
        running.start_work()
        processes = running.processes()
        down = ask(tmp_path, "--down")
        assert (down.returncode, down.stdout) == (0, "Stopped.\n")
        assert not [pid for pid in processes if psutil.pid_exists(pid)]
        assert running.process.wait(PATIENCE) == 0
        assert ask(tmp_path, "--down").stdout == "No local system is up.\n"


def test_closed_terminal(tmp_path: Path) -> None:
    """A system that is stopped while it starts says so, and ends as soon as it can."""
    with up(tmp_path) as running:
        until((tmp_path / "up.json").exists)
        assert running.end(signal.SIGHUP) == 0
    assert re.search(r"(?m)^Stopping: .*\n^Stopped\.$", running.printed)
    assert ask(tmp_path, "--env").returncode == 1


def test_note_of_a_dead_process(tmp_path: Path) -> None:
    """The note of a killed system is not taken for a running one, and stops no new one."""
    with up(tmp_path) as killed:
        until((tmp_path / "up.json").exists)
        assert killed.end(signal.SIGKILL) == -signal.SIGKILL
    assert ask(tmp_path, "--down").stdout == "No local system is up.\n"
    assert ask(tmp_path, "--env").returncode == 1
    # A second one gets past the note.
    assert "is taken" in refused_for_its_port(tmp_path).stderr


def test_ends_only_what_is_its_own(tmp_path: Path) -> None:
    """A process that was given the id of a dead system is left alone."""
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as other:
        note = {"pid": other.pid, "variables": {"AWS_REGION": "us-east-1"}}
        (tmp_path / "up.json").write_text(json.dumps(note))
        assert ask(tmp_path, "--down").stdout == "No local system is up.\n"
        assert other.poll() is None
        other.communicate(b"\n", timeout=PATIENCE)
        assert other.returncode == 0


def test_port_that_is_taken(tmp_path: Path) -> None:
    """A taken port is named, with another to choose, and nothing is started."""
    refused = refused_for_its_port(tmp_path)
    assert refused.returncode == 1
    assert re.match(r"Port \d+ is taken\. .*PORT=0", refused.stderr)
    assert ask(tmp_path, "--env").returncode == 1


def test_refusals_are_printed(tmp_path: Path) -> None:
    """A call that a role of the template does not allow is printed: role, action, resource."""
    copied = tmp_path / "template.yaml"
    copied.write_text(json.dumps(template.without("SyncRole", "lambda:CheckpointDurableExecution")))
    with up(tmp_path, "--template", str(copied)) as own:
        name = f"{NAME}-sync-function"
        arn = own.user().start("polling")
        refused = (
            f"AccessDenied: User: arn:aws:sts::123456789012:assumed-role/{NAME}-SyncRole/{name}"
        )
        action = f"perform: lambda:CheckpointDurableExecution on resource: {arn} because"
        until(lambda: refused in own.printed and action in own.printed)


def test_make_hands_its_variables_on() -> None:
    """PORT and the like are those of make's command line, not whatever the environment has."""
    environment = {**os.environ, "PORT": "1", "TIME_SCALE": "1", "TEMPLATE": "other"}

    def runs(*arguments: str) -> list[str]:
        """The programs of the project that two targets run."""
        make = ["make", "-n", "up", "demo", *arguments]
        printed = subprocess.check_output(make, text=True, env=environment, cwd=PROJECT)
        return re.findall(r"-m (local\.\S+.*)", " ".join(printed.split()).replace(" .venv", "\n"))

    assert runs("PORT=4600", "TIME_SCALE=10") == [
        "local.up --port '4600' --time-scale '10'",
        "local.demo --time-scale '10'",
    ]
    assert runs("TEMPLATE=copy.yaml") == [
        "local.up --template 'copy.yaml'",
        "local.demo --template 'copy.yaml'",
    ]
    assert runs() == ["local.up", "local.demo"]
