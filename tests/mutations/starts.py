"""Mistakes about the limit of a start, each with the tests that should notice."""

from __future__ import annotations

from tests.mutations.mutation import Mutation

_RULES = ("tests/unit/core/test_start.py", "tests/unit/core/test_polling.py")
_POLLING = ("tests/integration/test_start_timeout.py",)
_RECONCILER = (
    "tests/unit/core/test_repair_running.py",
    "tests/integration/repairs/test_reconciler_starts.py",
)

MUTATIONS = (
    Mutation(
        "polling waits for a start without a limit",
        "src/orchestrator/looks.py",
        "        if state.is_unstarted:\n",
        "        if state.is_unstarted and state.is_gone:\n",
        _POLLING,
    ),
    Mutation(
        "polling looks at an overdue start when its interval is over",
        "src/core/polling.py",
        "        if self.starts_by is None or self._is_in_vain:\n",
        "        if self.starts_by != self.elapsed:\n",
        _RULES,
    ),
    Mutation(
        "the reconciler leaves a start that hangs",
        "src/core/repair.py",
        "        return StopUnstarted(seconds)\n",
        "        return Leave(Done.RUNNING)\n",
        _RECONCILER,
    ),
    Mutation(
        "the reconciler stops starts of which another version has set no limit",
        "src/core/repair.py",
        "    seconds, limit = sight.record.start_timeout_seconds, sight.starts_by\n",
        "    seconds, limit = sight.record.start_timeout_seconds or 1, sight.starts_by\n",
        _RECONCILER,
    ),
    Mutation(
        "work that began at the last moment has failed to start",
        "src/core/outcome/classification.py",
        """            return FailedToStart if _never_began(task, main) else TimedOut\n""",
        """            return ours\n""",
        _RULES,
    ),
    Mutation(
        "a start that was stopped has failed before ECS shows its end",
        "src/orchestrator/looks.py",
        """\
            ecs.stop_task(execution.settings.cluster_arn, started.task_arn, reason)
            return state.stopped()
""",
        """\
            ecs.stop_task(execution.settings.cluster_arn, started.task_arn, reason)
            never = unstarted(execution.work.start_timeout_seconds)
            return state.ended(replace(never, task_arn=started.task_arn))
""",
        _POLLING,
    ),
    Mutation(
        "polling has the last word on a start at its timeout",
        "src/orchestrator/looks.py",
        "state.stopped() if has_last_word(ending) else state.ended(ending)\n",
        "state.ended(ending)\n",
        _POLLING,
    ),
    Mutation(
        "a callback's timeout has the last word on a start",
        "src/orchestrator/eventbridge.py",
        "    if not has_last_word(stopped):\n",
        "    if stopped:\n",
        _POLLING,
    ),
    Mutation(
        "a container that runs has not begun while one beside it starts",
        "src/core/outcome/classification.py",
        """    is_running = main.get("lastStatus") == "RUNNING"\n""",
        """    is_running = task.get("lastStatus") == "RUNNING"\n""",
        _RULES,
    ),
    Mutation(
        "attempts leave no time for ECS's last word between them",
        "src/core/work.py",
        "    share = (left - (attempts - 1) * LAST_WORD_SECONDS) // attempts\n",
        "    share = left // attempts\n",
        ("tests/unit/core/test_work.py",),
    ),
)
