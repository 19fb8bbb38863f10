from __future__ import annotations

import pytest

from scripts.preflight.findings import Check, Mark
from tests.markdown import Page, first_column
from tests.template import ROOT

DEPLOY = Page(ROOT / "docs" / "deploy.md")
PAGE = Page(ROOT / "docs" / "troubleshooting.md")
# What a user sees who has not asked before.
SEEN = {
    Check.NAME: ("failed to satisfy constraint",),
    Check.REGION: ("make preflight",),
    Check.STACK: (
        "is in ROLLBACK_COMPLETE state and can not be updated",
        "is in UPDATE_IN_PROGRESS state and can not be updated",
        "is in UPDATE_ROLLBACK_FAILED state and can not be updated",
        "cannot update a stack when a custom-named resource requires replacing",
    ),
    Check.RECORDS: ("sam deploy",),
    Check.TAKEN: ("already exists", "already exists in stack"),
    Check.SAM_BUCKET: ("is missing Tags and/or Outputs information",),
    Check.ECS_ROLE: ("Unable to assume the service linked role",),
    Check.VPCS: ("The maximum number of VPCs has been reached",),
    Check.DURABLE: ("DurableConfig",),
    Check.PYTHON: ("Binary validation failed for python",),
    Check.SAM: ("'python3.13' runtime is not supported",),
    Check.AWS_CLI: ("Invalid choice",),
}


@pytest.mark.parametrize("check", Check)
def test_each_check_has_its_row(check: Check) -> None:
    """Each thing that `make preflight` finds has a row that begins with what is seen without it."""
    assert set(SEEN[check]) <= {
        shown for rows in PAGE.tables("You see") for shown in first_column(rows)
    }


def test_marks() -> None:
    """The page on deployment says what each mark means."""
    documented = [row[0].strip("`") for row in DEPLOY.table("Mark")]
    assert sorted(documented) == sorted(Mark)
