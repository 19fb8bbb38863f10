"""The facts of the account: each takes one call with the caller's credentials.

No call changes anything.
"""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from threading import Lock
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError
from botocore.exceptions import ConnectionError as NoConnectionError
from botocore.parsers import ResponseParserError

from core.record import OPEN, OPEN_INDEX
from scripts.preflight.facts import Account, Deployed, Unknown
from scripts.preflight.kinds import KINDS
from scripts.preflight.rules import SAM_STACK, VPC_QUOTA, is_foreign
from scripts.preflight.stack_rules import is_ours

if TYPE_CHECKING:
    from collections.abc import Mapping

    from scripts.preflight.facts import Named, Plan

# A look is quick: a service that does not answer soon is reported as such.
_CONFIG = Config(connect_timeout=5, read_timeout=10, retries={"total_max_attempts": 1})
_AT_ONCE = 8
# IAM has one address for all Regions, so it answers also for a Region that does not exist.
_OF_NO_REGION = frozenset({"iam"})
_NOT_AWS = "what answered is not AWS"
_DENIED = frozenset(
    {"AccessDenied", "AccessDeniedException", "AuthorizationError", "UnauthorizedOperation"}
)
# CloudFormation's code for a stack, or a resource of one, that it does not know.
_NO_STACK = frozenset({"ValidationError"})
# A resource may have failed because a resource of another owner has its name.
_NOT_HELD = frozenset({"CREATE_FAILED", "DELETE_COMPLETE", "DELETE_SKIPPED"})
_NOT_FOUND = frozenset({"ResourceNotFoundException"})
# AWS's codes for a key, a token or a signature that is invalid or has expired.
_STRANGER = frozenset(
    {
        "AuthFailure",
        "ExpiredToken",
        "ExpiredTokenException",
        "IncompleteSignature",
        "InvalidAccessKeyId",
        "InvalidClientTokenId",
        "InvalidSignatureException",
        "MissingAuthenticationToken",
        "MissingAuthenticationTokenException",
        "RequestExpired",
        "SignatureDoesNotMatch",
        "UnrecognizedClientException",
    }
)


class CredentialsError(Exception):
    """AWS does not know the environment's credentials, or no Region is named."""


class UnansweredError(Exception):
    """AWS has answered no call to the Region, so nothing of it is known."""


class NotAwsError(HTTPClientError):  # type: ignore[misc]
    """An answer came that is not AWS's, for example a proxy's page."""

    fmt = _NOT_AWS


class Reader:
    """Asks AWS, each call once.

    Raises:
        CredentialsError: the environment names no Region, an unknown profile, or a wrong address.

    Attributes:
        region: the Region that is asked.
        is_answered: whether AWS has answered any look at the Region, even with an error.
    """

    def __init__(self) -> None:
        self._clients: dict[str, Any] = {}
        self._lock = Lock()
        self.is_answered = False
        try:
            self._session = boto3.Session()
            # STS's client is of no use here: without a Region it takes one of its own.
            self.region: str = self._client("cloudformation").meta.region_name
        # A ValueError says that the endpoint is no address.
        except (BotoCoreError, ValueError) as error:
            raise CredentialsError(str(error)) from error

    def _client(self, service: str) -> Any:  # noqa: ANN401 - boto3's clients have no static type
        # Threads may share a client, but not make one at the same time.
        with self._lock:
            if service not in self._clients:
                self._clients[service] = self._session.client(service, config=_CONFIG)
            return self._clients[service]

    def ask(
        self,
        service: str,
        operation: str,
        given: Mapping[str, Any],
        absent: frozenset[str] = frozenset(),
    ) -> dict[str, Any] | Unknown | None:
        """Return the answer; None for an error among `absent`; `Unknown` for any other error."""
        try:
            answer = self._answer(service, operation, given)
        except ClientError as error:
            self._hear(service, error.response)
            code = _code(error)
            if code in absent:
                return None
            meta = self._client(service).meta
            asked = f"{meta.service_model.signing_name}:{meta.method_to_api_mapping[operation]}"
            return Unknown(_said(error), asked if code in _DENIED else "", code)
        except BotoCoreError as error:
            return Unknown(f"{service} did not answer: {_first_line(error)}")
        self._hear(service, answer)
        return answer

    def _hear(self, service: str, answer: Mapping[str, Any]) -> None:
        if service not in _OF_NO_REGION and _is_of_aws(answer):
            self.is_answered = True

    def _answer(self, service: str, operation: str, given: Mapping[str, Any]) -> dict[str, Any]:
        """Return AWS's answer.

        Raises:
            BotoCoreError, ClientError: AWS gave none.
        """
        # botocore may turn a page into an error of any kind, or into an empty answer.
        try:
            answer: dict[str, Any] = getattr(self._client(service), operation)(**given)
        except (AttributeError, LookupError, ResponseParserError, TypeError) as error:
            raise NotAwsError from error
        if not _is_of_aws(answer):
            raise NotAwsError
        return answer

    def account(self) -> str | Unknown:
        """Return the number of the caller's account.

        Raises:
            CredentialsError: AWS does not know who asks.
        """
        try:
            return str(self._answer("sts", "get_caller_identity", {})["Account"])
        except ClientError as error:
            if _code(error) in _STRANGER:
                raise CredentialsError(_said(error)) from error
            return Unknown(_said(error))
        except (NoConnectionError, HTTPClientError) as error:
            return Unknown(_first_line(error))
        except BotoCoreError as error:
            raise CredentialsError(str(error)) from error


def _is_of_aws(answer: Mapping[str, Any]) -> bool:
    """Whether an answer is AWS's: each of AWS's has a request id."""
    return "RequestId" in answer.get("ResponseMetadata", {})


def _code(error: ClientError) -> str:
    # An error that is not AWS's may have no code.
    return str(error.response.get("Error", {}).get("Code", ""))


def _said(error: ClientError) -> str:
    message = error.response.get("Error", {}).get("Message", "")
    return f"{_code(error) or _NOT_AWS}: {message}".rstrip(": ")


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0]


def look(plan: Plan, reader: Reader) -> Account:
    """Return the facts of the account, as far as the caller may see them.

    Raises:
        UnansweredError: no call to the Region was answered.
    """
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        found = pool.submit(_stack, plan.stack, reader)
        sam_stack = pool.submit(_stack, SAM_STACK, reader)
        taken = {named: pool.submit(_holder, named, reader) for named in plan.named}
        ecs_role = pool.submit(_has_ecs_role, reader)
        vpcs, quota = pool.submit(_vpcs, reader), pool.submit(_vpc_quota, reader)
        durable = pool.submit(_knows_durable, plan, reader)
        seen = Account(
            region=reader.region,
            stack=found.result(),
            sam_stack=sam_stack.result(),
            ecs_role=ecs_role.result(),
            vpcs=vpcs.result(),
            vpc_quota=quota.result(),
            durable=durable.result(),
            taken={named: its.result() for named, its in taken.items()},
            cli_region=os.environ.get("AWS_REGION", ""),
        )
        if not reader.is_answered:
            raise UnansweredError(str(seen.stack))
        foreign = [named for named in plan.named if is_foreign(named, seen) is True]
        ids = [str(seen.taken[named]) for named in foreign]
        owners = dict(zip(foreign, pool.map(partial(_owner, reader), ids), strict=True))
    # A stack of unknown owner may be ours, so its open records are counted.
    may_update = isinstance(seen.stack, Deployed) and is_ours(plan, seen.stack) is not False
    return replace(
        seen,
        owners={named: owner for named, owner in owners.items() if owner},
        open_records=_open_records(plan, reader) if may_update else None,
    )


def _stack(name: str, reader: Reader) -> Deployed | Unknown | None:
    answer = reader.ask("cloudformation", "describe_stacks", {"StackName": name}, _NO_STACK)
    if answer is None or isinstance(answer, Unknown):
        return answer
    [found] = answer["Stacks"]
    return Deployed(
        status=found["StackStatus"],
        description=found.get("Description", ""),
        outputs=frozenset(output["OutputKey"] for output in found.get("Outputs", ())),
        resources=_resources(name, reader),
    )


def _resources(name: str, reader: Reader) -> frozenset[tuple[str, str]] | Unknown:
    owned: set[tuple[str, str]] = set()
    more: dict[str, str] = {}
    while True:
        asked = {"StackName": name, **more}
        page = reader.ask("cloudformation", "list_stack_resources", asked)
        if page is None or isinstance(page, Unknown):
            return page or frozenset()
        owned |= {
            (one["ResourceType"], one["PhysicalResourceId"])
            for one in page["StackResourceSummaries"]
            if _is_held(one)
        }
        if "NextToken" not in page:
            return frozenset(owned)
        more = {"NextToken": page["NextToken"]}


def _is_held(resource: Mapping[str, Any]) -> bool:
    """Whether a stack holds a resource that it lists."""
    return bool(resource.get("PhysicalResourceId")) and resource["ResourceStatus"] not in _NOT_HELD


def _holder(named: Named, reader: Reader) -> str | Unknown:
    """Return the physical id of the resource that has the name; empty if the name is free."""
    if (kind := KINDS.get(named.kind)) is None:
        return Unknown(f"nobody has said here how to look for {named.name}")
    given = kind.given(named.name)
    answer = reader.ask(kind.service, kind.operation, given, kind.absent)
    if isinstance(answer, Unknown):
        return answer
    return "" if answer is None else kind.physical_id(answer, named.name)


def _owner(reader: Reader, physical_id: str) -> str | Unknown:
    """Return the stack that a resource belongs to; empty if it belongs to none."""
    asked = {"PhysicalResourceId": physical_id}
    answer = reader.ask("cloudformation", "describe_stack_resources", asked, _NO_STACK)
    if answer is None or isinstance(answer, Unknown):
        return answer or ""
    # The answer has all resources of the stack, also of one that no longer holds this resource.
    its = (one for one in answer["StackResources"] if one.get("PhysicalResourceId") == physical_id)
    return next((str(one["StackName"]) for one in its if _is_held(one)), "")


def _has_ecs_role(reader: Reader) -> bool | Unknown:
    role = {"RoleName": "AWSServiceRoleForECS"}
    answer = reader.ask("iam", "get_role", role, frozenset({"NoSuchEntity"}))
    return answer if isinstance(answer, Unknown) else answer is not None


def _vpcs(reader: Reader) -> int | Unknown:
    # A quota is below a thousand, so one page is enough.
    answer = reader.ask("ec2", "describe_vpcs", {"MaxResults": 1000})
    return answer if isinstance(answer, Unknown) else len((answer or {})["Vpcs"])


def _vpc_quota(reader: Reader) -> int | Unknown:
    asked = {"ServiceCode": "vpc", "QuotaCode": VPC_QUOTA}
    answer = reader.ask("service-quotas", "get_service_quota", asked)
    return answer if isinstance(answer, Unknown) else int((answer or {})["Quota"]["Value"])


def _knows_durable(plan: Plan, reader: Reader) -> bool | Unknown:
    """Ask for a function's executions: a Region with the API says that there is no function."""
    asked = {"FunctionName": f"{plan.stack}-nobody"}
    answer = reader.ask("lambda", "list_durable_executions_by_function", asked, _NOT_FOUND)
    if isinstance(answer, Unknown):
        return False if answer.code == "UnknownOperationException" else answer
    return True


def _open_records(plan: Plan, reader: Reader) -> int | Unknown | None:
    asked = {
        "TableName": plan.records_table,
        "IndexName": OPEN_INDEX,
        "Select": "COUNT",
        "KeyConditionExpression": "#open = :open",
        "ExpressionAttributeNames": {"#open": "open"},
        "ExpressionAttributeValues": {":open": {"S": OPEN}},
    }
    answer = reader.ask("dynamodb", "query", asked, _NOT_FOUND)
    return answer if answer is None or isinstance(answer, Unknown) else int(answer["Count"])
