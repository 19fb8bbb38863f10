"""Ways to break the code that must not go unnoticed."""

from tests.mutations import (
    alarms,
    causes,
    core,
    functions,
    inputs,
    jobs,
    limits,
    local,
    network,
    preflight,
    redrive,
    seen,
    starts,
    traces,
    worker,
)

MUTATIONS = (
    *core.MUTATIONS,
    *causes.MUTATIONS,
    *functions.MUTATIONS,
    *jobs.MUTATIONS,
    *limits.MUTATIONS,
    *inputs.MUTATIONS,
    *local.MUTATIONS,
    *network.MUTATIONS,
    *starts.MUTATIONS,
    *redrive.MUTATIONS,
    *seen.MUTATIONS,
    *preflight.MUTATIONS,
    *traces.MUTATIONS,
    *worker.MUTATIONS,
    *alarms.MUTATIONS,
)
