"""Mistakes in the causes of failed starts, and in what is said of other containers."""

from __future__ import annotations

from tests.mutations.mutation import Mutation

_PATH = "src/core/outcome/causes.py"
_CAUSES = ("tests/unit/core/test_causes.py",)
_FIELD = ("tests/unit/core/test_field.py",)

MUTATIONS = (
    Mutation(
        "an address before the number of a registry's answer hides it",
        _PATH,
        r""" request to)?[ :]{1,2}(?:\S{1,300}: )?"
""",
        r""" request to)?[ :]{1,2}"
""",
        _CAUSES,
    ),
    Mutation(
        "a number in an image's tag is taken for a registry's answer",
        _PATH,
        r"""rf"|perform: ecr:|(?:{_STATUS}|api error \()40[13]\b",""",
        r"""r"|perform: ecr:|\b40[13]\b",""",
        _CAUSES,
    ),
    Mutation(
        "a missing route to CloudWatch is taken for a wrong log option",
        _PATH,
        r"logger args.{0,200}(?:unable to get|is required)",
        r"logger args",
        _CAUSES,
    ),
    Mutation(
        "any service's throttle is taken for a registry's limit",
        _PATH,
        r"|toomanyrequests:",
        r"|toomanyrequests",
        _CAUSES,
    ),
    Mutation(
        "the last cause that fits counts",
        _PATH,
        "for cause in CAUSES if",
        "for cause in reversed(CAUSES) if",
        _CAUSES,
    ),
    Mutation(
        "a reason that is not known passes",
        _PATH,
        "    return cause is not None and cause.passes\n",
        "    return cause is None or cause.passes\n",
        _CAUSES,
    ),
    Mutation(
        "a pattern skips without a bound",
        _PATH,
        r"security ?group|\bgroup).{0,200}",
        r"security ?group|\bgroup)\S*.{0,200}",
        _CAUSES,
    ),
    Mutation(
        "an image is taken for what it is called",
        _PATH,
        r"""_EFS = r"\befs (?:utils|volume|file ?system)|""",
        r"""_EFS = r"\befs\b|""",
        _CAUSES,
    ),
    Mutation(
        "a container whose start timed out has run",
        "src/core/outcome/beside.py",
        "transition to (?:created|started|running)",
        "transition to (?:created)",
        ("tests/unit/core/test_outcome_causes.py",),
    ),
    Mutation(
        "a start that is retried has no advice of its own",
        "src/core/outcome/kinds.py",
        "        if cause:\n",
        "        if cause and not self.transient:\n",
        _FIELD,
    ),
    Mutation(
        "the container that ended the task is not named in the advice",
        "src/core/outcome/kinds.py",
        "        if self.ended_by:\n            ended =",
        "        if self.ended_by and not self.exit_code:\n            ended =",
        _FIELD,
    ),
    Mutation(
        "the container that ended the task is not named in the detail",
        "src/core/outcome/classification.py",
        "    told += [other.sentence + _ended_the_task(kind), other.reason] if other else []\n",
        "    told += [other.reason] if other else []\n",
        _FIELD,
    ),
    Mutation(
        "the exit of a container whose instance is gone is its own",
        "src/core/outcome/classification.py",
        r"""    r"|^host ec2 \(instance .{0,60}\) (?:stopped|terminated)",
""",
        "    ,\n",
        ("tests/unit/core/test_outcome_causes.py",),
    ),
)
