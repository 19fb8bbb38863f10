"""A Region for each stack in this process, because moto keeps Regions apart."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from moto.core.base_backend import BackendDict

if TYPE_CHECKING:
    from collections.abc import Iterator

ACCOUNT = "123456789012"
_free = ["us-west-2", "us-west-1", "us-east-2", "us-east-1"]
_lock = threading.Lock()


@contextmanager
def own_region() -> Iterator[str]:
    """Provide a Region that no other stack of this process uses; its state is dropped afterwards.

    Raises:
        RuntimeError: four stacks are up already.
    """
    with _lock:
        if not _free:
            raise RuntimeError("Only four systems at a time can be in a process.")
        region = _free.pop()
    try:
        yield region
    finally:
        _forget(region)
        with _lock:
            _free.append(region)


def _forget(region: str) -> None:
    # moto has no public list of the services in use. Its own `reset` uses this one, but resets the
    # Regions of every stack.
    for service in BackendDict._instances:  # type: ignore[misc]  # noqa: SLF001 - see above
        for regions in service.values():
            if region in regions:
                regions[region].reset()
            # S3 keeps the buckets of all Regions in one place.
            if "aws" in regions and service.service_name == "s3":
                s3: Any = service
                _forget_buckets(regions["aws"].buckets, s3.bucket_accounts, region)


def _forget_buckets(buckets: dict[str, Any], owners: dict[str, Any], region: str) -> None:
    for name in [name for name, bucket in buckets.items() if bucket.region_name == region]:
        bucket = buckets.pop(name)
        owners.pop(name, None)
        # Otherwise their files would stay open.
        for kept in (*bucket.keys.values(), *bucket.multiparts.values()):
            kept.dispose()
