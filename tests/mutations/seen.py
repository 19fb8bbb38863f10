"""Mistakes about what is counted and traced, each with the tests that should notice."""

from __future__ import annotations

from tests.mutations.mutation import Mutation

_TRACE, _METRICS = "src/core/trace.py", "src/core/metrics.py"
_RECORDS, _OBSERVATION = "src/adapters/records.py", "src/adapters/observation.py"
_TRACED = ("tests/unit/core/test_trace.py",)
_COUNTED = ("tests/unit/core/test_metrics.py",)
_OBSERVED = ("tests/integration/test_observation.py",)
_SENT = ("tests/unit/adapters/test_traces.py",)
_WRITES = ("tests/integration/repairs/test_writes.py",)
_RECONCILED = ("tests/integration/repairs/test_reconciler_metrics.py",)

MUTATIONS = (
    Mutation(
        "an execution that is not sampled is traced",
        _TRACE,
        "    if header is None or not header.is_sampled:\n",
        "    if header is None:\n",
        _TRACED,
    ),
    Mutation(
        "each attempt has the same segment",
        _TRACE,
        'key = f"{record.execution_arn}/{record.attempt}"',
        "key = record.execution_arn",
        _TRACED,
    ),
    Mutation(
        "a segment that is sent again is another one",
        _TRACE,
        'key = f"{record.execution_arn}/{record.attempt}"',
        'key = f"{record.execution_arn}/{record.attempt}/{outcome.kind}"',
        _TRACED,
    ),
    Mutation(
        "phases end before they begin",
        _TRACE,
        "accumulate(map(_seconds, [*begins.values(), *last]), max)",
        "map(_seconds, [*begins.values(), *last])",
        _TRACED,
    ),
    Mutation(
        "a success is a fault",
        _TRACE,
        "    if outcome.succeeded:\n        return {}\n",
        "",
        _TRACED,
    ),
    Mutation(
        "a trace's id is whatever the header says",
        _TRACE,
        "        if not _ROOT.fullmatch(root):\n",
        "        if not root:\n",
        _TRACED,
    ),
    Mutation(
        "a refusal without a task is not counted",
        _METRICS,
        "if outcome.task_arn is None and isinstance(outcome, FailedToStart):",
        "if outcome.task_arn and isinstance(outcome, FailedToStart):",
        _COUNTED,
    ),
    Mutation(
        "a duration may be negative",
        _METRICS,
        "    return max(seconds, 0.0)\n",
        "    return seconds\n",
        _COUNTED,
    ),
    Mutation(
        "a record between two attempts is overdue",
        _METRICS,
        "        if not record.is_backing_off:\n",
        "        if record:\n",
        _COUNTED,
    ),
    Mutation(
        "an attempt that has not begun is counted",
        _METRICS,
        "record.attempt - record.is_backing_off",
        "record.attempt",
        _COUNTED,
    ),
    Mutation(
        "a task is counted by each write that names it",
        _RECORDS,
        'condition & Attr("taskArn").not_exists(), write)',
        "condition, write)",
        _WRITES,
    ),
    Mutation(
        "a write that was refused at once passes for one that was made unanswered",
        _RECORDS,
        "    return reply is Reply.MADE or (reply is Reply.REFUSED_AGAIN and is_own())\n",
        "    return reply is Reply.MADE or is_own()\n",
        _WRITES,
    ),
    Mutation(
        "a write that was made unanswered is another's",
        _RECORDS,
        "    return reply is Reply.MADE or (reply is Reply.REFUSED_AGAIN and is_own())\n",
        "    return reply is Reply.MADE\n",
        _WRITES,
    ),
    Mutation(
        "a write that was made but never answered is not counted",
        _RECORDS,
        "            if is_own():\n                return True\n        raise\n",
        "            is_own()\n        raise\n",
        _WRITES,
    ),
    Mutation(
        "an attempt is counted although somebody else has ended it",
        _RECORDS,
        "        if write is Write.WRITTEN:\n            is_failure",
        "        if write.holds:\n            is_failure",
        ("tests/integration/repairs/test_writes.py", "tests/integration/test_observation.py"),
    ),
    Mutation(
        "the end of an attempt that another follows is not counted",
        _RECORDS,
        "            observation.attempt_ended(record, outcome)\n",
        "            pass\n",
        _OBSERVED,
    ),
    Mutation(
        "a refused launch is not counted",
        _RECORDS,
        "            observation.launch_refused(record)\n",
        "            pass\n",
        _OBSERVED,
    ),
    Mutation(
        "an execution that somebody stopped counts as a failure",
        "src/core/verdict.py",
        'is_wanted=execution == "STOPPED"',
        "is_wanted=False",
        _RECONCILED,
    ),
    Mutation(
        "a segment that X-Ray refuses is not counted",
        "src/adapters/traces.py",
        '        refused = answer.get("UnprocessedTraceSegments")\n',
        "        refused = None\n",
        _OBSERVED,
    ),
    Mutation(
        "an error of X-Ray's fails a completion",
        "src/adapters/traces.py",
        "    except Exception as error:  # noqa: BLE001 - a trace is never a reason to fail\n",
        "    except ValueError as error:\n",
        _OBSERVED,
    ),
    Mutation(
        "a trace is waited for until X-Ray has answered",
        "src/adapters/traces.py",
        "refusal.result(_LONGEST_SECONDS)",
        "refusal.result()",
        _SENT,
    ),
    Mutation(
        "a count that fails is an error of the write",
        _OBSERVATION,
        '        logger.exception("Not counted")\n',
        "        raise\n",
        _OBSERVED,
    ),
    Mutation(
        "a missed event is not counted",
        "src/ecs_events/reconciliation.py",
        "                if done.is_in_place_of_event and not _is_in_time(done, record):\n",
        "                if done.is_in_place_of_event and self.tally.unsettled:\n",
        _RECONCILED,
    ),
    Mutation(
        "an event that is on its way counts as missed",
        "src/ecs_events/reconciliation.py",
        "    return ended is not None and clock.now() - ended < EVENT_GRACE\n",
        "    return False\n",
        _RECONCILED,
    ),
    Mutation(
        "a record that is closed unread is no failure",
        "src/adapters/records.py",
        "                observation.unreadable_closed(unreadable)\n",
        "                pass\n",
        _RECONCILED,
    ),
    Mutation(
        "the reconciler passes for the event",
        "src/ecs_events/reconciliation.py",
        "outcome.learned(LearnedBy.RECONCILER, clock.now())",
        "outcome.learned(LearnedBy.EVENT, clock.now())",
        _RECONCILED,
    ),
    Mutation(
        "who learns an end last has learned it",
        "src/core/outcome/kinds.py",
        "        if self.learned_by is not None:\n            return self\n",
        "",
        ("tests/unit/core/test_outcome_kinds.py",),
    ),
    Mutation(
        "one end that two have learned is news twice",
        "src/core/record.py",
        'SAME_END = ("kind", "taskArn", "detail")',
        'SAME_END = ("kind", "taskArn", "detail", "learnedBy")',
        ("tests/integration/repairs/test_writes.py", "tests/unit/core/test_record.py"),
    ),
)
