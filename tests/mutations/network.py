"""Mistakes about the network of a launch, each with the tests that should notice."""

from __future__ import annotations

from tests.mutations.mutation import Mutation

_LAUNCHES = ("tests/integration/test_network.py",)
_RULES = ("tests/unit/core/test_network.py",)

MUTATIONS = (
    Mutation(
        "a launch that is refused does not ask for today's network",
        "src/orchestrator/placement.py",
        "        if today == network:\n",
        "        if today:\n",
        _LAUNCHES,
    ),
    Mutation(
        "a launch that is refused in today's network is asked for again",
        "src/orchestrator/placement.py",
        "        if today == network:\n",
        "        if today is None:\n",
        _LAUNCHES,
    ),
    Mutation(
        "the refusal of a launch is lost where its network cannot be read",
        "src/orchestrator/placement.py",
        """both = f"{str(refusal).rstrip('.')}. {unread}"\n""",
        """both = str(unread)\n""",
        _LAUNCHES,
    ),
    Mutation(
        "a network that was read once is kept",
        "src/adapters/networks.py",
        "< KEPT:\n",
        "< 60 * KEPT:\n",
        _LAUNCHES,
    ),
    Mutation(
        "each launch asks for its network",
        "src/adapters/networks.py",
        "    _read[parameter] = clock.now(), network\n",
        "",
        _LAUNCHES,
    ),
    Mutation(
        "a subnet may have any form",
        "src/core/network.py",
        "    if wrong := [part for part in found if not ids.form.fullmatch(part)]:\n",
        "    if wrong := [part for part in found if not ids.form.search('subnet-0 sg-0')]:\n",
        _RULES,
    ),
)
