"""Preflight calls a name free that is taken, or has somebody else's resource deleted."""

from tests.mutations.mutation import Mutation

_RULES = ("tests/unit/preflight/test_rules.py",)
_STACK = ("tests/unit/preflight/test_stack_rules.py",)
_CREDENTIALS = ("tests/unit/preflight/test_credentials.py",)
_ACCOUNT = ("tests/integration/local/test_preflight.py",)

MUTATIONS = (
    Mutation(
        "what may not be looked at counts as free",
        "scripts/preflight/rules.py",
        "return its or False",
        "return False",
        _RULES,
    ),
    Mutation(
        "what belongs to another stack is to be deleted",
        "scripts/preflight/rules.py",
        "judged += _loose([named for named in taken if named not in account.owners])",
        "judged += _loose(taken)",
        _RULES,
    ),
    Mutation(
        "a Region that is full of VPCs has room for one more",
        "scripts/preflight/rules.py",
        "if count < quota:",
        "if count <= quota:",
        _RULES,
    ),
    Mutation(
        "an update starts from any state of its stack",
        "scripts/preflight/stack_rules.py",
        "if found.status not in _STARTS:",
        "if not found.status:",
        _STACK,
    ),
    Mutation(
        "an output of the same name makes a stack ours",
        "scripts/preflight/stack_rules.py",
        "    return of_each_release <= found.resources\n",
        "    return bool(of_each_release)\n",
        _STACK,
    ),
    Mutation(
        "an answer that is not AWS's counts",
        "scripts/preflight/account.py",
        """    return "RequestId" in answer.get("ResponseMetadata", {})\n""",
        """    return "ResponseMetadata" in answer\n""",
        _CREDENTIALS,
    ),
    Mutation(
        "a Region that is none answers, as IAM does",
        "scripts/preflight/account.py",
        '_OF_NO_REGION = frozenset({"iam"})',
        "_OF_NO_REGION = frozenset({None})",
        _CREDENTIALS,
    ),
    Mutation(
        "a delete command for a name whose owner is not known",
        "scripts/preflight/rules.py",
        "judged += _loose([named for named in taken if named not in account.owners])",
        "judged += _loose([n for n in taken if not isinstance(account.owners.get(n), str)])",
        _RULES,
    ),
    Mutation(
        "a cluster that was deleted is in the way",
        "scripts/preflight/kinds.py",
        'any(c["status"] != "INACTIVE" for c in answer["clusters"])',
        'bool(answer["clusters"])',
        _ACCOUNT,
    ),
    Mutation(
        "nobody is asked whose the name is",
        "scripts/preflight/account.py",
        "owners={named: owner for named, owner in owners.items() if owner}",
        "owners={}",
        _ACCOUNT,
    ),
)
