"""Mistakes in the rules, each with the tests that should notice."""

from __future__ import annotations

from tests.mutations.mutation import FENCES, LAUNCHES, Mutation

_OUTCOMES = ("tests/unit/core",)
_REPAIRS = (
    "tests/unit/core/test_repair_ended.py",
    "tests/unit/core/test_repair_unknown.py",
    "tests/integration/repairs",
)

MUTATIONS = (
    Mutation(
        "a result that lies anywhere passes for an attempt's own",
        "src/core/data.py",
        "    return re.match(own, place.key) is not None\n",
        "    return bool(own)\n",
        ("tests/unit/core/test_record.py",),
    ),
    Mutation(
        "a result in anybody's bucket passes for an attempt's own",
        "src/core/data.py",
        "    if place is None or place.bucket != bucket:\n",
        "    if place is None:\n",
        ("tests/unit/core/test_record.py",),
    ),
    Mutation(
        "a success whose result lies elsewhere stays one",
        "src/core/verdict.py",
        "    if not outcome.succeeded or record.stray_uri is None:\n",
        "    if outcome.task_arn or record.stray_uri is None:\n",
        ("tests/unit/core/test_verdict.py",),
    ),
    Mutation(
        "a worker that names a place elsewhere has completed its work",
        "src/core/verdict.py",
        "    return record.status is Status.COMPLETED and record.stray_uri is None\n",
        "    return record.status is Status.COMPLETED\n",
        ("tests/unit/core/test_verdict.py",),
    ),
    Mutation(
        "a place is no proof that the work began",
        "src/core/record.py",
        "(self.result, self.result_uri, self.stray_uri) != (None, None, None)",
        "self.result is not None",
        ("tests/unit/core/test_record.py",),
    ),
    Mutation(
        "a report of a time to come keeps a silent task alive",
        "src/core/heartbeat.py",
        "if told and is_life else started",
        "if told else started",
        ("tests/unit/core/test_heartbeat.py",),
    ),
    Mutation(
        "a silent task is stopped without a grace",
        "src/core/repair.py",
        "    return limit is not None and sight.now - limit >= EVENT_GRACE\n",
        "    return limit is not None and sight.now >= limit\n",
        ("tests/unit/core/test_repair_running.py",),
    ),
    Mutation(
        "a report that comes before the stop is overlooked",
        "src/core/repair.py",
        "    if seconds is not None and _is_past(sight, sight.silent_from(fresh)):\n",
        "    if seconds is not None:\n",
        ("tests/unit/core/test_repair_running.py",),
    ),
    Mutation(
        "a task whose record has moved on is stopped for its silence",
        "src/core/repair.py",
        "    return fresh if standing is Standing.CURRENT else None\n",
        "    return fresh if standing else None\n",
        ("tests/unit/core/test_repair_running.py",),
    ),
    Mutation(
        "an interruption leaves a job on Spot that may leave it",
        "src/core/capacity.py",
        "    return isinstance(outcome, SpotInterrupted)\n",
        "    return False\n",
        ("tests/unit/core/test_capacity.py",),
    ),
    Mutation(
        "every failed start is a want of capacity",
        "src/core/capacity.py",
        "        return cause_of(outcome.reasons) is NO_CAPACITY\n",
        "        return outcome.transient\n",
        ("tests/unit/core/test_capacity.py",),
    ),
    Mutation(
        "a job that wants Spot alone leaves it",
        "src/core/capacity.py",
        "    if wanted is Capacity.SPOT_THEN_ON_DEMAND and _was_refused(outcome):\n",
        "    if wanted is not Capacity.ON_DEMAND and _was_refused(outcome):\n",
        ("tests/unit/core/test_capacity.py",),
    ),
    Mutation(
        "a launch that is tried again asks for another capacity than its record",
        "src/core/launch.py",
        "            capacity=record.capacity or self.capacity,\n",
        "",
        ("tests/unit/core/test_launch.py",),
    ),
    Mutation(
        "an attempt that was refused does not say on which capacity",
        "src/core/attempts.py",
        '    if told["capacity"] is None and record.capacity:\n',
        '    if told["capacity"] and record.capacity:\n',
        ("tests/unit/core/test_attempts.py",),
    ),
    Mutation(
        "a failure is logged although its execution has logged it",
        "src/core/verdict.py",
        "return Verdict(Status.COMPLETED, outcome, is_reported=reported is not None)\n",
        "return Verdict(Status.COMPLETED, outcome)\n",
        ("tests/unit/core/test_verdict.py",),
    ),
    Mutation(
        "the result of a timeout is thrown away",
        "src/core/handover.py",
        "decoded(record.result) if _is_late(outcome) else None",
        "None",
        ("tests/unit/core/test_handover.py", "tests/integration/test_handover.py"),
    ),
    Mutation(
        "what any failed container has left is a result",
        "src/core/handover.py",
        "decoded(record.result) if _is_late(outcome) else None",
        "None if outcome.succeeded else decoded(record.result)",
        ("tests/unit/core/test_handover.py",),
    ),
    Mutation(
        "work that has handed over a result is done again",
        "src/orchestrator/execution.py",
        "        if witnessed(record, outcome) is not outcome:\n",
        "        if outcome.succeeded:\n",
        ("tests/unit/core/test_verdict.py", "tests/integration/test_start_timeout.py"),
    ),
    Mutation(
        "a result is no proof that the work began",
        "src/core/verdict.py",
        "    is_begun = record.flow.takes_result and record.is_handed_over\n",
        "    is_begun = record.flow.takes_result and not record.is_handed_over\n",
        ("tests/unit/core/test_verdict.py",),
    ),
    Mutation(
        "a result makes an error of any size",
        "src/core/conclusion.py",
        "        if len(ended.error_data(facts)) <= MAX_ANSWER_BYTES:\n",
        "        if ended.evidence or len(ended.error_data(facts)) <= MAX_ANSWER_BYTES:\n",
        ("tests/unit/core/test_handover.py",),
    ),
    Mutation(
        "the log of another container leaves none of the main one's",
        "src/core/evidence.py",
        "shortened(main, MAX_BYTES // 2)",
        "()",
        ("tests/unit/core/test_evidence.py",),
    ),
    Mutation(
        "a job that only another version knows whole is launched",
        "src/core/launch.py",
        "        if not self.job.is_whole:\n",
        "        if not self.job.family:\n",
        ("tests/unit/core/test_record.py",),
    ),
    Mutation(
        "a success that nobody takes any more counts",
        "src/core/verdict.py",
        """\
    if outcome.succeeded:
        detail = f"The task succeeded, but its execution is {execution}"
""",
        """\
    if outcome.succeeded and reported:
        detail = f"The task succeeded, but its execution is {execution}"
""",
        ("tests/unit/core/test_verdict.py",),
    ),
    Mutation(
        "an attempt that has not begun leaves an entry",
        "src/core/attempts.py",
        "    if record.is_backing_off:\n",
        "    if record.attempt < 1:\n",
        ("tests/unit/core/test_attempts.py",),
    ),
    Mutation(
        "a rule imports a call",
        "src/core/moment.py",
        "from datetime import UTC\n",
        "from datetime import UTC\n\nfrom adapters import clock\n",
        ("tests/unit/test_floors.py",),
    ),
    Mutation(
        "an end that a container claims is believed in every flow",
        "src/core/record.py",
        "    return flow.worker_reports_end or status not in ENDED\n",
        "    return True\n",
        ("tests/unit/core/test_record.py",),
    ),
    Mutation(
        "an end of a kind that is not known is a success",
        "src/core/outcome/kinds.py",
        'data.get("succeeded") is True',
        "True",
        _OUTCOMES,
    ),
    Mutation(
        "a worker's error is taken as it is",
        "src/core/reported.py",
        "        if said := text(given.get(name)):\n",
        "        taken |= given\n        if said := text(given.get(name)):\n",
        ("tests/unit/core/test_reported.py",),
    ),
    Mutation(
        "the client token does not know the launch",
        "src/core/correlation.py",
        'f"{execution_arn}\\n{attempt}\\n{launch}"',
        'f"{execution_arn}\\n{attempt}"',
        LAUNCHES,
    ),
    Mutation(
        "a request has its variables in whatever order the table had them",
        "src/core/launch.py",
        "for key in sorted(values)]",
        "for key in values]",
        ("tests/unit/core/test_launch.py",),
    ),
    Mutation(
        "a task has none of its definition's tags",
        "src/core/launch.py",
        '            "propagateTags": "TASK_DEFINITION",\n',
        "",
        ("tests/unit/core/test_launch.py",),
    ),
    Mutation(
        "RunTask has no client token",
        "src/core/launch.py",
        '            "clientToken": self.token,\n',
        "",
        LAUNCHES,
    ),
    Mutation(
        "an event of an earlier attempt completes the present one",
        "src/core/record.py",
        """\
        if attempt != self.attempt:
            return Standing.STALE_ATTEMPT
""",
        "",
        FENCES,
    ),
    Mutation(
        "the exit code beats the stop code",
        "src/core/outcome/classification.py",
        "    return _by_exit(task, main, other) if is_own else _by_aws(stop_code, code)\n",
        "    return _by_aws(stop_code, code) if code is None else _by_exit(task, main, other)\n",
        _OUTCOMES,
    ),
    Mutation(
        "the exit code beats the container's reason",
        "src/core/outcome/classification.py",
        """    if OUT_OF_MEMORY.search(main.get("reason") or ""):\n""",
        """    if code and OUT_OF_MEMORY.search(main.get("reason") or ""):\n""",
        _OUTCOMES,
    ),
    Mutation(
        "no exit code is a success",
        "src/core/outcome/classification.py",
        """\
    if code is None:
        return InfrastructureLost
    if code == NOT_FETCHED:
        return FailedToStart
    return Succeeded if int(code) == 0 else ApplicationFailed
""",
        """\
    return ApplicationFailed if code else Succeeded
""",
        _OUTCOMES,
    ),
    Mutation(
        "a container without its code has failed at its work",
        "src/core/outcome/classification.py",
        """    if code == NOT_FETCHED:\n        return FailedToStart\n""",
        """    if code == NOT_FETCHED:\n        return ApplicationFailed\n""",
        _OUTCOMES,
    ),
    Mutation(
        "a container without its code is not retried",
        "src/core/outcome/classification.py",
        """        passes = code == NOT_FETCHED or is_transient(failed.reasons)\n""",
        """        passes = is_transient(failed.reasons)\n""",
        _OUTCOMES,
    ),
    Mutation(
        "finished work of a task that failed to start is not done",
        "src/core/outcome/classification.py",
        """    if code is None and task.get("stopCode") == "TaskFailedToStart":\n""",
        """    if task.get("stopCode") == "TaskFailedToStart":\n""",
        _OUTCOMES,
    ),
    Mutation(
        "a container that was never started has run",
        "src/core/outcome/classification.py",
        """    if not NEVER_RAN.match(reason) or code not in (None, *_NO_PROCESS):\n""",
        """    if not NEVER_RAN.match(reason) or code is not None:\n""",
        _OUTCOMES,
    ),
    Mutation(
        "a container without an exit code is lost whatever its reason",
        "src/core/outcome/classification.py",
        """    if not NEVER_RAN.match(reason) or code not in (None, *_NO_PROCESS):\n""",
        """    if not NEVER_RAN.match(reason) or code not in _NO_PROCESS:\n""",
        _OUTCOMES,
    ),
    Mutation(
        "Spot is known by its stop code alone",
        "src/core/outcome/classification.py",
        """    if _SPOT.search(reason):\n        return SpotInterrupted\n    return Inf""",
        """    return Inf""",
        _OUTCOMES,
    ),
    Mutation(
        "work that never began has taken too long",
        "src/core/outcome/classification.py",
        """            return FailedToStart if _never_began(task, main) else TimedOut\n""",
        """            return TimedOut\n""",
        _OUTCOMES,
    ),
    Mutation(
        "a killed container's end counts before its reason has come",
        "src/core/outcome/classification.py",
        "        and code not in (None, SIGKILL, SIGTERM)\n",
        "        and code is not None\n",
        _OUTCOMES,
    ),
    Mutation(
        "Spot's warning counts as the end",
        "src/core/outcome/classification.py",
        """\
    if task.get("lastStatus") == "STOPPED":
""",
        """\
    if "STOPPED" in (task.get("lastStatus"), task.get("desiredStatus")):
""",
        _OUTCOMES,
    ),
    Mutation(
        "the first container is taken for the main one",
        "src/core/outcome/classification.py",
        """\
    named = (c for c in task.get("containers") or () if c.get("name") == container)
""",
        """\
    named = (c for c in task.get("containers") or () if container)
""",
        _OUTCOMES,
    ),
    Mutation(
        "an application's failure is tried again unasked",
        "src/core/retry.py",
        "            return not self.retry_on.isdisjoint((outcome.kind, outcome.exit_code))\n",
        "            return outcome.exit_code != 0\n",
        ("tests/unit/core", "tests/integration/test_retries.py"),
    ),
    Mutation(
        "an exit code that is asked for retries a stop with this code",
        "src/core/retry.py",
        "        if outcome.kind in get_args(OnDemand):\n",
        "        if outcome.exit_code in self.retry_on or outcome.kind in get_args(OnDemand):\n",
        ("tests/unit/core/test_retry.py",),
    ),
    Mutation(
        "exit codes that are asked for are not retried",
        "src/core/retry.py",
        "            return not self.retry_on.isdisjoint((outcome.kind, outcome.exit_code))\n",
        "            return outcome.kind in self.retry_on\n",
        ("tests/unit/core/test_retry.py",),
    ),
    Mutation(
        "a container without its code is asked to be retried on demand",
        "src/core/payload.py",
        "    if NOT_FETCHED in given.retry_on:\n",
        "    if 0 in given.retry_on:\n",
        ("tests/unit/core/test_payload.py",),
    ),
    Mutation(
        "a failure with the reserved exit code is simulated",
        "src/core/payload.py",
        "    if given.simulate and given.simulate.exit_code == NOT_FETCHED:\n",
        "    if given.simulate and given.simulate.exit_code < 0:\n",
        ("tests/unit/core/test_payload.py",),
    ),
    Mutation(
        "a task is missing at the first look",
        "src/core/repair.py",
        """\
        return Leave(Done.YOUNG) if is_young else NoteMissing()
    if _ago(sight, record.missing_since) < BETWEEN_LOOKS:
""",
        """\
        if is_young:
            return Leave(Done.YOUNG)
    elif _ago(sight, record.missing_since) < BETWEEN_LOOKS:
""",
        _REPAIRS,
    ),
    Mutation(
        "the reconciler completes with what it read before the end",
        "src/core/repair.py",
        "    fresh = _still_current(sight)\n    if fresh is None:\n"
        "        return Leave(Done.MOVED_ON)\n    return once_reported",
        "    fresh: Record | None = record\n    if fresh is None:\n"
        "        return Leave(Done.MOVED_ON)\n    return once_reported",
        _REPAIRS,
    ),
    Mutation(
        "an overdue task runs on while Lambda is busy",
        "src/core/repair.py",
        "    if _ago(sight, sight.record.deadline) >= EVENT_GRACE:\n",
        """\
    is_left = sight.execution not in ENDED_BADLY
    if is_left and _ago(sight, sight.record.deadline) >= EVENT_GRACE:
""",
        ("tests/integration/repairs/test_reconciler_tasks.py",),
    ),
    Mutation(
        "an overdue task whose ARN was never stored runs on while Lambda is busy",
        "src/core/repair.py",
        "    return record.task_arn is None and not record.is_backing_off\n",
        "    return False\n",
        ("tests/integration/repairs/test_reconciler_launches.py",),
    ),
    Mutation(
        "a task that hears no stop keeps its record open",
        "src/core/repair.py",
        "    is_deaf = _ago(sight, sight.record.deadline) >= _DEAF\n",
        "    is_deaf = False\n",
        ("tests/integration/repairs/test_reconciler_tasks.py",),
    ),
)
