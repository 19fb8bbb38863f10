"""Errors of the local system: those of its template, and those that botocore reads."""

from __future__ import annotations

import json
from http import HTTPStatus
from xml.sax.saxutils import escape

from werkzeug.wrappers import Response

# Requests of AWS's query protocol get errors as XML; some services always answer in XML.
_FORM = "application/x-www-form-urlencoded"
_IN_XML = frozenset({"cloudfront", "route53", "s3"})
_OF_EC2 = "<Response><Errors><Error>{}</Error></Errors></Response>"
_OF_OTHERS = "<ErrorResponse><Error>{}</Error></ErrorResponse>"


class TemplateError(ValueError):
    """The template cannot be run."""


class UnsupportedError(TemplateError):
    """The template asks for something that only AWS can do."""


class ApiError(Exception):
    """The error with which a request is refused.

    Args:
        code: AWS's error code, for example ResourceNotFoundException.
        message: the message.
        status: HTTP status.
        more: further members of the error.

    """

    def __init__(
        self,
        code: str,
        message: str,
        status: HTTPStatus = HTTPStatus.BAD_REQUEST,
        **more: object,
    ) -> None:
        super().__init__(message)
        self._code, self._message, self._status, self._more = code, message, status, more

    @property
    def response(self) -> Response:
        """The answer to a request in JSON."""
        message = self._message
        body = {"__type": self._code, "Type": "User", "message": message, "Message": message}
        return Response(
            json.dumps(body | self._more),
            self._status,
            {"x-amzn-ErrorType": self._code},
            mimetype="application/json",
        )

    def answer(self, mimetype: str, service: str) -> Response:
        """Return the answer to a request, in the form that its sender reads.

        Args:
            mimetype: the request's media type.
            service: the request's service.
        """
        if mimetype != _FORM and service not in _IN_XML:
            return self.response
        error = "".join(
            f"<{name}>{escape(text)}</{name}>"
            for name, text in (("Type", "Sender"), ("Code", self._code), ("Message", self._message))
        )
        form = _OF_EC2 if service == "ec2" else _OF_OTHERS
        return Response(form.format(error), self._status, mimetype="text/xml")
