"""The command `aws` of documented commands: the AWS CLI, or boto3 for what no version has.

Version 2, if PATH has one, runs what it knows; version 1, which package indexes have, the rest.
Each command is written to a transcript.
"""

from __future__ import annotations

import json
import os
import pty
import re
import shlex
import subprocess
import sys
import time
from pathlib import Path

import boto3

_SECONDS_BETWEEN_LOOKS = 0.5
_EXECUTION = re.compile(r'"DurableExecutionArn": "[^"]+/([^"/]+)"')


def main() -> int:
    """Run the command line's command and write it down; return its exit code."""
    arguments = sys.argv[1:]
    if arguments[:2] == ["logs", "tail"]:
        code, printed = 0, _followed(arguments)
    else:
        code, printed = _run(arguments)
    sys.stdout.write(printed)
    with _transcript().open("a") as transcript:
        transcript.write(json.dumps({"arguments": arguments, "printed": printed}) + "\n")
    return code


def _run(arguments: list[str]) -> tuple[int, str]:
    done = subprocess.run(_program(arguments), stdout=subprocess.PIPE, text=True, check=False)
    return done.returncode, done.stdout


def _program(arguments: list[str]) -> list[str]:
    """Return version 2 for what it knows, else version 1 with what that knows."""
    version_2 = shlex.split(os.environ["AWS_2"])
    if version_2 and (arguments[0] != "lambda" or os.environ["AWS_2_KNOWS_EXECUTIONS"]):
        return [*version_2, *arguments]
    known = list(arguments)
    if "--cli-binary-format" in known:
        # Version 1 always reads payloads as they are written, and has no option that says so.
        at = known.index("--cli-binary-format")
        del known[at : at + 2]
    if arguments[0] == "sqs":
        # There, version 1 lets an old host name win over AWS_ENDPOINT_URL.
        known += ["--endpoint-url", os.environ["AWS_ENDPOINT_URL"]]
    return [os.environ["AWS_1"], *known]


def _followed(arguments: list[str]) -> str:
    """Follow a log as a reader does: Ctrl-C once it tells the end of what she has started."""
    ran = [json.loads(line)["printed"] for line in _transcript().read_text().splitlines()]
    [execution_id] = _EXECUTION.findall("".join(ran))

    def is_last(line: str) -> bool:
        return execution_id in line and re.search(os.environ["UNTIL"], line) is not None

    if not os.environ["AWS_2"]:
        while not any(map(is_last, lines := _lines(arguments[2]))):
            # The API has no way to wait for lines: `logs tail --follow` asks again and again, too.
            time.sleep(_SECONDS_BETWEEN_LOOKS)
        return "".join(lines)
    told = []
    # To a pipe it would write when it has enough, to a terminal line by line.
    terminal, output = pty.openpty()
    with subprocess.Popen(_program(arguments), stdout=output) as tail, os.fdopen(terminal) as shown:
        os.close(output)
        for line in shown:
            told.append(line)
            if is_last(line):
                break
        # Not SIGINT: what runs in the background may ignore that.
        tail.terminate()
    return "".join(told)


def _lines(group: str) -> list[str]:
    """Return a log group's lines as `logs tail` shows them: version 1 has no such command."""
    pages = boto3.client("logs").get_paginator("filter_log_events").paginate(logGroupName=group)
    events = (event for page in pages for event in page["events"])
    return [f"{e['timestamp']} {e['logStreamName']} {e['message']}\n" for e in events]


def _transcript() -> Path:
    return Path(os.environ["TRANSCRIPT"])


if __name__ == "__main__":
    sys.exit(main())
