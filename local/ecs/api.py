"""ECS's API for tasks; moto answers everything else."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from local.ecs.refusal import invalid
from local.ecs.tags import PROPAGATED
from local.errors import ApiError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from werkzeug.wrappers import Request

    from local.ecs.service import Tasks
    from local.ecs.state import TaskState

_MOST_TASKS = 100
_MOST_STARTED = 10
MOST_OVERRIDES = 8192
LONGEST_REASON = 255
FORMS = {
    "clientToken": re.compile(r"[!-~]{0,64}"),
    "startedBy": re.compile(r"[A-Za-z0-9_/-]{0,128}"),
}
# Parameters that AWS refuses beside `startedBy`.
_ALONE = ("containerInstance", "daemonName", "family", "launchType", "serviceName")


class EcsApi:
    """Answers RunTask, DescribeTasks, ListTasks and StopTask.

    Args:
        tasks: the cluster's tasks.
        on_request: called with RunTask's parameters, as JSON, for each request.
    """

    def __init__(
        self, tasks: Tasks[Any], on_request: Callable[[str], None] = lambda _: None
    ) -> None:
        self._tasks, self._on_request = tasks, on_request
        self._operations = {
            "RunTask": self._run_task,
            "DescribeTasks": self._describe_tasks,
            "ListTasks": self._list_tasks,
            "StopTask": self._stop_task,
        }

    def __call__(self, request: Request, operation: str) -> dict[str, Any] | None:
        """Answer an operation; None leaves it to moto."""
        if operation not in self._operations:
            return None
        asked = request.get_data(as_text=True)
        if operation == "RunTask":
            self._on_request(asked)
        return self.answer(operation, json.loads(asked))

    def answer(self, operation: str, asked: Mapping[str, Any]) -> dict[str, Any]:
        """Answer one of these operations.

        Raises:
            ApiError: ECS would refuse it.
        """
        if asked.get("cluster", "default").rpartition("/")[2] not in self._tasks.clusters:
            raise ApiError("ClusterNotFoundException", "Cluster not found.")
        return self._operations[operation](asked)

    def _run_task(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        for name, form in FORMS.items():
            if not form.fullmatch(asked.get(name, "")):
                raise invalid(f"{name} is not of the form {form.pattern}")
        if not 1 <= asked.get("count", 1) <= _MOST_STARTED:
            raise invalid(f"count must be 1 to {_MOST_STARTED}")
        if asked.get("propagateTags", PROPAGATED) not in {PROPAGATED, "NONE"}:
            raise invalid(f"propagateTags must be {PROPAGATED} or NONE for a task of no service")
        if "networkConfiguration" not in asked:
            raise invalid("Network Configuration must be provided for awsvpc")
        if len(json.dumps(asked.get("overrides", {}))) > MOST_OVERRIDES:
            raise invalid(f"Container Overrides length must be at most {MOST_OVERRIDES}")
        launched = self._tasks.run(asked)
        shown = [task.describe() for task in launched.tasks]
        return {"tasks": shown, "failures": launched.failures}

    def _describe_tasks(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        if not 0 < len(asked["tasks"]) <= _MOST_TASKS:
            raise invalid(f"Tasks must be 1 to {_MOST_TASKS}.")
        found = {name: self._tasks.get(name) for name in asked["tasks"]}
        with_tags = "TAGS" in asked.get("include", ())
        return {
            "tasks": [_shown(task, with_tags=with_tags) for task in found.values() if task],
            "failures": [
                {"arn": name, "reason": "MISSING"} for name, task in found.items() if task is None
            ],
        }

    def _list_tasks(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        if "startedBy" in asked and any(name in asked for name in _ALONE):
            raise invalid("cannot specify startedBy with other arguments")
        wanted = {"desiredStatus": "RUNNING"} | {
            name: asked[name]
            for name in ("desiredStatus", "launchType", "startedBy")
            if name in asked
        }
        if "family" in asked:
            wanted["group"] = f"family:{asked['family']}"
        arns = [task.arn for task in self._tasks.all() if task.shows(wanted)]
        return _page(arns, asked.get("nextToken"), asked.get("maxResults", _MOST_TASKS))

    def _stop_task(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        task = self._tasks.get(asked["task"])
        if task is None:
            raise invalid("The referenced task was not found.")
        reason = asked.get("reason", "Task stopped by user")
        if len(reason) > LONGEST_REASON:
            raise invalid(f"reason must be at most {LONGEST_REASON} characters")
        task.stop(reason)
        return {"task": task.describe()}


def _shown(task: TaskState, *, with_tags: bool) -> dict[str, Any]:
    return task.describe() | ({"tags": task.tags} if with_tags else {})


def _page(arns: list[str], after: str | None, size: int) -> dict[str, Any]:
    """Return the page of ARNs after one of them, and its last ARN if there are more."""
    start = arns.index(after) + 1 if after in arns else 0
    shown = arns[start : start + size]
    return {"taskArns": shown} | ({"nextToken": shown[-1]} if start + size < len(arns) else {})
