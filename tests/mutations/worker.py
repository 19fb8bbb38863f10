"""Mistakes in the container's programs, each with the tests that should notice."""

from __future__ import annotations

from tests.mutations.mutation import Mutation

_WORKER = ("tests/integration/worker",)
_PROGRESS = ("tests/unit/worker/test_progress.py",)
_START = ("tests/integration/test_container_start.py",)

MUTATIONS = (
    Mutation(
        "a large result is told before it is there",
        "src/worker/report.py",
        "        data.put(value, text.encode())\n",
        "",
        _WORKER,
    ),
    Mutation(
        "a large result goes to a place that all attempts share",
        "src/worker/report.py",
        'f"{result_uri}{LARGE_RESULT}"',
        'f"s3://data/results/one/{LARGE_RESULT}"',
        _WORKER,
    ),
    Mutation(
        "the worker writes a result without a ticket",
        "src/worker/assignment.py",
        "        return bool(self.record_table and self.ticket)\n",
        "        return bool(self.record_table)\n",
        ("tests/unit/worker/test_assignment.py",),
    ),
    Mutation(
        "a result that nobody takes is handed over",
        "src/worker/process.py",
        "    if assignment.tells_result:\n",
        "    if assignment.flow:\n",
        _WORKER,
    ),
    Mutation(
        "progress outside of work is passed over in silence",
        "src/worker/report.py",
        '        logger.warning("Progress not taken: no work runs by worker.process.run")\n',
        "        pass\n",
        _WORKER,
    ),
    Mutation(
        "progress is written as often as it is told",
        "src/worker/progress.py",
        "if time.monotonic() - self._written >= SECONDS_BETWEEN_WRITES:",
        "if time.monotonic() >= self._written:",
        _PROGRESS,
    ),
    Mutation(
        "the work's last word is forgotten",
        "src/worker/report.py",
        "        current.finish()\n",
        "",
        _WORKER,
    ),
    Mutation(
        "progress that cannot be written fails the work",
        "src/worker/progress.py",
        '            logger.warning("Progress not recorded: %s", error)\n',
        "            raise\n",
        _PROGRESS,
    ),
    Mutation(
        "the code's folder is not where the command begins",
        "src/worker/fetch.py",
        '    os.chdir(folder / "worker")\n',
        "",
        ("tests/unit/test_template_tasks.py",),
    ),
    Mutation(
        "a command that cannot run ends as a container without its code",
        "src/worker/fetch.py",
        "NOT_RUN, NOT_FOUND = 126, 127\n",
        "NOT_RUN, NOT_FOUND = 222, 222\n",
        ("tests/unit/test_template_tasks.py",),
    ),
    Mutation(
        "the command runs in a process of its own",
        "template.yaml",
        "os.execvp(program, [program, *arguments])  # noqa: S606 - no shell\n",
        "sys.exit(os.spawnvp(os.P_WAIT, program, [program, *arguments]))\n",
        _START,
    ),
    Mutation(
        "objects of the data bucket are kept for ever",
        "template.yaml",
        "            Status: Enabled\n            ExpirationInDays",
        "            Status: Disabled\n            ExpirationInDays",
        ("tests/unit/test_template.py",),
    ),
    Mutation(
        "the data bucket may become public",
        "template.yaml",
        "        BlockPublicPolicy: true\n",
        "        BlockPublicPolicy: false\n",
        ("tests/unit/test_template.py",),
    ),
)
