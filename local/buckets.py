"""S3, which moto plays: the parameters of a request, and the objects that there are."""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

import botocore.session
from moto.s3.models import s3_backends

if TYPE_CHECKING:
    from collections.abc import Mapping

    from botocore.model import ServiceModel
    from werkzeug.datastructures import Headers
    from werkzeug.wrappers import Request

_PATH = re.compile(r"/(?P<Bucket>[^/]+)(?:/(?P<Key>.+))?", re.DOTALL)


def read(request: Request, operation: str) -> Mapping[str, Any]:
    """Return the parameters of a request by the model's names, without its body's.

    Args:
        request: the request; its path names bucket and key, as where the host is an address.
        operation: the operation, as in S3's model; "" gives nothing.
    """
    found = _PATH.fullmatch(unquote(request.environ["REQUEST_URI"].partition("?")[0]))
    if not operation or not found:
        return {}
    asked = {name: value for name, value in found.groupdict().items() if value is not None}
    shape = _model().operation_model(operation).input_shape
    places: Mapping[str, Mapping[str, str] | Headers] = {
        "querystring": request.args,
        "header": request.headers,
    }
    for name, member in shape.members.items() if shape else ():
        place = member.serialization
        given = places.get(place.get("location", ""), {})
        if place.get("name") in given:
            asked[name] = given[place["name"]]
    return asked


def is_missing(account: str, bucket: str, key: str) -> bool:
    """Whether a bucket of an account has no object of that name."""
    kept = s3_backends[account]["aws"].buckets.get(bucket)
    return kept is None or key not in kept.keys


@cache
def _model() -> ServiceModel:
    return botocore.session.get_session().get_service_model("s3")
