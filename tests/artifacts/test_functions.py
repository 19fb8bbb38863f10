from __future__ import annotations

from local.stack.stack import PROJECT
from local.system import System
from tests.e2e.user import User

BUILT = PROJECT / ".aws-sam" / "build" / "template.yaml"


def test_built_functions_run() -> None:
    """The functions run from what `sam build` made, with the libraries that it installed."""
    with System(BUILT, time_scale=100) as system:
        for function in system.functions.values():
            assert BUILT.parent in function.configuration.code.parents
        user = User(system)
        arn = user.start("eventbridge", message="built", processingTime=0)
        assert user.result(arn)["result"]["message"] == "Processed: built"
