from __future__ import annotations

import pytest

from core.data import Address, address, input_key, result_prefix, uri

BUCKET = "demo-databucket-1x2y"


def test_input() -> None:
    """An input lies below its execution, under the hash of its bytes."""
    key = input_key("one", "ab" * 32)
    assert key == f"inputs/one/{'ab' * 32}.json"
    assert uri(BUCKET, key) == f"s3://{BUCKET}/{key}"
    assert address(uri(BUCKET, key)) == Address(BUCKET, key)


def test_result() -> None:
    """Each attempt leaves its objects below a place of its own, which its ticket makes secret."""
    prefix = result_prefix(BUCKET, "one", 2, "0f" * 16)
    assert prefix == f"s3://{BUCKET}/results/one/2-{'0f' * 16}/"
    assert len({result_prefix(BUCKET, "one", n, ticket) for n in (1, 2) for ticket in "ab"}) == 4


@pytest.mark.parametrize("key", ["a", "a/b.json", "a/", "a b", "é", "a\nb", "x" * 1_024])
def test_address(key: str) -> None:
    """An address is a bucket's name and a key of up to 1,024 bytes."""
    assert address(f"s3://my.bucket-1/{key}") == Address("my.bucket-1", key)


@pytest.mark.parametrize(
    "text",
    [
        *("", "s3://", "s3://bucket", "s3://bucket/", "s3:///key", "bucket/key", "S3://bucket/key"),
        *("https://bucket/key", " s3://bucket/key", "s3://Bucket/key", "s3://b/key"),
        *("s3://-bucket/key", f"s3://{'b' * 64}/key"),
        *(
            f"s3://bucket/{'x' * 1_025}",
            f"s3://bucket/{'é' * 513}",
            f"s3://bucket/{chr(0xD800) * 1_025}",
        ),
    ],
)
def test_no_address(text: str) -> None:
    """A text that names no object of S3 is no address."""
    assert address(text) is None
