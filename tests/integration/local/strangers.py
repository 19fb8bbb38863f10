"""Requests as a web page, or a program without the key of the system that is up, can send them."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from http.client import HTTPConnection
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from botocore.auth import S3SigV4QueryAuth, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from tests.e2e.user import User
from tests.integration.local import fargate

if TYPE_CHECKING:
    from collections.abc import Mapping

    from local.system import System

_RUN_TASK = "AmazonEC2ContainerServiceV20141113.RunTask"


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer to a request.

    Attributes:
        headers: with their names in lower case.
    """

    status: int
    headers: Mapping[str, str]
    body: str

    @property
    def message(self) -> str:
        """The words of an error."""
        return str(json.loads(self.body)["message"])


@dataclass(frozen=True, slots=True)
class Asked:
    """A request.

    Attributes:
        url: where it goes.
        headers: Host too, if it is not the one of the URL.
    """

    url: str
    method: str = "GET"
    headers: Mapping[str, str] = field(default_factory=dict)
    body: str = ""

    def but(self, **changes: Any) -> Asked:
        """Return the request with something changed."""
        return replace(self, **changes)

    def with_headers(self, **headers: str) -> Asked:
        """Return the request with further headers, whose names have `_` for `-`."""
        more = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.but(headers={**self.headers, **more})

    def signed(self, access_key: str, secret: str, service: str = "ecs") -> Asked:
        """Return the request as AWS's tools sign it."""
        request = AWSRequest(self.method, self.url, dict(self.headers), self.body.encode())
        SigV4Auth(Credentials(access_key, secret), service, "us-east-1").add_auth(request)
        return self.but(headers=dict(request.headers.items()))

    def presigned(self, access_key: str, secret: str, service: str) -> Asked:
        """Return the request with a signature in its URL."""
        request = AWSRequest(self.method, self.url)
        S3SigV4QueryAuth(Credentials(access_key, secret), service, "us-east-1").add_auth(request)
        return self.but(url=request.url)

    def send(self) -> Answer:
        """Send it."""
        parts = urlsplit(self.url)
        connection = HTTPConnection(parts.netloc)
        path = f"{parts.path or '/'}?{parts.query}" if parts.query else parts.path or "/"
        connection.request(self.method, path, self.body.encode(), dict(self.headers))
        response = connection.getresponse()
        headers = {name.lower(): value for name, value in response.getheaders()}
        answer = Answer(response.status, headers, response.read().decode())
        connection.close()
        return answer


def run_task(system: System, **changes: Any) -> Asked:
    """Return a request, not signed, that starts a process where it is answered."""
    headers = {"Content-Type": "application/x-amz-json-1.1", "X-Amz-Target": _RUN_TASK}
    body = json.dumps(fargate.request(User(system), **changes))
    return Asked(system.endpoint, "POST", headers, body)


def started(system: System, asked: Asked) -> list[str]:
    """Return the ARNs of the tasks that a request of `run_task` has started."""
    started_by = json.loads(asked.body)["startedBy"]
    return [task.arn for task in system.tasks.all() if task.detail.get("startedBy") == started_by]
