"""IAM: the template's policies decide what a role or a service may do."""

from local.iam.access import Access
from local.iam.policy import Decision, Rule, decide, read
from local.iam.requests import Place, UnknownRequestError, accesses
from local.iam.roles import Role, of_resources, place_of, roles_of

__all__ = [
    "Access",
    "Decision",
    "Place",
    "Role",
    "Rule",
    "UnknownRequestError",
    "accesses",
    "decide",
    "of_resources",
    "place_of",
    "read",
    "roles_of",
]
