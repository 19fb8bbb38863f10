"""How long Fargate takes for what, in AWS's seconds."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Phases:
    """Durations as published task events show them: median of six tasks, rounded.

    Created to RUNNING takes 28 s, the container's exit to STOPPED 23 s.

    Attributes:
        provisioning: until the network interface is there.
        pending: from then until the image is pulled and the container runs.
        stopping: from the container's exit until its code is reported (DEPROVISIONING).
        deprovisioning: from then until STOPPED.
    """

    provisioning: float = 10
    pending: float = 18
    stopping: float = 5
    deprovisioning: float = 18
