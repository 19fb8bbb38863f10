"""Mistakes about inputs, results and where they lie, each with the tests that should notice."""

from __future__ import annotations

from tests.mutations.mutation import Mutation

_INPUT = "src/core/input.py"
_RULES = ("tests/unit/core/test_input.py",)
_PUT = ("tests/integration/test_input.py",)
_DATA = ("tests/unit/core/test_data.py",)
_PROGRESS = ("tests/unit/worker/test_progress.py",)
_LAUNCH = "src/orchestrator/execution.py"
_PUT_AND_START = """\
        self._put_input(record.job)
        return placement.start(self.launch.stored(record), self.settings)
"""

MUTATIONS = (
    Mutation(
        "an input's length is counted without what its quotes become",
        _INPUT,
        "    if len(json.dumps(text)) <= MAX_INLINE:\n",
        "    if len(text) <= MAX_INLINE:\n",
        _RULES,
    ),
    Mutation(
        "the longest input that has room as text is an object",
        _INPUT,
        "    if len(json.dumps(text)) <= MAX_INLINE:\n",
        "    if len(json.dumps(text)) < MAX_INLINE:\n",
        _RULES,
    ),
    Mutation(
        "two inputs of an execution lie at one place",
        _INPUT,
        "data.input_key(execution_id, sha256)",
        'data.input_key(execution_id, "input")',
        _RULES,
    ),
    Mutation(
        "an input's hash is of other bytes",
        _INPUT,
        "hashlib.sha256(body)",
        "hashlib.sha256(body[1:])",
        _RULES,
    ),
    Mutation(
        "an input of nothing is none",
        _INPUT,
        "    if value is None:\n",
        "    if not value:\n",
        _RULES,
    ),
    Mutation(
        "an input is no JSON that others could read",
        _INPUT,
        "allow_nan=False",
        "allow_nan=True",
        _RULES,
    ),
    Mutation(
        "an address is no variable's value",
        _INPUT,
        '    if address is None or "\\0" in address.key:\n',
        "    if address is None:\n",
        _RULES,
    ),
    Mutation(
        "an input expires on the day of its last attempt",
        _INPUT,
        "    days = -(-seconds // _SECONDS_A_DAY)\n",
        "    days = seconds // _SECONDS_A_DAY\n",
        _RULES,
    ),
    Mutation(
        "an input that is no object of the stack's expires",
        _INPUT,
        "    if given.body is not None and days > retention_days:\n",
        "    if days > retention_days:\n",
        _RULES,
    ),
    Mutation(
        "an input lasts for its first attempt",
        "src/core/work.py",
        "    return policy.max_attempts * timeout + between + RESERVE_SECONDS\n",
        "    return timeout + between + RESERVE_SECONDS\n",
        _RULES,
    ),
    Mutation(
        "an input lasts as long as its attempts alone",
        "src/core/work.py",
        "    return policy.max_attempts * timeout + between + RESERVE_SECONDS\n",
        "    return policy.max_attempts * timeout + (RESERVE_SECONDS if between else 0)\n",
        _RULES,
    ),
    Mutation(
        "an address beside an input of nothing is taken",
        "src/core/payload.py",
        "    if given.input is not None and given.input_uri is not None:\n",
        "    if given.input and given.input_uri is not None:\n",
        _RULES,
    ),
    Mutation(
        "an input is put before its record exists",
        _LAUNCH,
        "        record = self.create_record(log, callback_id)\n",
        "        self._put_input(self.work.job)\n"
        "        record = self.create_record(log, callback_id)\n",
        _PUT,
    ),
    Mutation(
        "an input is put once its task runs",
        _LAUNCH,
        _PUT_AND_START,
        """\
        started = placement.start(self.launch.stored(record), self.settings)
        self._put_input(record.job)
        return started
""",
        _PUT,
    ),
    Mutation(
        "an input is put for a record that is closed",
        _LAUNCH,
        "        if decided := self._decided(record):\n",
        "        self._put_input(record.job)\n        if decided := self._decided(record):\n",
        _PUT,
    ),
    Mutation(
        "an input is put at each attempt",
        _LAUNCH,
        "        if self.attempt > _FIRST or job.input_sha256 is None or self.work.body is None:\n",
        "        if job.input_sha256 is None or self.work.body is None:\n",
        _PUT,
    ),
    Mutation(
        "an input is put elsewhere than its container is told",
        "src/adapters/objects.py",
        "                Key=address.key,\n",
        '                Key=address.key.rpartition("/")[2],\n',
        _PUT,
    ),
    Mutation(
        "S3 keeps whatever has come of an input",
        "src/adapters/objects.py",
        "                ChecksumSHA256=base64.b64encode(bytes.fromhex(sha256)).decode(),\n",
        "",
        _PUT,
    ),
    Mutation(
        "an input's object is of any type",
        "src/adapters/objects.py",
        '                ContentType="application/json",\n',
        "",
        _PUT,
    ),
    Mutation(
        "a put that is refused does not say of what",
        "src/adapters/objects.py",
        "        raise AwsRefusedError(why, error.code) from error\n",
        "        raise AwsRefusedError(str(error), error.code) from error\n",
        _PUT,
    ),
    Mutation(
        "a result of another's ticket passes for an attempt's own",
        "src/core/data.py",
        "{attempt}-{ticket or _ANY_TICKET}/",
        "{attempt}-{_ANY_TICKET}/",
        ("tests/unit/core/test_record.py",),
    ),
    Mutation(
        "an address is measured in characters",
        "src/core/data.py",
        'len(match["key"].encode(errors="replace"))',
        'len(match["key"])',
        _DATA,
    ),
    Mutation(
        "an input whose body breaks off is not read again",
        "src/worker/data.py",
        "_READS = 5\n",
        "_READS = 1\n",
        ("tests/unit/worker/test_data.py",),
    ),
    Mutation(
        "an object's key is its last part",
        "src/worker/data.py",
        'uri.removeprefix("s3://").partition("/")',
        'uri.removeprefix("s3://").rpartition("/")',
        ("tests/unit/worker/test_data.py",),
    ),
    Mutation(
        "work is more than done",
        "src/worker/progress.py",
        "min(100, max(0, int(percent)))",
        "int(percent)",
        _PROGRESS,
    ),
    Mutation(
        "a message fills the record",
        "src/worker/progress.py",
        "text[:MAX_MESSAGE]",
        "text",
        _PROGRESS,
    ),
    Mutation(
        "progress that cannot be written is tried at each word",
        "src/worker/progress.py",
        """\
        self._written = time.monotonic()
        try:
            self._write(said)
""",
        """\
        try:
            self._write(said)
            self._written = time.monotonic()
""",
        _PROGRESS,
    ),
)
