"""The whole system on this machine, as a user of the deployed stack sees it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from local.system import System
from tests.e2e.up import up
from tests.e2e.user import AwsUser, User

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.e2e.up import Up

_TIME_SCALE = 20


@pytest.fixture(scope="package")
def user() -> Iterator[User]:
    """A user with the AWS SDK, in whose system Fargate is twenty times as fast as in AWS."""
    with System(time_scale=_TIME_SCALE) as system:
        yield User(system)


@pytest.fixture(scope="package", autouse=True)
def minute(user: User) -> str:
    """An EventBridge execution whose task works for a minute, while the other tests run."""
    return user.start("eventbridge", processingTime=60)


@pytest.fixture(scope="package")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Up]:
    """The stack as `make up` starts it, with Fargate's phases as fast as for `user`."""
    with up(tmp_path_factory.mktemp("up"), "--time-scale", str(_TIME_SCALE)) as running:
        running.variables()
        yield running


@pytest.fixture(scope="package")
def aws_user(shared: Up) -> AwsUser:
    """A user with the AWS SDK and the variables that `make up` exports."""
    return shared.user()
