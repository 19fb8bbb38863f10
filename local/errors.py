"""Errors of the local system: of its template, and in the form that botocore reads."""

from __future__ import annotations

import json
from http import HTTPStatus

from werkzeug.wrappers import Response


class TemplateError(ValueError):
    """The template cannot be run."""


class UnsupportedError(TemplateError):
    """The template asks for something that only AWS can do."""


class ApiError(Exception):
    """What a request is refused with.

    Args:
        code: AWS's error code, such as ResourceNotFoundException.
        message: what went wrong.
        status: HTTP status.
        more: further members of the error.

    Attributes:
        response: the answer.
    """

    def __init__(
        self,
        code: str,
        message: str,
        status: HTTPStatus = HTTPStatus.BAD_REQUEST,
        **more: object,
    ) -> None:
        super().__init__(message)
        body = {"__type": code, "Type": "User", "message": message, "Message": message, **more}
        self.response = Response(
            json.dumps(body), status, {"x-amzn-ErrorType": code}, mimetype="application/json"
        )
