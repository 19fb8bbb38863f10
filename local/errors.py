"""Errors in the form that botocore reads."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from werkzeug.wrappers import Response

if TYPE_CHECKING:
    from http import HTTPStatus


class ApiError(Exception):
    """What a request is refused with.

    Attributes:
        response: the answer.
    """

    def __init__(self, status: HTTPStatus, code: str, message: str, **more: Any) -> None:  # noqa: ANN401 - any JSON
        super().__init__(message)
        self.response = refusal(status, code, message, **more)


def refusal(status: HTTPStatus, code: str, message: str, **more: Any) -> Response:  # noqa: ANN401 - any JSON
    """Return an error's response.

    Args:
        status: HTTP status.
        code: AWS's error code, such as ResourceNotFoundException.
        message: what went wrong.
        more: further members of the error.
    """
    body = {"__type": code, "Type": "User", "message": message, "Message": message, **more}
    return Response(
        json.dumps(body),
        status,
        {"x-amzn-ErrorType": code},
        mimetype="application/json",
    )
