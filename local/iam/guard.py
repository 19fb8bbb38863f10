"""The guard: it checks each request of a function or a worker before it is served."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from local import buckets, nesting
from local.errors import ApiError
from local.iam.authority import DeniedError, Session
from local.iam.requests import UnknownRequestError, accesses, listing
from local.lambda_request import read

if TYPE_CHECKING:
    from collections.abc import Mapping

    from werkzeug.wrappers import Request

    from local.gateway import Call, Caller
    from local.iam.authority import Authority

# Services have their own error codes for a refusal, and their own status.
_CODES: Mapping[str, str] = dict.fromkeys(("s3", "sqs"), "AccessDenied")
_STATUS: Mapping[str, HTTPStatus] = dict.fromkeys(
    ("lambda", "s3", "sqs", "xray"), HTTPStatus.FORBIDDEN
)
_READING = frozenset({"GetObject", "HeadObject"})


class Guard:
    """Lets requests pass if the caller's role allows them."""

    def __init__(self, authority: Authority) -> None:
        self._authority = authority

    def __call__(self, caller: Caller, request: Request, call: Call) -> None:
        """Check one request.

        Raises:
            ApiError: the request is refused, or it is unknown here what AWS checks of it.
        """
        if caller.is_person:
            return
        who, asked = Session(caller.role or "", caller.session), _parameters(request, call)
        try:
            for access in accesses(call.service, call.operation, asked, self._authority.place):
                self._authority.check(who, access)
            if call.operation in _READING:
                self._check_missing(who, asked)
        except UnknownRequestError as error:
            self._authority.note(who, f"{call.service}:{call.operation}", f"Unknown: {error}")
            raise ApiError("UnknownRequestException", str(error)) from error
        except DeniedError as error:
            code = _CODES.get(call.service, "AccessDeniedException")
            status = _STATUS.get(call.service, HTTPStatus.BAD_REQUEST)
            raise ApiError(code, str(error), status) from error

    def _check_missing(self, who: Session, asked: Mapping[str, Any]) -> None:
        """Refuse a missing object's name to callers who may not list its bucket, as S3 does."""
        place = self._authority.place
        if buckets.is_missing(place.account, asked["Bucket"], asked["Key"]):
            self._authority.check(who, listing(asked["Bucket"], place))


def _parameters(request: Request, call: Call) -> Mapping[str, Any]:
    if call.service == "lambda":
        return read(request, call.operation).parameters
    if call.service == "s3":
        return buckets.read(request, call.operation)
    try:
        asked = nesting.read(request.get_data() or b"{}")
    except ValueError:
        return {}
    return asked if isinstance(asked, dict) else {}
