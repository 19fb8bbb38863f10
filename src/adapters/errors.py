"""Two kinds of AWS error: one that passes, and one that does not."""

from __future__ import annotations

import re
from contextlib import contextmanager
from typing import TYPE_CHECKING

from botocore import exceptions

from core.outcome import TOO_BUSY

if TYPE_CHECKING:
    from collections.abc import Iterator

_TOO_MANY_REQUESTS = 429
_SERVER_ERROR = 500
BUSY_CODES = frozenset({
    "ThrottlingException",
    "Throttling",
    "ThrottledException",
    "RequestThrottled",
    "RequestThrottledException",
    "RequestLimitExceeded",
    "BandwidthLimitExceeded",
    "SlowDown",
    "PriorRequestNotComplete",
    "TooManyRequestsException",
    "ProvisionedThroughputExceededException",
    "TransactionInProgressException",
    "ServerException",
    "ServiceException",
    "InternalServerError",
    "RequestTimeout",
    "RequestTimeoutException",
})  # fmt: skip
# ECS sometimes wraps a throttle of a service behind it in InvalidParameterException.
_BUSY_MESSAGE = re.compile(TOO_BUSY, re.IGNORECASE)


class AwsBusyError(Exception):
    """A throttle, a timeout, no connection or a server's fault: the same call may succeed later.

    Whether the call took effect is not known.
    """


class AwsRefusedError(Exception):
    """The call was refused, and would be refused again.

    Attributes:
        code: AWS's error code.
        resource_ids: the resources that a ConflictException names.
        is_retry: whether botocore had tried before; that earlier try may have taken effect.
    """

    def __init__(
        self,
        message: str,
        code: str,
        resource_ids: list[str] | None = None,
        *,
        is_retry: bool = False,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.resource_ids = resource_ids or []
        self.is_retry = is_retry


@contextmanager
def aws_errors() -> Iterator[None]:
    """Raise `AwsBusyError` or `AwsRefusedError` in place of botocore's errors in the block."""
    try:
        yield
    except (exceptions.HTTPClientError, exceptions.ConnectionError) as error:
        raise AwsBusyError(str(error)) from error
    except exceptions.ClientError as error:
        if _is_busy(error):
            raise AwsBusyError(str(error)) from error
        answer = error.response
        is_retry = answer.get("ResponseMetadata", {}).get("RetryAttempts", 0) > 0
        code, resource_ids = answer["Error"].get("Code", ""), answer.get("resourceIds")
        raise AwsRefusedError(str(error), code, resource_ids, is_retry=is_retry) from error


def _is_busy(error: exceptions.ClientError) -> bool:
    answer = error.response["Error"]
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    return (
        answer.get("Code") in BUSY_CODES
        or status == _TOO_MANY_REQUESTS
        or status >= _SERVER_ERROR
        or bool(_BUSY_MESSAGE.search(answer.get("Message", "")))
    )
