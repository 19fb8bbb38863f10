"""Mistakes about what runs: the payload's fields, the job and its input."""

from __future__ import annotations

from tests.mutations.mutation import Mutation

_PAYLOADS = ("tests/unit/core/test_payload.py",)
_SIZES = ("tests/unit/core/test_size.py",)
_REQUESTS = ("tests/unit/core/test_launch.py",)

MUTATIONS = (
    Mutation(
        "memory takes the most CPU that it may stand beside",
        "src/core/size.py",
        "    return min((size.cpu for size in SIZES",
        "    return max((size.cpu for size in SIZES",
        _SIZES,
    ),
    Mutation(
        "an attempt has the memory of the one before",
        "src/core/job.py",
        "self.memory[min(attempt, len(self.memory)) - 1]",
        "self.memory[max(min(attempt, len(self.memory)) - 2, 0)]",
        _REQUESTS,
    ),
    Mutation(
        "a job with a field that only another version knows is launched without it",
        "src/core/job.py",
        '"is_whole": len(known) == len(stored)',
        '"is_whole": True',
        ("tests/unit/core/test_record.py",),
    ),
    Mutation(
        "a revision is not asked for",
        "src/core/launch.py",
        'return job.family if job.revision is None else f"{job.family}:{job.revision}"',
        "return job.family",
        _REQUESTS,
    ),
)
