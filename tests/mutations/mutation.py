"""One way to break the code."""

from __future__ import annotations

from dataclasses import dataclass

FENCES = ("tests/integration/test_attempt_fencing.py", "tests/property/test_records.py")
LAUNCHES = ("tests/integration/test_launch.py", "tests/integration/test_relaunch.py")


@dataclass(frozen=True, slots=True)
class Mutation:
    """One change to one file.

    Attributes:
        name: what is wrong after it.
        path: of the file, from the repository's root.
        old: what stands there, once.
        new: what stands there instead.
        tests: that are run, until the first of them fails.
    """

    name: str
    path: str
    old: str
    new: str
    tests: tuple[str, ...]
