"""Ways to break the code that must not go unnoticed."""

from tests.mutations import (
    causes,
    core,
    functions,
    jobs,
    network,
    preflight,
    redrive,
    starts,
    worker,
)

MUTATIONS = (
    *core.MUTATIONS,
    *causes.MUTATIONS,
    *functions.MUTATIONS,
    *jobs.MUTATIONS,
    *network.MUTATIONS,
    *starts.MUTATIONS,
    *redrive.MUTATIONS,
    *preflight.MUTATIONS,
    *worker.MUTATIONS,
)
