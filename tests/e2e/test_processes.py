from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import psutil

from local.demo.cases import ROWS, Harm
from local.stack.stack import PROJECT
from local.system import System
from tests.e2e.user import User
from tests.template import without

if TYPE_CHECKING:
    from pathlib import Path


def test_nothing_is_left_running() -> None:
    """The stop of the system ends running functions and workers, and no other one starts."""
    with System(time_scale=100) as system:
        user = User(system)
        started = [user.start(flow, processingTime=300) for flow in ("polling", "eventbridge")]
        pids = [user.worker(arn) for arn in started]
        pids += [pid for function in system.functions.values() for pid in function.pids()]
        assert len(pids) >= 4
        assert all(map(psutil.pid_exists, pids))
    assert not [pid for pid in pids if psutil.pid_exists(pid)]


def test_killed_function_is_invoked_again(user: User) -> None:
    """Functions whose processes die between two invocations go on where they were."""
    arn = user.start("eventbridge", processingTime=4)
    user.worker(arn)
    for function in user.system.functions.values():
        for pid in function.pids():
            os.kill(pid, signal.SIGKILL)
    assert user.result(arn)["outcome"] == "Succeeded"


def test_demo_without_a_grant(tmp_path: Path) -> None:
    """A demo of a template that lacks a grant fails, and names role, action and resource."""
    copied = tmp_path / "template.yaml"
    copied.write_text(json.dumps(without("WorkerPolicy", "dynamodb:UpdateItem")))
    demo = _demo("--template", str(copied))
    assert demo.returncode == 1
    assert "AccessDenied: User: arn:aws:sts::123456789012:assumed-role/" in demo.stdout
    assert re.search(
        r"-TaskRole/\w+ is not authorized to perform: dynamodb:UpdateItem on resource: "
        r"arn:aws:dynamodb:\S+:table/\S+-callbacks because",
        demo.stdout,
    )
    assert demo.stderr == ""


def _demo(*options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "local.demo", "--time-scale", "20", *options],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=False,
    )


def test_interrupted_demo() -> None:
    """Ctrl-C ends the demo, which says so and no more, even while it still starts."""
    demo = [sys.executable, "-m", "local.demo"]
    with subprocess.Popen(
        demo, cwd=PROJECT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout
        assert process.stdout.readline()
        process.send_signal(signal.SIGINT)
        # Somebody is impatient.
        process.send_signal(signal.SIGTERM)
        rest, told = process.communicate()
    assert (rest, told) == ("", "Interrupted.\n")
    # Python has no handler any more when it finishes: the second signal may then end it.
    by_hand = {128 + signal.SIGINT, 128 + signal.SIGTERM}
    assert process.returncode in {*by_hand, -signal.SIGTERM}


def test_load() -> None:
    """Many executions at once all end rightly, one task each; throughput and memory are told."""
    load = _demo("--load", "8")
    assert load.returncode == 0, load.stdout + load.stderr
    assert "8 of 8 executions succeeded, 8 tasks of 8 started" in load.stdout
    assert re.search(r"[\d.]+ executions a second, \d+ s in all, \d+ MiB at most", load.stdout)


def test_demo() -> None:
    """The demo ends well, each row as expected, with each worker's pid and its own lines."""
    demo = _demo()
    assert demo.returncode == 0, demo.stdout + demo.stderr
    assert demo.stdout.count("✓") == len(ROWS)
    workers = re.findall(r"worker (\d+) INFO Work started", demo.stdout)
    assert len(set(workers)) == sum(len(case.capacities) for _, case in ROWS)
    killed = re.findall(r"SIGKILL to (\d+)", demo.stdout)
    assert len(killed) == len([case for _, case in ROWS if case.harm is Harm.SIGKILL])
    assert set(killed) <= set(workers)
    interrupted = re.findall(r"Spot interruption of the task of worker (\d+)", demo.stdout)
    assert len(interrupted) == 1
    assert set(interrupted) <= set(workers) - set(killed)
    assert demo.stderr == ""
