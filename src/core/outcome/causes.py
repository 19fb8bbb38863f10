"""Why tasks fail to start: the reasons that AWS, registries and networks give, in one table."""

from __future__ import annotations

import re
from enum import StrEnum
from typing import NamedTuple

# How AWS says that it is too busy; ECS passes on the words of the services behind it.
TOO_BUSY = r"throttl|rate exceeded|too ?many ?requests|request ?limit ?exceeded"


class Area(StrEnum):
    """The fields that causes belong to."""

    CAPACITY = "capacity"
    NETWORK = "network"
    IMAGE = "image"
    SECRET = "secret"  # noqa: S105 - a word of the docs
    MEMORY = "memory"
    STORAGE = "storage"
    ROLE = "role"
    LOG = "log"
    COMMAND = "command"
    REQUEST = "request"
    SERVICE = "service"


class Cause(NamedTuple):
    """One cause, however it is worded.

    Attributes:
        name: unique, for people.
        area: the field that it belongs to.
        pattern: of the reasons that tell it; its case does not count.
        passes: whether the same request may well succeed later.
        advice: what to do, in one or two sentences.
    """

    name: str
    area: Area
    pattern: re.Pattern[str]
    passes: bool
    advice: str


def _lasts(name: str, area: Area, pattern: str, advice: str) -> Cause:
    return Cause(name, area, re.compile(pattern, re.IGNORECASE), passes=False, advice=advice)


def _passes(name: str, area: Area, pattern: str, advice: str) -> Cause:
    return Cause(name, area, re.compile(pattern, re.IGNORECASE), passes=True, advice=advice)


_WAY_OUT = (
    "a public address in a public subnet, a NAT gateway, or VPC endpoints for what the task needs, "
    "and a security group that lets HTTPS out"
)

DEPENDENCY_FAILED = _lasts(
    "dependency failed",
    Area.COMMAND,
    r"failed to resolve container ordering dependency|dependency did not exit successfully"
    r"|dependency (?:graph|container).{0,200}(?:exit|unhealthy|fail)",
    "A container that the main one depends on failed first: its own log says why.",
)

# The first row that fits counts: a lasting cause is often wrapped in the words of a passing one,
# such as "service call has been retried 3 time(s)".
CAUSES: tuple[Cause, ...] = (
    _passes(
        "not started in time",
        Area.SERVICE,
        r"^durable-task/(?:FailedToStart|TimedOut)",
        "The container never ran, so the work can be started again. If it repeats, look at the "
        "image's size, the subnets' free addresses and AWS Health, or raise startTimeoutSeconds.",
    ),
    DEPENDENCY_FAILED,
    # Secrets and parameters that a container definition names.
    _lasts(
        "secret without its key",
        Area.SECRET,
        r"did not contain json key|json key .{0,80}(?:not found|does not exist)"
        r"|unmarshal.{0,60}secret|secret.{0,200}invalid character",
        "The secret exists, but has not the JSON key that the container definition names: correct "
        "the key at the end of `ValueFrom`, or add it to the secret.",
    ),
    _lasts(
        "secret not found",
        Area.SECRET,
        r"secrets manager can't find|secret(?:s manager)?\b.{0,200}"
        r"(?:resourcenotfound|not found|(?:does not|doesn't) exist|marked (?:for deletion|deleted))"
        r"|(?:ssm|parameter).{0,200}(?:invalid parameters?:|parameternotfound)",
        "The secret or parameter that the container definition names does not exist in this Region "
        "and account: create it, or correct `ValueFrom`.",
    ),
    _lasts(
        "secret refused",
        Area.SECRET,
        r"(?:access ?denied|not authorized).{0,300}(?:secretsmanager|ssm):get"
        r"|(?:secret from asm|secrets? manager|ssm).{0,300}(?:access ?denied|not authorized)",
        "The task's execution role may not read the secret or parameter: let it call "
        "secretsmanager:GetSecretValue or ssm:GetParameters on it.",
    ),
    _lasts(
        "key cannot be used",
        Area.SECRET,
        r"\bkms\b.{0,200}(?:denied|not authorized|disabled|not ?found|invalid)"
        r"|kms:decrypt|customer master key.{0,40}(?:does not|doesn't) exist",
        "The KMS key of a secret, parameter or image cannot be used: enable it, and let the task's "
        "execution role call kms:Decrypt with it.",
    ),
    # Rules of an organization.
    _lasts(
        "tag policy",
        Area.REQUEST,
        r"tag ?polic(?:y|ies)",
        "A tag policy of the AWS organization refuses a tag of the task: use a value that it "
        "allows, or have the policy changed.",
    ),
    # Storage: a file system of its own, and the task's disk.
    _lasts(
        "EFS refuses the mount",
        Area.STORAGE,
        r"(?:\befs\b|elasticfilesystem|mount\.nfs4?).{0,300}(?:access ?denied|not authorized)",
        "EFS refuses the mount: give the task's role elasticfilesystem:ClientMount (and "
        "ClientWrite), and look at the file system's policy and access point.",
    ),
    _lasts(
        "EFS not found",
        Area.STORAGE,
        r"(?:\befs\b|\bfs-[0-9a-f]+|mount\.nfs4?).{0,300}"
        r"(?:failed to resolve|could not be resolved|filesystemnotfound|not found|does not exist"
        r"|no such file or directory)",
        "The EFS file system, its access point or its directory cannot be found: compare its id "
        "with the definition's, and give it a mount target in the task's Availability Zone.",
    ),
    _passes(
        "EFS out of reach",
        Area.STORAGE,
        r"(?:\befs\b|mount\.nfs4?).{0,300}(?:timed? ?out|unreachable|connection (?:refused|reset))",
        "EFS does not answer: it may pass. If it repeats, let the file system's security group "
        "take NFS (port 2049) from the task's, with a mount target in its Availability Zone.",
    ),
    _lasts(
        "disk full",
        Area.STORAGE,
        r"no space left on device|disk quota exceeded",
        "The task's disk is too small for its images: raise EphemeralStorage of the task "
        "definition, or make the image smaller.",
    ),
    # Logs.
    _lasts(
        "log group missing",
        Area.LOG,
        r"log ?group.{0,100}(?:does not|doesn't) exist"
        r"|(?:logging driver|logger args|log ?stream|cloudwatch).{0,300}resourcenotfound",
        "The log group that the container definition names does not exist: create it, or set "
        "awslogs-create-group and let the execution role call logs:CreateLogGroup.",
    ),
    _lasts(
        "logs refused",
        Area.LOG,
        r"(?:logging driver|logger args|log ?stream|cloudwatch|logs:\w+).{0,300}"
        r"(?:access ?denied|not authorized)"
        r"|(?:access ?denied|not authorized).{0,200}\blogs:create",
        "CloudWatch Logs refuses the container's log: let the task's execution role call "
        "logs:CreateLogStream and logs:PutLogEvents on the log group.",
    ),
    _lasts(
        "log options",
        Area.LOG,
        r"(?:unknown|invalid) log opt|failed to validate logger args",
        "The container definition's log options are not accepted: the detail names which.",
    ),
    # Roles.
    _lasts(
        "role cannot be assumed",
        Area.ROLE,
        r"unable to assume the (?:service[- ]linked )?role|trust relationship|sts:assumerole",
        "ECS cannot assume the task's role or execution role: let ecs-tasks.amazonaws.com assume "
        "it in its trust policy, and check that the role exists.",
    ),
    _lasts(
        "role may not be passed",
        Area.ROLE,
        r"iam:passrole",
        "The function may not pass the task definition's roles: name them in its policy "
        "for iam:PassRole.",
    ),
    # Images.
    _lasts(
        "wrong platform",
        Area.IMAGE,
        r"descriptor matching platform|no match(?:ing)? (?:for platform|manifest)|exec format error"
        r"|image operating system .{0,60}cannot be used|platform .{0,80}does not match",
        "The image is built for another processor or system than the task definition's "
        "RuntimePlatform: build it for that one (docker build --platform), or change the platform.",
    ),
    _passes(
        "pull limit of the registry",
        Area.IMAGE,
        r"pull rate limit|reached your .{0,60}rate limit|toomanyrequests",
        "The registry limits pulls: it passes. If it repeats, pull with credentials, from Amazon "
        "ECR, or through ECR's pull-through cache.",
    ),
    _lasts(
        "image not found",
        Area.IMAGE,
        r"manifest(?: for \S+)?(?: unknown| not found| invalid)|repository does not exist"
        r"|repository \S+ not found|name unknown|repositorynotfound|imagenotfound"
        r"|(?:pull|ref|image|manifest).{0,400}(?:: not found|\b404\b|(?:does not|doesn't) exist"
        r"|could ?n.t be found)",
        "The registry has no such image: compare registry, repository and tag with the task "
        "definition's, and check that nothing has expired the tag.",
    ),
    _lasts(
        "pull refused",
        Area.IMAGE,
        r"pull access denied|no basic auth credentials|requested access to the resource is denied"
        r"|(?:pull|registry|image|ecr).{0,400}"
        r"(?:access ?denied|not authorized|unauthorized|\b40[13]\b|forbidden"
        r"|authentication required)",
        "The registry refuses the pull: let the task's execution role pull (for Amazon ECR "
        "ecr:GetAuthorizationToken, BatchGetImage, GetDownloadUrlForLayer), or give credentials.",
    ),
    _lasts(
        "certificate not trusted",
        Area.IMAGE,
        r"x509:|certificate (?:signed by unknown authority|has expired|is not trusted)",
        "The registry's certificate is not trusted: use one of a public authority, and look for a "
        "proxy on the way that replaces it.",
    ),
    # The container's first moment.
    _lasts(
        "memory at the start",
        Area.MEMORY,
        r"oom.killed|memory limit too low|minimum memory limit|cannot allocate memory"
        r"|out of memory|outofmemory",
        "The container has too little memory to start at all: raise memory of the task and of its "
        "container.",
    ),
    _lasts(
        "command not found",
        Area.COMMAND,
        r"executable file not found|exec: .{0,200}(?:no such file|permission denied|is a directory)"
        r"|no command specified|(?:unable to start container process|starting container process)",
        "The container's command cannot be run: compare entry point, command and working directory "
        "with what is in the image, and check that the file is executable.",
    ),
    # Every other refusal.
    _lasts(
        "account blocked",
        Area.REQUEST,
        r"^blocked\b|account .{0,60}(?:is blocked|suspended)",
        "AWS has blocked the account from running tasks: ask AWS Support.",
    ),
    _lasts(
        "access denied",
        Area.ROLE,
        r"access ?denied|not authorized to perform|unauthorizedoperation|is not authorized",
        "A role lacks a permission that the detail names: add it to the task's execution role "
        "where ECS starts the task, to the function's where RunTask was refused.",
    ),
    # Capacity. Fargate's, then that of instances.
    _passes(
        "too many tasks",
        Area.CAPACITY,
        r"reached the limit on the number of|tasks provisioning capacity limit",
        "The account's quota of running tasks or vCPUs is used up: it passes as tasks end. Raise "
        "the quota in Service Quotas if it repeats.",
    ),
    _passes(
        "no capacity",
        Area.CAPACITY,
        r"capacity is (?:currently )?(?:unavailable|not available)|insufficient.{0,20}capacity"
        r"|no container instances|empty capacity provider"
        r"|\bresource:(?:cpu|memory|eni|ports?|gpu|disk|fargate)\b"
        # RunTask's one-word reason for an instance whose agent is not connected.
        r"|(?:^|; )agent\b|agent (?:is )?(?:not connected|disconnected)",
        "There is no capacity for the task at present: it passes. More subnets in other "
        "Availability Zones, FARGATE instead of FARGATE_SPOT or a smaller size make it rarer.",
    ),
    _lasts(
        "no fitting instance",
        Area.CAPACITY,
        r"(?:^|; )(?:attribute|location)\b|placement constraint",
        "No instance of the cluster has the attributes that the task definition asks for: correct "
        "its constraints, or add such an instance.",
    ),
    _lasts(
        "wrong launch platform",
        Area.REQUEST,
        r"platformtaskdefinitionincompatib|platformunknown"
        r"|platform does not satisfy the task definition",
        "The platform version cannot run this task definition: use a later one, or leave out what "
        "it lacks.",
    ),
    # The task's network interface.
    _passes(
        "no free addresses",
        Area.NETWORK,
        r"insufficient ?free ?addresses",
        "The subnet has no free addresses: it passes as tasks end. Use a larger subnet, or more of "
        "them.",
    ),
    _lasts(
        "subnet or group missing",
        Area.NETWORK,
        r"(?:subnet|security ?group|\bgroup)\S*.{0,200}(?:not ?found|(?:does not|doesn't) exist)"
        r"|invalid(?:subnet|group|securitygroup)",
        "A subnet or security group that the stack names does not exist any more: deploy the stack "
        "with those of today.",
    ),
    _passes(
        "network interface",
        Area.NETWORK,
        r"\beni\b|while attempting to \w+ (?:the )?network interface"
        r"|timeout waiting for network interface",
        "The task's network interface could not be made ready: it passes. If it repeats, look at "
        "the subnets' free addresses and at the account's quota of network interfaces.",
    ),
    # A service or a registry that is too busy or broken.
    _passes(
        "too busy",
        Area.SERVICE,
        TOO_BUSY,
        "A service was too busy: run it again later, with fewer starts at the same time.",
    ),
    _passes(
        "server error",
        Area.SERVICE,
        r"serverexception|internal[ _]?(?:server[ _]?)?error|(?:temporarily|service) ?unavailable"
        # With the address that was asked in between.
        r"|status(?: code)?(?: from [a-z]+ request to)?:? (?:\S+: )?5\d\d\b"
        r"|bad gateway|gateway time-?out",
        "A registry or a service behind ECS failed: it passes. Run it again later.",
    ),
    # The way to a registry or an API. It fails once by chance, and always without a route.
    _passes(
        "no way out",
        Area.NETWORK,
        r"(?:i/o|handshake|request|connection|dial).{0,20}tim(?:e|ed) ?-?out|client\.timeout"
        r"|deadline exceeded|timed? ?out (?:exceeded )?(?:while )?awaiting headers"
        r"|connection (?:refused|reset)|network is unreachable|no route to host"
        r"|no such host|name resolution|server misbehaving|temporary failure in name"
        r"|connection issue between the task and|check your task network configuration"
        r"|pull command failed: ?: signal: killed|request ?canceled|send request failed",
        "The way to a registry or an AWS service timed out or broke off: run it again. If it "
        f"repeats, the subnet has no way out: give it {_WAY_OUT}.",
    ),
    _passes(
        "pull broken off",
        Area.IMAGE,
        r"\beof\b|invalid argument|stream error|goaway|short read|failed to extract layer"
        r"|failed to register layer|context canceled",
        "The pull of the image broke off: it passes. Run it again; if it repeats, push the image "
        "again.",
    ),
    _passes(
        "slow host",
        Area.SERVICE,
        r"dockertimeouterror|could not transition to|timeout waiting for ephemeral ?storage",
        "The host was too slow to start the task: run it again later.",
    ),
    # RunTask's refusals of the request itself.
    _lasts(
        "definition unusable",
        Area.REQUEST,
        r"task ?definition.{0,100}(?:inactive|not found|(?:does not|doesn't) exist)"
        r"|unable to describe task definition",
        "The task definition is not there or no longer active: deploy the stack again.",
    ),
    _lasts(
        "cluster missing",
        Area.REQUEST,
        r"clusternotfound|cluster (?:not found|is inactive)",
        "The cluster is not there or not active: deploy the stack again.",
    ),
)


def cause_of(reason: str) -> Cause | None:
    """Return the cause that a reason tells; None for one that no row knows."""
    return next((cause for cause in CAUSES if cause.pattern.search(reason)), None)


def is_transient(reason: str) -> bool:
    """Whether a start that failed for this reason may well succeed later."""
    cause = cause_of(reason)
    return cause is not None and cause.passes
