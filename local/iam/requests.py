"""AWS's checks of an API request: its actions, their resources and their context.

Operations that neither a function nor a worker uses are left out: a request for one is an error.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from aws_durable_execution_sdk_python_testing.child_dispatcher import parse_function_target
from aws_durable_execution_sdk_python_testing.token import CallbackToken

from local.iam.access import Access, Context
from local.iam.attributes import OUTDATED, named

# For AWS every request comes by HTTPS, so it does here.
ALWAYS: Context = {"aws:securetransport": ("true",)}
_EVERYTHING = "*"
# S3's ARNs name neither Region nor account.
BUCKETS = "arn:aws:s3:::"


class UnknownRequestError(Exception):
    """It is not known here what AWS checks of a request; the message names the request."""


@dataclass(frozen=True, slots=True)
class Place:
    """The place of requests.

    Attributes:
        region: the stack's Region.
        account: the stack's account.
        passed: ARNs of the roles that a task definition hands to its tasks, by family.
    """

    region: str
    account: str
    passed: Mapping[str, tuple[str, ...]]

    def arn(self, service: str, resource: str) -> str:
        """Return an ARN of this place; a text that is an ARN already stays as it is."""
        if resource.startswith("arn:"):
            return resource
        return f"arn:aws:{service}:{self.region}:{self.account}:{resource}"

    def bucket(self, name: str) -> str:
        """Return a bucket's ARN."""
        return f"{BUCKETS}{name}"


def accesses(
    service: str, operation: str, parameters: Mapping[str, Any], place: Place
) -> Iterator[Access]:
    """Yield the accesses that AWS checks for a request; all have to be allowed.

    Args:
        service: the service in the signature, for example `dynamodb`.
        operation: the operation, as in the service's model, for example `UpdateItem`.
        parameters: the parameters by the model's names, as JSON values.
        place: the place of the request.

    Raises:
        UnknownRequestError: it is not known here what AWS checks of it.
    """
    check = _CHECKS.get((service, operation))
    if check is None:
        raise UnknownRequestError(_unknown(service, operation))
    action = f"{service}:{operation}"
    try:
        asked = list(check(action, parameters, place))
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise UnknownRequestError(
            f"{action} is asked in no form that is known: {error!r}"
        ) from error
    for found in asked:
        yield Access(found.action, found.resource, {**ALWAYS, **found.context})


def _unknown(service: str, operation: str) -> str:
    if operation:
        return (
            f"It is not known here what IAM checks for {operation} of {service}. Add it to "
            "local/iam/requests.py."
        )
    return (
        f"It is not known here what IAM checks for an unnamed operation of {service}: the "
        "request has no name that is known here, so no function and no worker can make it."
    )


_Check = Callable[[str, Mapping[str, Any], Place], Iterator[Access]]


def _table(action: str, asked: Mapping[str, Any], place: Place) -> Iterator[Access]:
    if outdated := OUTDATED & asked.keys():
        raise UnknownRequestError(f"{action}: {', '.join(sorted(outdated))} is not known here.")
    table = place.arn("dynamodb", f"table/{asked['TableName'].rpartition('/')[2]}")
    index = f"/index/{asked['IndexName']}" if "IndexName" in asked else ""
    context = {"dynamodb:attributes": named(asked)}
    if "ReturnValues" in asked:
        context["dynamodb:returnvalues"] = (asked["ReturnValues"],)
    yield Access(action, f"{table}{index}", context)


# With each of these parameters RunTask tags the task. AWS does not document whether it checks the
# last one alone.
_TAGGING = ("tags", "propagateTags", "enableECSManagedTags")


def _run_task(action: str, asked: Mapping[str, Any], place: Place) -> Iterator[Access]:
    definition = asked["taskDefinition"].rpartition("/")[2]
    family, _, revision = definition.partition(":")
    cluster = _cluster(asked, place)
    # AWS does not document whether it checks a bare family as it is, or as its newest revision.
    for name in [definition] if revision else [family, f"{family}:1"]:
        yield Access(action, place.arn("ecs", f"task-definition/{name}"), _in(cluster))
    overrides = asked.get("overrides", {})
    given = [overrides[key] for key in ("taskRoleArn", "executionRoleArn") if key in overrides]
    for role in (*place.passed.get(family, ()), *given):
        yield Access("iam:PassRole", role, {"iam:passedtoservice": ("ecs-tasks.amazonaws.com",)})
    if any(asked.get(key) for key in _TAGGING):
        tasks = place.arn("ecs", f"task/{cluster.rpartition('/')[2]}/*")
        yield Access("ecs:TagResource", tasks, {**_in(cluster), "ecs:createaction": ("RunTask",)})


def _tasks(action: str, asked: Mapping[str, Any], place: Place) -> Iterator[Access]:
    cluster = _cluster(asked, place)
    tasks = asked["tasks"] if "tasks" in asked else [asked["task"]]
    for task in tasks:
        name = f"task/{cluster.rpartition('/')[2]}/{task}"
        yield Access(action, place.arn("ecs", task if "/" in task else name), _in(cluster))


def _list_tasks(action: str, asked: Mapping[str, Any], place: Place) -> Iterator[Access]:
    yield Access(action, _EVERYTHING, _in(_cluster(asked, place)))


def _cluster(asked: Mapping[str, Any], place: Place) -> str:
    cluster = asked.get("cluster", "default")
    return cluster if cluster.startswith("arn:") else place.arn("ecs", f"cluster/{cluster}")


def _in(cluster: str) -> Context:
    return {"ecs:cluster": (cluster,)}


def _execution(action: str, asked: Mapping[str, Any], _: Place) -> Iterator[Access]:
    yield Access(action, asked["DurableExecutionArn"])


def _callback(action: str, asked: Mapping[str, Any], _: Place) -> Iterator[Access]:
    # The callback id is the local runner's, and it names the execution.
    yield Access(action, CallbackToken.from_str(asked["CallbackId"]).execution_arn)


def _function(_: str, asked: Mapping[str, Any], place: Place) -> Iterator[Access]:
    yield invocation(asked["FunctionName"], asked.get("Qualifier"), place)


def invocation(function: str, qualifier: str | None, place: Place) -> Access:
    """Return the access that AWS checks for an invocation.

    Args:
        function: the function's name, in any of its forms.
        qualifier: a version or an alias, if the name has none.
        place: the place of the request.
    """
    target = parse_function_target(function)
    qualified = ":".join(filter(None, (target.name, target.qualifier or qualifier)))
    return Access("lambda:InvokeFunction", place.arn("lambda", f"function:{qualified}"), ALWAYS)


def _layer(_: str, asked: Mapping[str, Any], __: Place) -> Iterator[Access]:
    yield Access("lambda:GetLayerVersion", asked["Arn"])


def _stream(action: str, asked: Mapping[str, Any], place: Place) -> Iterator[Access]:
    yield Access(action, log_stream(asked["logGroupName"], asked["logStreamName"], place))


def log_stream(group: str, name: str, place: Place) -> str:
    """Return a log stream's ARN."""
    return place.arn("logs", f"log-group:{group}:log-stream:{name}")


def _queue(action: str, asked: Mapping[str, Any], place: Place) -> Iterator[Access]:
    yield Access(action, place.arn("sqs", asked["QueueUrl"].rpartition("/")[2]))


def _parameter(action: str, asked: Mapping[str, Any], place: Place) -> Iterator[Access]:
    # A version or a label may follow. A name that begins with a slash has the slash of the ARN.
    name, is_arn = asked["Name"], asked["Name"].startswith("arn:")
    bare = ":".join(name.split(":")[: 6 if is_arn else 1])
    resource = bare if is_arn else f"parameter/{bare.removeprefix('/')}"
    yield Access(action, place.arn("ssm", resource))


def _object(action: str) -> _Check:
    def check(_: str, asked: Mapping[str, Any], place: Place) -> Iterator[Access]:
        version = "Version" if "VersionId" in asked else ""
        yield Access(f"{action}{version}", f"{place.bucket(asked['Bucket'])}/{asked['Key']}")

    return check


def _put_object(_: str, asked: Mapping[str, Any], place: Place) -> Iterator[Access]:
    resource = f"{place.bucket(asked['Bucket'])}/{asked['Key']}"
    yield Access("s3:PutObject", resource)
    for more in _PUT_WITH:
        if more in asked:
            yield Access(f"s3:PutObject{'Acl' if more == 'ACL' else more}", resource)


def _bucket(_: str, asked: Mapping[str, Any], place: Place) -> Iterator[Access]:
    yield listing(asked["Bucket"], place)


def listing(bucket: str, place: Place) -> Access:
    """Return the access that AWS checks before it lists objects, or says that one is missing."""
    return Access("s3:ListBucket", place.bucket(bucket), ALWAYS)


# Each of these parameters needs an action of its own.
_PUT_WITH = ("ACL", "Tagging")


def _everything(action: str, _: Mapping[str, Any], __: Place) -> Iterator[Access]:
    yield Access(action, _EVERYTHING)


_CHECKS: Mapping[tuple[str, str], _Check] = {
    ("dynamodb", "DeleteItem"): _table,
    ("dynamodb", "GetItem"): _table,
    ("dynamodb", "PutItem"): _table,
    ("dynamodb", "Query"): _table,
    ("dynamodb", "Scan"): _table,
    ("dynamodb", "UpdateItem"): _table,
    ("ecs", "DescribeTasks"): _tasks,
    ("ecs", "ListTasks"): _list_tasks,
    ("ecs", "RunTask"): _run_task,
    ("ecs", "StopTask"): _tasks,
    ("lambda", "CheckpointDurableExecution"): _execution,
    ("lambda", "GetDurableExecution"): _execution,
    ("lambda", "GetDurableExecutionState"): _execution,
    ("lambda", "GetLayerVersionByArn"): _layer,
    ("lambda", "Invoke"): _function,
    ("lambda", "SendDurableExecutionCallbackFailure"): _callback,
    ("lambda", "SendDurableExecutionCallbackHeartbeat"): _callback,
    ("lambda", "SendDurableExecutionCallbackSuccess"): _callback,
    ("lambda", "StopDurableExecution"): _execution,
    ("logs", "CreateLogStream"): _stream,
    ("logs", "GetLogEvents"): _stream,
    ("logs", "PutLogEvents"): _stream,
    ("s3", "AbortMultipartUpload"): _object("s3:AbortMultipartUpload"),
    ("s3", "CompleteMultipartUpload"): _object("s3:PutObject"),
    ("s3", "CreateMultipartUpload"): _put_object,
    ("s3", "DeleteObject"): _object("s3:DeleteObject"),
    ("s3", "GetObject"): _object("s3:GetObject"),
    ("s3", "HeadBucket"): _bucket,
    ("s3", "HeadObject"): _object("s3:GetObject"),
    ("s3", "ListObjects"): _bucket,
    ("s3", "ListObjectsV2"): _bucket,
    ("s3", "PutObject"): _put_object,
    ("s3", "UploadPart"): _object("s3:PutObject"),
    ("sqs", "SendMessage"): _queue,
    ("ssm", "GetParameter"): _parameter,
    ("xray", "PutTelemetryRecords"): _everything,
    ("xray", "PutTraceSegments"): _everything,
}
