"""A run of pytest that ends at once, with a code of its own, where tests cannot be collected.

With `-x` alone, tests that cannot even be imported end as one that failed does. This program runs
in a copy of the project, and imports nothing of the original.
"""

from __future__ import annotations

import sys

import pytest

UNCOLLECTED = 64


class Collection:
    """Ends the run at the first file that cannot be collected."""

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Look at what came of a file."""
        if report.failed:
            pytest.exit(f"{report.nodeid} cannot be collected", returncode=UNCOLLECTED)


if __name__ == "__main__":
    sys.exit(pytest.main(plugins=[Collection()]))
