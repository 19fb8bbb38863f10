"""The door: only callers who sign with a key of this run get an answer."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import TYPE_CHECKING

from local.errors import ApiError
from local.pages import strange

if TYPE_CHECKING:
    from werkzeug.wrappers import Request

    from local.gateway.callers import Caller, Callers
    from local.gateway.signature import Signature

# AWS's limit for the difference of two clocks.
_NEAR = timedelta(minutes=5)
_SHOWN = "%Y-%m-%d %H:%M:%S %Z"
_EXPORT = 'Export the keys of the system that is up, with its FOLDER if any: eval "$(make -s env)"'
# `sam local` signs with these, whatever its environment has, and sends its requests to localhost.
_SAM_KEY, _SAM_SECRET = "foo", "bar"
_APP_ID = re.compile(r"\bapp/(\S+)")


class Door:
    """Finds out who asks, or refuses.

    Args:
        callers: the callers whose keys are valid.
    """

    def __init__(self, callers: Callers) -> None:
        self._callers = callers

    def admit(self, request: Request, signature: Signature | None) -> Caller:
        """Return the caller of a request.

        Args:
            request: the request, as a server took it from a socket.
            signature: the signature that it states; None if it has none.

        Raises:
            ApiError: a web page asks, or a caller without a key of this run.
        """
        port = request.environ["SERVER_PORT"]
        own = (f"{request.environ['SERVER_NAME']}:{port}", f"localhost:{port}")
        if why := strange(request.environ.get("HTTP_HOST"), request.headers.keys(), own):
            raise _refused("AccessDeniedException", why)
        if signature is None:
            raise _refused(
                "MissingAuthenticationTokenException",
                f"It is not signed by AWS's Signature Version 4, as all have to be here. {_EXPORT}",
            )
        caller, secret = self._key(request, signature)
        _check_date(signature)
        if not signature.matches(request, secret):
            raise _refused(
                "InvalidSignatureException",
                f"Its signature is not what the secret of {signature.access_key} gives. {_EXPORT}",
            )
        return caller

    def _key(self, request: Request, signature: Signature) -> tuple[Caller, str]:
        """Return the owner of a request's key, and the secret that its signature must have."""
        if caller := self._callers.get(signature.access_key):
            return caller, caller.secret
        app = _APP_ID.search(request.headers.get("User-Agent", ""))
        is_sams = signature.access_key == _SAM_KEY and signature.lifetime is None
        if is_sams and app and self._callers.is_app(app[1]):
            return self._callers.person, _SAM_SECRET
        raise _refused(
            "UnrecognizedClientException",
            f"The access key {signature.access_key} is none of this run's. {_EXPORT} "
            "A profile that a command or a program names comes before them.",
        )


def _check_date(signature: Signature) -> None:
    now = datetime.now(UTC)
    good_for = _NEAR if signature.lifetime is None else timedelta(seconds=signature.lifetime)
    if not -_NEAR <= now - signature.at <= good_for:
        raise _refused(
            "InvalidSignatureException",
            f"It was signed at {signature.at:{_SHOWN}} and comes at {now:{_SHOWN}}. Set the clock "
            "right, and sign anew.",
        )


def _refused(code: str, why: str) -> ApiError:
    message = f"The local system does not answer this request. {why}"
    return ApiError(code, message, HTTPStatus.FORBIDDEN)
