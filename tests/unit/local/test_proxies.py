from __future__ import annotations

import pytest

from local.proxies import without_proxy

HERE = "127.0.0.1,localhost"


@pytest.mark.parametrize(
    ("given", "upper", "lower"),
    [
        ({}, HERE, HERE),
        ({"NO_PROXY": "a"}, f"a,{HERE}", f"a,{HERE}"),
        ({"no_proxy": "a"}, f"a,{HERE}", f"a,{HERE}"),
        ({"NO_PROXY": "a", "no_proxy": "b"}, f"a,{HERE}", f"b,{HERE}"),
        ({"NO_PROXY": "", "no_proxy": ""}, HERE, HERE),
        ({"NO_PROXY": "localhost, a,"}, "localhost,a,127.0.0.1", "localhost,a,127.0.0.1"),
        ({"NO_PROXY": "*"}, "*", "*"),
    ],
)
def test_hosts_reached_without_a_proxy(given: dict[str, str], upper: str, lower: str) -> None:
    """This machine joins the hosts that are reached without a proxy, and none of them is lost."""
    made = without_proxy({"PATH": "/bin", **given})
    assert made == {"NO_PROXY": upper, "no_proxy": lower}
    assert without_proxy(made) == made
