"""ECS tasks on Fargate as processes of this machine."""

from local.ecs.api import EcsApi
from local.ecs.fargate import Fargate
from local.ecs.service import Tasks

__all__ = ["EcsApi", "Fargate", "Tasks"]
