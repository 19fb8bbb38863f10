"""AWS's Signature Version 4 of a request, checked with botocore's own code."""

from __future__ import annotations

import hashlib
import hmac
import re
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from botocore.auth import S3SigV4Auth, S3SigV4QueryAuth, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

if TYPE_CHECKING:
    from collections.abc import Mapping

    from werkzeug.wrappers import Request

_ALGORITHM = "AWS4-HMAC-SHA256"
_AUTHORIZATION = re.compile(
    rf"{_ALGORITHM} Credential=(?P<credential>[^,\s]+), ?"
    r"SignedHeaders=(?P<names>[^,\s]+), ?Signature=(?P<value>[^,\s]+)"
)
_CREDENTIAL = re.compile(r"(?P<key>\w+)/\d{8}/(?P<region>[\w-]+)/(?P<service>[\w-]+)/aws4_request")
_VALUE, _AT = re.compile(r"[0-9a-f]{64}"), re.compile(r"[0-9]{8}T[0-9]{6}Z")
_WRITTEN_AT = "%Y%m%dT%H%M%SZ"
_LONGEST_LIFETIME = 7 * 86400
_IN_QUERY = re.compile(r"&?X-Amz-Signature=\w+")
_S3 = "s3"
# S3's values for a body without a signature: as a whole, or in chunks with a checksum at the end.
_UNSIGNED = {"UNSIGNED-PAYLOAD", "STREAMING-UNSIGNED-PAYLOAD-TRAILER"}


@dataclass(frozen=True, slots=True)
class Signature:
    """A signature as its request states it, not yet checked.

    Attributes:
        access_key: the signer's access key.
        region: the Region in the signature.
        service: the service in the signature, for example "dynamodb".
        at: when it was signed, by the signer's clock.
        names: names of the signed headers, in lower case.
        value: value of the signature.
        lifetime: seconds for which a presigned URL of S3 is valid; None for a header's signature.
    """

    access_key: str
    region: str
    service: str
    at: datetime
    names: frozenset[str]
    value: str
    lifetime: int | None = None

    @classmethod
    def of(cls, request: Request) -> Signature | None:
        """Return a request's signature, in its header or, for S3, its query; None without one."""
        headers, query = request.headers, request.args
        if found := _AUTHORIZATION.fullmatch(headers.get("Authorization", "")):
            return _read({**found.groupdict(), "at": headers.get("X-Amz-Date", "")}, None)
        if query.get("X-Amz-Algorithm") != _ALGORITHM:
            return None
        given = {
            "credential": query.get("X-Amz-Credential", ""),
            "names": query.get("X-Amz-SignedHeaders", ""),
            "value": query.get("X-Amz-Signature", ""),
            "at": query.get("X-Amz-Date", ""),
        }
        presigned = _read(given, query.get("X-Amz-Expires", 0, int))
        # For other presigned URLs moto guesses the service, and may guess another one than IAM has
        # checked.
        return presigned if presigned and presigned.service == _S3 else None

    def matches(self, request: Request, secret: str) -> bool:
        """Whether a secret signed the request, and its body unless S3's header excludes that."""
        headers = {name.lower(): value for name, value in request.headers.items()}
        if not self._is_complete(headers):
            return False
        body = request.get_data()
        digest = headers.get("x-amz-content-sha256")
        is_free = self.service == _S3 and digest in _UNSIGNED
        if not is_free and digest not in {None, hashlib.sha256(body).hexdigest()}:
            return False
        uri = request.environ["REQUEST_URI"]
        if self.lifetime is not None:
            uri = _IN_QUERY.sub("", uri)
        host = request.environ["HTTP_HOST"]
        covered = {name: headers[name] for name in self.names}
        signed = AWSRequest(request.method, f"http://{host}{uri}", covered, body)
        signed.context["timestamp"] = self.at.strftime(_WRITTEN_AT)
        signer = self._signer(secret)
        text = signer.string_to_sign(signed, signer.canonical_request(signed))
        return hmac.compare_digest(signer.signature(text, signed), self.value)

    def _is_complete(self, headers: Mapping[str, str]) -> bool:
        """Whether all headers are signed that AWS requires, and no header that did not come."""
        wanted = {name for name in headers if name == "host" or name.startswith("x-amz-")}
        return wanted <= self.names <= headers.keys()

    def _signer(self, secret: str) -> SigV4Auth:
        in_header = S3SigV4Auth if self.service == _S3 else SigV4Auth
        kind = in_header if self.lifetime is None else S3SigV4QueryAuth
        return kind(Credentials(self.access_key, secret), self.service, self.region)


def _read(given: Mapping[str, str], lifetime: int | None) -> Signature | None:
    scope = _CREDENTIAL.fullmatch(given["credential"])
    is_short = lifetime is None or 0 < lifetime <= _LONGEST_LIFETIME
    if not (scope and is_short and _VALUE.fullmatch(given["value"]) and _AT.fullmatch(given["at"])):
        return None
    try:
        at = datetime.fromisoformat(given["at"])
    except ValueError:
        return None
    names = frozenset(given["names"].lower().split(";"))
    key, region, service = scope.group("key", "region", "service")
    return Signature(key, region, service, at, names, given["value"], lifetime)
