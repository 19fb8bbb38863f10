"""ECS's API for tasks; what is not about tasks is moto's."""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from werkzeug.wrappers import Response

from local.ecs.service import TokenConflictError, UnknownDefinitionError
from local.errors import refusal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from werkzeug.wrappers import Request

    from local.ecs.service import Tasks


class EcsApi:
    """Answers RunTask, DescribeTasks, ListTasks and StopTask."""

    def __init__(self, tasks: Tasks) -> None:
        self._tasks = tasks
        self._operations = {
            "RunTask": self._run_task,
            "DescribeTasks": self._describe_tasks,
            "ListTasks": self._list_tasks,
            "StopTask": self._stop_task,
        }

    def __call__(self, request: Request) -> Response | None:
        """Answer a request; None leaves it to somebody else."""
        name = request.headers.get("X-Amz-Target", "").rpartition(".")[2]
        operation = self._operations.get(name)
        if operation is None:
            return None
        answer = operation(json.loads(request.get_data()))
        if isinstance(answer, Response):
            return answer
        return Response(json.dumps(answer), mimetype="application/x-amz-json-1.1")

    def _run_task(self, asked: Mapping[str, Any]) -> dict[str, Any] | Response:
        try:
            task = self._tasks.run(asked)
        except TokenConflictError as error:
            ids = {"resourceIds": error.task_arns}
            return refusal(HTTPStatus.BAD_REQUEST, "ConflictException", str(error), **ids)
        except UnknownDefinitionError as error:
            return refusal(HTTPStatus.BAD_REQUEST, "ClientException", str(error))
        return {"tasks": [task.describe()], "failures": []}

    def _describe_tasks(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        found = {name: self._tasks.get(name) for name in asked["tasks"]}
        return {
            "tasks": [task.describe() for task in found.values() if task],
            "failures": [
                {"arn": name, "reason": "MISSING"} for name, task in found.items() if task is None
            ],
        }

    def _list_tasks(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        wanted = {"desiredStatus": asked.get("desiredStatus", "RUNNING")}
        if "startedBy" in asked:
            wanted["startedBy"] = asked["startedBy"]
        if "family" in asked:
            wanted["group"] = f"family:{asked['family']}"
        shown = [task.describe() for task in self._tasks.all()]
        return {"taskArns": [s["taskArn"] for s in shown if wanted.items() <= s.items()]}

    def _stop_task(self, asked: Mapping[str, Any]) -> dict[str, Any] | Response:
        task = self._tasks.get(asked["task"])
        if task is None:
            missing = "The referenced task was not found."
            return refusal(HTTPStatus.BAD_REQUEST, "InvalidParameterException", missing)
        task.stop(asked.get("reason", "Task stopped by user"))
        return {"task": task.describe()}
