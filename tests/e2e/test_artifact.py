from __future__ import annotations

import sys

import pytest

from local.stack.stack import PROJECT
from local.system import System
from tests.e2e.user import User

BUILT = PROJECT / ".aws-sam" / "build" / "template.yaml"


# `make test` builds first, and runs this with Python 3.13; other runs of pytest need not.
@pytest.mark.skipif(not BUILT.exists(), reason="make build has made no artifact")
@pytest.mark.skipif(sys.version_info[:2] != (3, 13), reason="the artifact is for Python 3.13")
def test_built_functions_run() -> None:
    """The functions run from what `sam build` made, with the libraries that it installed."""
    with System(BUILT, time_scale=100) as system:
        for function in system.functions.values():
            assert BUILT.parent in function.configuration.code.parents
        user = User(system)
        arn = user.start("eventbridge", message="built", processingTime=0)
        assert user.result(arn)["result"]["message"] == "Processed: built"
