"""The cold start of the task-state function, beside that of the libraries that it needs."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
from dataclasses import dataclass

from local.stack import Stack
from local.stack.stack import PROJECT

_ROUNDS = 9
_REGION = "us-east-1"
# The clients of a function that reads records, answers callbacks and sends segments.
_CLIENTS = """
import boto3
for service in ("dynamodb", "lambda", "logs", "xray"):
    boto3.client(service)
"""
_TRACER = """
from aws_lambda_powertools import Tracer
Tracer(patch_modules=["botocore"])
"""
_OURS = """
from adapters.clients import client
from adapters.traces import BRIEFLY
from ecs_events import task_state
for service in ("dynamodb", "lambda", "logs"):
    client(service)
client("xray", BRIEFLY)
"""


@dataclass(frozen=True, slots=True)
class Imports:
    """CPU seconds of a new process, medians of some rounds.

    Attributes:
        floor: seconds with boto3 and its clients.
        traced: seconds with these and Tracer.
        ours: seconds with the task-state function and the same clients.
    """

    floor: float
    traced: float
    ours: float


def run() -> Imports:
    """Start the arms in turn, so that all meet the same machine."""
    stack = Stack(PROJECT / "template.yaml", "https://sqs", {"WorkerImage": "none"})
    functions = stack.of_type("AWS::Lambda::Function").values()
    given = [function["Environment"]["Variables"] for function in functions]
    told = {name: str(value) for variables in given for name, value in variables.items()}
    environment = {
        **told,
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(PROJECT / "src"),
        "AWS_DEFAULT_REGION": _REGION,
        "AWS_ACCESS_KEY_ID": "none",
        "AWS_SECRET_ACCESS_KEY": "none",
    }
    arms = (_CLIENTS, _CLIENTS + _TRACER, _OURS)
    # The first round writes bytecode and fills the machine's cache.
    rounds = [[_seconds(arm, environment) for arm in arms] for _ in range(_ROUNDS + 1)][1:]
    return Imports(*map(statistics.median, zip(*rounds, strict=True)))


def _seconds(code: str, environment: dict[str, str]) -> float:
    """Return the CPU time of a process that runs some code."""
    before = os.times()
    subprocess.run([sys.executable, "-c", code], env=environment, check=True)  # noqa: S603 - code of ours
    after = os.times()
    user = after.children_user - before.children_user
    return user + after.children_system - before.children_system
