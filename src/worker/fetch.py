"""The default image's first program: it fetches src/worker/ and gives its process to a command.

The container has no file of ours until this has run. So this text stands in
template.yaml as well, as the container's entry point; a test compares the two. The command is
what follows.
"""

import base64
import hashlib
import io
import json
import os
import sys
import tempfile
import zipfile
from http import HTTPStatus
from pathlib import Path

import boto3
import urllib3
from botocore.config import Config

# The exit code of a container that has not got its code, and of no worker.
NOT_FETCHED = 222
# A shell's, for a command that is there and cannot run, and for one that is not there.
NOT_RUN, NOT_FOUND = 126, 127


def main() -> None:
    """Let the command take this process over, or say in one line why it cannot."""
    try:
        folder = unpack(download(os.environ["WORKER_CODE_ARN"]))
    except Exception as error:  # noqa: BLE001 - whatever it was, the log has to say it
        # urllib3's message would show the signed address; its reason does not.
        cause = getattr(error, "reason", error)
        complain(f"Worker code not fetched: {type(cause).__name__}: {cause}")
        sys.exit(NOT_FETCHED)
    more = os.environ.get("PYTHONPATH")
    os.environ["PYTHONPATH"] = f"{folder}:{folder}/worker" + (f":{more}" if more else "")
    os.chdir(folder / "worker")
    run(sys.argv[1:])


def run(command: list[str]) -> None:
    """Give this process to a command, so that signals reach it; `python` is the Python at work."""
    name, *arguments = command
    program = sys.executable if name == "python" else name
    try:
        os.execvp(program, [program, *arguments])  # noqa: S606 - no shell
    except OSError as error:
        complain(f"Command not run: {name}: {error.strerror}")
        sys.exit(NOT_FOUND if isinstance(error, FileNotFoundError) else NOT_RUN)


def download(layer_arn: str) -> bytes:
    """Return the layer's archive.

    Raises:
        OSError: the download was refused, or is not the archive that Lambda keeps.
    """
    limits = Config(
        connect_timeout=5,
        read_timeout=10,
        retries={"mode": "standard", "max_attempts": 20},
    )
    client = boto3.client("lambda", config=limits)
    content = client.get_layer_version_by_arn(Arn=layer_arn)["Content"]
    retries = urllib3.Retry(4, backoff_factor=0.5, status_forcelist=range(500, 505))
    answer = urllib3.PoolManager(retries=retries, timeout=10.0).request("GET", content["Location"])
    if answer.status != HTTPStatus.OK:
        raise OSError(f"the download was answered with HTTP {answer.status}")
    digest = base64.b64encode(hashlib.sha256(answer.data).digest()).decode()
    if digest != content["CodeSha256"]:
        raise OSError(f"the archive's SHA-256 is {digest}, Lambda says {content['CodeSha256']}")
    return answer.data


def unpack(archive: bytes) -> Path:
    """Return a new folder that holds the package `worker`."""
    folder = Path(tempfile.mkdtemp())
    with zipfile.ZipFile(io.BytesIO(archive)) as members:
        for member in members.infolist():
            path = Path(members.extract(member, folder))
            # A file that may be run stays so: an archive keeps this, and extract() forgets it.
            if path.is_file() and member.external_attr >> 16 & 0o100:
                path.chmod(0o755)
    # Layers keep their code under python/; the worker is the package `worker`.
    (folder / "python").rename(folder / "worker")
    return folder


def complain(message: str) -> None:
    """Write the line of the log that says why the command does not run."""
    line = {
        "level": "ERROR",
        "message": message,
        "service": "worker",
        "correlation_id": os.environ.get("EXECUTION_ID"),
    }
    sys.stdout.write(f"{json.dumps(line)}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
