"""Mistakes in delivering events again, each with the tests that should notice."""

from __future__ import annotations

from tests.mutations.mutation import Mutation

_PURE = ("tests/unit/test_redrive.py", "tests/unit/test_letters.py")
_LOCAL = ("tests/integration/local/test_redrive.py",)

MUTATIONS = (
    Mutation(
        "an event is for the version that it was kept for",
        "scripts/redrive/deployed.py",
        "        return self.functions[function]\n",
        "        return target\n",
        _PURE,
    ),
    Mutation(
        "redrive delivers to a durable function",
        "scripts/redrive/deployed.py",
        '        if "DurableConfig" in self.configuration(function):\n',
        '        if "DurableConfig" in self.functions[function]:\n',
        _PURE,
    ),
    Mutation(
        "redrive takes what came during the run",
        "scripts/redrive/messages.py",
        'm["MessageId"] not in seen | late.keys()]',
        'm["MessageId"] not in seen]',
        _LOCAL,
    ),
    Mutation(
        "an event is deleted before Lambda has taken it",
        "scripts/redrive/__main__.py",
        """\
        boto3.client("lambda").invoke(FunctionName=function, InvocationType="Event", Payload=event)
        # The delete comes after Lambda has taken the event: a crash in between delivers it twice,
        # which does no harm.
        boto3.client("sqs").delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
""",
        """\
        boto3.client("sqs").delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        boto3.client("lambda").invoke(FunctionName=function, InvocationType="Event", Payload=event)
""",
        _LOCAL,
    ),
    Mutation(
        "an execution that has a payload is told as the one that left it",
        "scripts/redrive/letters.py",
        "_read(memory.payload(one)) == wanted])",
        "_read(memory.payload(one)) == wanted], is_sure=True)",
        _PURE,
    ),
    Mutation(
        "payloads of failed executions are hidden after they are told",
        "scripts/redrive/failed_executions.py",
        "    put_back(url, taken)\n",
        "",
        _LOCAL,
    ),
)
