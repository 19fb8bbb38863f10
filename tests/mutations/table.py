"""Ways to break the code that must not go unnoticed."""

from tests.mutations import core, functions

MUTATIONS = (*core.MUTATIONS, *functions.MUTATIONS)
