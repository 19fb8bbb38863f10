"""Mistakes in the functions and the worker, each with the tests that should notice."""

from __future__ import annotations

from tests.mutations.mutation import FENCES, LAUNCHES, Mutation

_REPAIRS = ("tests/integration/repairs",)
# What the fault suite alone has to notice.
_FAULTS = ("tests/faults/test_sample.py",)

MUTATIONS = (
    Mutation(
        "the record is written after RunTask",
        "src/orchestrator/execution.py",
        """\
        record = self.create_record(log, callback_id)
        task = self.run_task(record)
""",
        """\
        task = self.run_task(self._record(callback_id))
        record = self.create_record(log, callback_id)
""",
        _FAULTS,
    ),
    Mutation(
        "the record is closed before the callback is answered",
        "src/ecs_events/completion.py",
        """\
            if callbacks.succeed(callback_id, answer.text()):
                self._close(judged, Done.CALLBACK_SUCCEEDED)
                return Done.CALLBACK_SUCCEEDED
""",
        """\
            self._close(judged, Done.CALLBACK_SUCCEEDED)
            if callbacks.succeed(callback_id, answer.text()):
                return Done.CALLBACK_SUCCEEDED
""",
        _FAULTS,
    ),
    Mutation(
        "an answer is no longer its own once the execution has written first",
        "src/ecs_events/completion.py",
        """\
            self._report(outcome, Done.CALLBACK_FAILED)
            return Done.CALLBACK_FAILED
""",
        """\
            return self._report(outcome, Done.CALLBACK_FAILED)
""",
        ("tests/integration/test_task_state.py",),
    ),
    Mutation(
        "writes are not fenced by attempt",
        "src/adapters/updates.py",
        """\
    same_attempt = Attr("executionArn").eq(record.execution_arn) & Attr("attempt").eq(
        record.attempt
    )
""",
        """\
    same_attempt = Attr("executionArn").eq(record.execution_arn)
""",
        FENCES,
    ),
    Mutation(
        "the worker's writes are not fenced by its ticket",
        "src/worker/report.py",
        "own & condition if condition else own",
        "condition if condition else own",
        FENCES,
    ),
    Mutation(
        "the place of an attempt's result is left for the next one's",
        "src/adapters/records.py",
        '        removed += ["result", "resultUri", "progress"]\n',
        '        removed += ["result"]\n',
        ("tests/integration/test_result_uri.py",),
    ),
    Mutation(
        "a record whose worker is COMPLETED elsewhere stays open for good",
        "src/adapters/records.py",
        "        is_overruled = record.stray_uri is not None and outcome.task_arn is not None\n",
        "        is_overruled = False\n",
        ("tests/integration/test_result_uri.py",),
    ),
    Mutation(
        "an attempt forgets that the one before it found no room on Spot",
        "src/orchestrator/steps.py",
        "        execution, ending = attempt(context, execution)\n",
        "        _, ending = attempt(context, execution)\n",
        ("tests/integration/test_capacity.py",),
    ),
    Mutation(
        "a further launch keeps its record's capacity as it was",
        "src/adapters/records.py",
        '"launch", "capacity", "callbackId"',
        '"launch", "callbackId"',
        ("tests/integration/test_capacity.py",),
    ),
    Mutation(
        "each try of a launch tells its container a ticket of its own",
        "src/orchestrator/execution.py",
        "placement.start(self.launch.stored(record), self.settings)",
        "placement.start(self.launch.stored(replace(record, ticket=secrets.token_hex(16))), "
        "self.settings)",
        ("tests/integration/test_tickets.py",),
    ),
    Mutation(
        "an attempt that begins while its record is closed is overlooked",
        "src/adapters/records.py",
        """\
            condition &= Attr("launch").eq(record.launch)
""",
        """\
            condition &= Attr("launch").exists()
""",
        ("tests/integration/repairs/test_writes.py",),
    ),
    Mutation(
        "a launch that is repeated runs today's job, and not its record's",
        "src/core/launch.py",
        "            job=record.job,\n",
        "",
        ("tests/integration/test_job.py",),
    ),
    Mutation(
        "a full record takes no task",
        "src/adapters/table.py",
        "            room = Update(mark,",
        "            raise\n            room = Update(mark,",
        ("tests/integration/repairs/test_hostile_worker.py",),
    ),
    Mutation(
        "a result that was emptied is as good as none",
        "src/adapters/table.py",
        'condition, {"resultUri": EMPTIED})',
        "condition, {})",
        ("tests/integration/test_results.py",),
    ),
    Mutation(
        "a result that comes as its timeout is written down is overlooked",
        "src/adapters/records.py",
        "        if may_follow(record, outcome):\n",
        "        if may_follow(record, outcome) and record.result:\n",
        ("tests/integration/test_handover.py",),
    ),
    Mutation(
        "a NULL as result keeps a record open",
        "src/adapters/records.py",
        ' | Attr(name).attribute_type("NULL")',
        "",
        ("tests/integration/test_handover.py",),
    ),
    Mutation(
        "the log of another container that ended the task is not named",
        "src/adapters/logs.py",
        "    if outcome.ended_by:\n",
        "    if outcome.ended_by and not outcome.task_arn:\n",
        ("tests/integration/test_evidence.py",),
    ),
    Mutation(
        "a record's error does not name the container that ended the task",
        "src/adapters/updates.py",
        ' "endedBy",',
        "",
        ("tests/integration/test_evidence.py",),
    ),
    Mutation(
        "a closed record is swept up",
        "src/adapters/strays.py",
        'Attr("open").not_exists() & Attr("expiresAt").not_exists()',
        'Attr("open").not_exists()',
        ("tests/integration/repairs/test_hostile_worker.py",),
    ),
    Mutation(
        "a record expires from its creation on",
        "src/orchestrator/execution.py",
        """\
            created_at=timestamp(created),
""",
        """\
            created_at=timestamp(created),
            expires_at=int(created.timestamp()) + 86_400,
""",
        _FAULTS,
    ),
    Mutation(
        "an execution that has succeeded loses its task",
        "src/core/verdict.py",
        'frozenset({"FAILED", "STOPPED", "TIMED_OUT"})',
        'frozenset({"FAILED", "STOPPED", "TIMED_OUT", "SUCCEEDED"})',
        _REPAIRS,
    ),
    Mutation(
        "a record is closed before its task is stopped",
        "src/ecs_events/abandonment.py",
        """\
        outcome = self._stop(cancelled).learned(self.learned_by, clock.now())
""",
        """\
        self.records.close(self.record, Status.FAILED, cancelled)
        outcome = self._stop(cancelled).learned(self.learned_by, clock.now())
""",
        _REPAIRS,
    ),
    Mutation(
        "a record is read once, whatever ECS shows",
        "src/ecs_events/look.py",
        "        return self.records.get(self.record.execution_id)\n",
        "        return self.record\n",
        _REPAIRS,
    ),
    Mutation(
        "what an event reports within a look is left to the next run",
        "src/ecs_events/reconciliation.py",
        "        if done is Done.REPORTED_BEFORE and look.end:\n",
        "        if done is Done.REPORTED_BEFORE and not look.end:\n",
        ("tests/integration/repairs/test_reconciler_races.py",),
    ),
    Mutation(
        "a forged startedBy is believed",
        "src/adapters/ecs.py",
        "found.items() if family in (None, correlation.family(task)))",
        "found.items())",
        _REPAIRS,
    ),
    Mutation(
        "the worker drops `open`",
        "src/worker/report.py",
        """\
        UpdateExpression="SET " + ", ".join(f"#{name} = :{name}" for name in changes),
        ExpressionAttributeNames={f"#{name}": name for name in changes},
""",
        """\
        UpdateExpression="SET "
        + ", ".join(f"#{name} = :{name}" for name in changes)
        + " REMOVE #open",
        ExpressionAttributeNames={f"#{name}": name for name in (*changes, "open")},
""",
        ("tests/property/test_records.py", "tests/integration/worker"),
    ),
    Mutation(
        "a closed callback is taken for an answered one",
        "src/ecs_events/completion.py",
        """\
        status = executions.status(self.record.execution_arn)
        if status in _PAUSED""",
        """\
        status: str | None = "SUCCEEDED"
        if status in _PAUSED""",
        ("tests/property/test_task_state.py",),
    ),
    Mutation(
        "an execution that Lambda has forgotten keeps its record open",
        "src/ecs_events/completion.py",
        '{"SUCCEEDED", None, *ENDED_BADLY}',
        '{"SUCCEEDED", *ENDED_BADLY}',
        ("tests/integration/repairs/test_paused.py",),
    ),
    Mutation(
        "an end that comes in a pause is forgotten",
        "src/ecs_events/completion.py",
        "self._report(outcome, Done.PAUSED) if is_known else Done.PAUSED",
        "Done.PAUSED",
        ("tests/integration/repairs/test_paused.py",),
    ),
    Mutation(
        "a pause tells what became of a task that nobody has heard of",
        "src/ecs_events/completion.py",
        "is_known = not isinstance(outcome, Missing)",
        "is_known = True",
        ("tests/integration/repairs/test_paused.py",),
    ),
    Mutation(
        "an end that was answered but not written is asked for until its execution ends",
        "src/ecs_events/completion.py",
        'if status == "RUNNING" and not isinstance',
        'if status == "GOES ON" and not isinstance',
        ("tests/integration/repairs/test_going_on.py",),
    ),
    Mutation(
        "a success that was stored while its execution went on is never answered again",
        "src/ecs_events/completion.py",
        "            return self._repeat()\n",
        "            return Done.REPORTED_BEFORE\n",
        ("tests/integration/repairs/test_going_on.py",),
    ),
    Mutation(
        "the record of a forgotten execution stays open if its end is stored",
        "src/core/repair.py",
        "if reported and sight.execution is None:",
        "if reported and sight.execution is reported:",
        ("tests/integration/repairs/test_going_on.py",),
    ),
    Mutation(
        "a stored success becomes a failure by what is written after it",
        "src/ecs_events/completion.py",
        "judged is not None and judged.outcome.succeeded:",
        "judged is not None:",
        ("tests/integration/repairs/test_going_on.py",),
    ),
    Mutation(
        "a result makes room for the end of the task that it belongs to",
        "src/adapters/records.py",
        "is_needed = outcome.succeeded and record.flow.takes_result",
        "is_needed = False",
        ("tests/integration/repairs/test_going_on.py",),
    ),
    Mutation(
        "the task of another version's flow is an orphan",
        "src/ecs_events/reconciliation.py",
        """\
            if error.is_open:
                return
""",
        "            pass\n",
        ("tests/integration/repairs/test_other_flows.py",),
    ),
    Mutation(
        "a task whose record was closed meanwhile runs on",
        "src/orchestrator/execution.py",
        "        if self.records.started(record, task_arn) is Write.MOVED_ON:\n",
        "        if self.records.started(record, task_arn) is Write.MOVED_ON and not task_arn:\n",
        LAUNCHES,
    ),
    Mutation(
        "the attempt does not count",
        "src/adapters/records.py",
        '"attempt": record.attempt + 1, "launch": 0}',
        '"attempt": record.attempt, "launch": 0}',
        ("tests/integration/test_back_off.py",),
    ),
    Mutation(
        "each launch begins its attempt anew",
        "src/adapters/records.py",
        "        if record.launch == 1:\n",
        "        if record.launch:\n",
        LAUNCHES,
    ),
    Mutation(
        "a step repeats every error",
        "src/orchestrator/steps.py",
        "        retryable_error_types=[AwsBusyError],\n",
        "",
        LAUNCHES,
    ),
    Mutation(
        "events of two tasks are taken for the same",
        "src/ecs_events/task_state.py",
        'key = {"taskArn": task["taskArn"], "version": task["version"]}',
        'key = {"version": task["version"]}',
        ("tests/integration/repairs/test_two_tasks.py",),
    ),
    Mutation(
        "a failed worker exits as if it had succeeded",
        "src/worker/process.py",
        "        return _failed(assignment, error)\n",
        "        _failed(assignment, error)\n",
        ("tests/integration/worker",),
    ),
    Mutation(
        "a worker exits with the code of a container without its code",
        "src/worker/process.py",
        "    if exit_code != NOT_FETCHED:\n",
        "    if exit_code:\n",
        ("tests/integration/worker",),
    ),
    Mutation(
        "a container without its code exits with a code that a worker may have",
        "src/worker/fetch.py",
        "NOT_FETCHED = 222\n",
        "NOT_FETCHED = 75\n",
        ("tests/unit/test_template_tasks.py",),
    ),
)
