"""The causes of failed starts: the reasons of AWS, registries and networks, in one table."""

from __future__ import annotations

import re
from enum import StrEnum
from typing import NamedTuple

# AWS's words for a service that is too busy; ECS passes on those of the services behind it.
TOO_BUSY = r"throttl|rate exceeded|too ?many ?requests|request ?limit ?exceeded"


class Area(StrEnum):
    """The areas that causes belong to."""

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
        area: the area that it belongs to.
        pattern: pattern of the reasons that have this cause; case does not count.
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


# The status code of an answer, in a registry's or service's words; an address may come in between.
_STATUS = r"status(?: ?code)?(?: from [a-z]{3,7} request to)?[ :]{1,2}(?:\S{1,300}: )?"
# EFS in the words about a mount; the three letters alone may be part of any name.
_EFS = r"\befs (?:utils|volume|file ?system)|mount\.nfs4?|\bfs-[0-9a-f]{8}"
_WAY_OUT = (
    "a public address in a public subnet, a NAT gateway, or VPC endpoints for what the task needs, "
    "and a security group that lets HTTPS out"
)

DEPENDENCY_FAILED = _lasts(
    "dependency failed",
    Area.COMMAND,
    r"container ordering dependency|dependency did not exit successfully"
    r"|dependency (?:graph|container).{0,200}(?:exit|unhealthy|fail)",
    "A container that the main one depends on failed first: its own log says why.",
)

NO_CAPACITY = _passes(
    "no capacity",
    Area.CAPACITY,
    r"capacity is (?:currently )?(?:unavailable|not available)|insufficient.{0,20}capacity"
    r"|do not have sufficient .{0,60}capacity"
    r"|no container instances|no active instances|empty capacity provider"
    r"|\bresource:(?:cpu|memory|eni|ports?|gpu|disk|fargate)\b"
    # The one word for an instance whose agent is not connected.
    r"|(?-i:\bAGENT\b)|agent (?:is )?(?:currently )?(?:not connected|disconnected)",
    "There is no capacity for the task at present: it passes. More subnets in other "
    "Availability Zones, FARGATE instead of FARGATE_SPOT or a smaller size make it rarer.",
)

# The first row that fits counts: a lasting cause is often wrapped in the words of a passing one,
# for example "service call has been retried 3 time(s)".
CAUSES: tuple[Cause, ...] = (
    _passes(
        "not started in time",
        Area.SERVICE,
        r"^durable-task/(?:FailedToStart|TimedOut)",
        "The container never ran, so the work can be started again. If it repeats, look at the "
        "image's size, the subnets' free addresses and AWS Health, or raise startTimeoutSeconds.",
    ),
    DEPENDENCY_FAILED,
    # This reason names the function's role and so the stack, whose name may hold any word below.
    _lasts(
        "function not allowed",
        Area.ROLE,
        r"(?:perform:|allows the) ecs:",
        "The function's role may not start this task: allow the action that the detail names, on "
        "the resource that it names, in the template.",
    ),
    _lasts(
        "network parameter",
        Area.NETWORK,
        r"the tasks' network, parameter \S",
        "The launch cannot tell where the task is to start: the detail says what is wrong with the "
        "parameter that holds the network. Put the network back into it by hand, or let the "
        "function's role call ssm:GetParameter on it.",
    ),
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
        r"secrets manager can't find|(?<!/)\bsecret(?:s manager)?\b.{0,200}"
        r"(?:resourcenotfound|not found|(?:does not|doesn't) exist|marked (?:for deletion|deleted))"
        r"|secrets?\b.{0,300}invalid name|invalid arn .{0,80}secret"
        r"|\bssm\b.{0,200}(?:invalid parameters?:|parameternotfound)|invalid ssm parameters?",
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
        r"(?:kms[a-z]{0,20}exception|\bkms key|access to kms|error kms).{0,200}"
        r"(?:denied|not authorized|not allowed|disabled|not ?found|invalid)"
        r"|kms:decrypt|customer master key.{0,40}(?:does not|doesn't) exist",
        "The KMS key of a secret, parameter or image cannot be used: enable it, and let the task's "
        "execution role call kms:Decrypt with it.",
    ),
    _lasts(
        "environment file",
        Area.STORAGE,
        r"env(?:ironment)? ?files?\b.{0,400}"
        r"(?:forbidden|access ?denied|not ?found|no ?such ?(?:key|bucket)|status ?code: 40[34]"
        r"|(?:does not|doesn't) exist)",
        "An environment file that the container definition names is not in its bucket, or the "
        "task's execution role may not get it: it needs s3:GetObject, and s3:GetBucketLocation.",
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
        rf"(?:{_EFS}|elasticfilesystem).{{0,300}}(?:access ?denied|not authorized)",
        "EFS refuses the mount: give the task's role elasticfilesystem:ClientMount (and "
        "ClientWrite), and look at the file system's policy and access point.",
    ),
    _lasts(
        "EFS not found",
        Area.STORAGE,
        rf"(?:{_EFS}).{{0,300}}"
        r"(?:failed to resolve|could not be resolved|filesystemnotfound|not found|does not exist"
        r"|no such file or directory)",
        "The EFS file system, its access point or its directory cannot be found: compare its id "
        "with the definition's, and give it a mount target in the task's Availability Zone.",
    ),
    _passes(
        "EFS out of reach",
        Area.STORAGE,
        rf"(?:{_EFS}).{{0,300}}"
        r"(?:timed? ?out|unreachable|connection (?:refused|reset)|mount system call failed)",
        "EFS does not answer: it may pass. If it repeats, let the file system's security group "
        "take NFS (port 2049) from the task's, with a mount target in its Availability Zone.",
    ),
    _lasts(
        "disk full",
        Area.STORAGE,
        r"no space left on device|disk quota exceeded|\bthin pool\b",
        "The disk is too small for the images: raise EphemeralStorage of the task definition, or "
        "make the image smaller.",
    ),
    _lasts(
        "volume cannot be mounted",
        Area.STORAGE,
        r"rootfs_linux|failed to chown|error (?:mounting|creating device nodes)",
        "A volume cannot be mounted into the container: compare its path with what is in the "
        "image, and the owner with the access point's. EFS cannot take the place of the root.",
    ),
    # Logs.
    _lasts(
        "log group missing",
        Area.LOG,
        r"log ?group.{0,100}(?:does not|doesn't) exist|no such log ?group"
        # ECS uses the same words for a missing route, and adds that it is a connection issue.
        r"|cannot find the amazon cloudwatch log group(?!.{0,100}connection issue)"
        r"|(?:logging driver|logger args|log ?stream|cloudwatch).{0,300}resourcenotfound",
        "The log group that the container definition names does not exist: create it, or set "
        "awslogs-create-group and let the execution role call logs:CreateLogGroup.",
    ),
    _lasts(
        "logs refused",
        Area.LOG,
        r"(?:logging driver|logger args|log ?stream|cloudwatch|\blogs:).{0,300}"
        r"(?:access ?denied|not authorized)"
        r"|(?:access ?denied|not authorized).{0,200}\blogs:create",
        "CloudWatch Logs refuses the container's log: let the task's execution role call "
        "logs:CreateLogStream and logs:PutLogEvents on the log group.",
    ),
    _lasts(
        "log options",
        Area.LOG,
        r"(?:unknown|invalid) log opt|logger args.{0,200}(?:unable to get|is required)",
        "The container definition's log options are not accepted: the detail names which.",
    ),
    # Roles.
    _lasts(
        "service-linked role missing",
        Area.ROLE,
        r"service[- ]linked role",
        "ECS has no service-linked role in this account yet, as at its first use: wait a minute "
        "and run it again, else create it (aws iam create-service-linked-role).",
    ),
    _lasts(
        "role cannot be assumed",
        Area.ROLE,
        r"unable to assume the role|trust relationship|sts:assumerole",
        "ECS cannot assume the task's role or execution role: let ecs-tasks.amazonaws.com assume "
        "it in its trust policy, and check that the role exists.",
    ),
    _lasts(
        "role may not be passed",
        Area.ROLE,
        r"iam:passrole",
        "The function may not pass the task definition's roles: give them the IAM path "
        "/STACK/, or name them in its policy for iam:PassRole.",
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
        r"pull rate limit|reached your .{0,60}rate limit|toomanyrequests:"
        r"|cannotpull.{0,500}too many requests",
        "The registry limits pulls: it passes. If it repeats, pull with credentials, from Amazon "
        "ECR, or through ECR's pull-through cache.",
    ),
    _lasts(
        "pull refused",
        Area.IMAGE,
        # A registry may hide with these words that it has no such image.
        r"pull access denied(?!.{0,300}(?:does not exist|not found))|no basic auth credentials"
        r"|(?:pull|registry).{0,400}"
        r"(?:accessdenied|not authorized|unauthorized\b|forbidden|authentication required)"
        rf"|perform: ecr:|(?:{_STATUS}|api error \()40[13]\b",
        "The registry refuses the pull: let the task's execution role pull (for Amazon ECR "
        "ecr:GetAuthorizationToken, BatchGetImage, GetDownloadUrlForLayer), or give credentials.",
    ),
    _lasts(
        "image not found",
        Area.IMAGE,
        r"manifest(?: for .{1,200})?(?: unknown| not found| invalid)|repository does not exist"
        r"|repository .{1,200} not found|name unknown|repositorynotfound|imagenotfound"
        r"|(?:pull|\bref\b|\breference\b|image|manifest).{0,400}"
        r"(?:: not found|(?:does not|doesn't) exist|could ?n.t be found)"
        rf"|(?:{_STATUS}|api error \()404\b|check whether the image exists"
        r"|requested access to the resource is denied"
        r"|invalid reference format|must be canonical|normalize image reference",
        "The registry has no such image, or hides it from the task: compare registry, repository "
        "and tag with the task definition's, and check that nothing has expired the tag.",
    ),
    _lasts(
        "image cannot be unpacked",
        Area.IMAGE,
        r"cannot be mapped to a host id|invalid tar header|unsupported media ?type",
        "The image is there, but cannot be unpacked: the detail says why. Build it again, with "
        "plain layers and file owners below 65,536.",
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
        r"|no command specified|container process.{0,80}\bchdir\b",
        "The container's command cannot be run: compare entry point, command and working directory "
        "with what is in the image, and check that the file is executable.",
    ),
    # Every other refusal.
    _lasts(
        "account blocked",
        Area.REQUEST,
        r"(?:^|; )blocked\b|account .{0,60}(?:is blocked|suspended)",
        "AWS has blocked the account from running tasks: ask AWS Support.",
    ),
    _lasts(
        "access denied",
        Area.ROLE,
        r"access ?denied|not authorized to perform|unauthorizedoperation|is not authorized",
        "A role lacks a permission that the detail names: add it to the task's execution role "
        "where ECS starts the task, to the function's where RunTask was refused.",
    ),
    # RunTask's refusals of the request's size, container and capacity provider.
    _lasts(
        "size not offered",
        Area.REQUEST,
        r"no fargate configuration exists|invalid '(?:cpu|memory)' (?:setting|value)"
        r"|(?:cpu|memory) configuration is above your limit"
        r"|'memory' setting for container.{0,260} is greater",
        "There are no tasks of this size: use a pair of cpu and memory that Fargate offers, with "
        "no container larger than its task, and look at the account's quotas.",
    ),
    _lasts(
        "container not in the definition",
        Area.REQUEST,
        r"not a container in the task ?definition",
        "The task definition has no container of this name: name its main container in the "
        "payload's containerName.",
    ),
    _lasts(
        "capacity provider missing",
        Area.CAPACITY,
        r"capacity provider.{0,120}(?:not associated|not found|(?:does not|doesn't) exist)",
        "The cluster does not have the capacity provider: name it in CapacityProviders of the "
        "cluster in the template, and deploy it.",
    ),
    # Capacity. Fargate's, then that of instances.
    _passes(
        "too many tasks",
        Area.CAPACITY,
        r"reached the limit on the number of|tasks provisioning capacity limit",
        "The account's quota of running tasks or vCPUs is used up: it passes as tasks end. Raise "
        "the quota in Service Quotas if it repeats.",
    ),
    NO_CAPACITY,
    _lasts(
        "no fitting instance",
        Area.CAPACITY,
        r"(?-i:\b(?:ATTRIBUTE|LOCATION)\b)|placement constraint",
        "No instance of the cluster has the attributes that the task definition asks for: correct "
        "its constraints, or add such an instance.",
    ),
    _lasts(
        "wrong launch platform",
        Area.REQUEST,
        r"platformtaskdefinitionincompatib|platformunknown"
        r"|platform does not satisfy the task definition"
        r"|not compatible with the selected compute|does not support launch.?type",
        "The platform version, or the capacity provider, cannot run this task definition: use "
        "another one, or leave out what it lacks.",
    ),
    # The task's network interface.
    _passes(
        "no free addresses",
        Area.NETWORK,
        r"insufficient ?free ?addresses",
        "The subnet has no free addresses: it passes as tasks end. Use a larger subnet, or more of "
        "them.",
    ),
    _passes(
        "subnet gone meanwhile",
        Area.NETWORK,
        # RunTask itself refuses a subnet that is gone before the request.
        r"attempting to create (?:the )?network interface.{0,300}invalidsubnet",
        "The subnet was deleted while the task started: the next attempt starts in today's "
        "network. If it repeats, deploy the stack with the subnets of today.",
    ),
    _lasts(
        "subnet or group missing",
        Area.NETWORK,
        r"(?:subnet|security ?group|\bgroup).{0,200}(?:not ?found|(?:does not|doesn't) exist)"
        r"|invalid(?:subnet|group|securitygroup)",
        "A subnet or security group that the stack names does not exist any more: deploy the stack "
        "with those of today.",
    ),
    _passes(
        "network interface",
        Area.NETWORK,
        r"(?<!/)\beni\b|while attempting to [a-z]{3,12} (?:the )?network interface"
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
        rf"|{_STATUS}5\d\d\b"
        r"|bad gateway|gateway time-?out|service discovery instance could not be registered",
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
        r"|connection issue between the task and|check your (?:task )?network configuration"
        r"|(?:pull command failed|logger args).{0,200}(?:signal: killed|nil pointer)"
        # ECS gives up the pull when there is no route to where the layers are.
        r"|context cancell?ed|request ?cancell?ed|send request failed|request send failed",
        "The way to a registry or an AWS service timed out or broke off: run it again. If it "
        f"repeats, the subnet has no way out: give it {_WAY_OUT}.",
    ),
    _passes(
        "pull broken off",
        Area.IMAGE,
        r"(?:pull|registry|request|copy).{0,500}\b(?:eof|invalid argument)\b"
        r"|stream error|goaway|short read|failed to (?:extract|register) layer",
        "The pull of the image broke off: it passes. Run it again; if it repeats, push the image "
        "again.",
    ),
    _passes(
        "slow host",
        Area.SERVICE,
        r"dockertimeouterror|containerruntimetimeouterror|could not transition to"
        r"|timeout waiting for ephemeral ?storage|devicemapper|dm_task_run",
        "The host was too slow to start the task: run it again later.",
    ),
    # RunTask's refusals of the request itself.
    _lasts(
        "definition unusable",
        Area.REQUEST,
        r"task ?definition.{0,100}(?:inactive|not found|(?:does not|doesn't) exist)"
        r"|unable to describe task definition",
        "The task definition is not there or no longer active: compare the payload's "
        "taskDefinition with the template's Family, or deploy the stack again.",
    ),
    _lasts(
        "cluster missing",
        Area.REQUEST,
        r"clusternotfound|cluster (?:not found|is inactive)",
        "The cluster is not there or not active: deploy the stack again.",
    ),
    _lasts(
        "container cannot be set up",
        Area.COMMAND,
        r"container process|oci runtime create failed|failed to create shim",
        "The host could not set the container up: the detail names the part, for example a limit "
        "(ulimits), a capability or a working directory of the container definition.",
    ),
)


def cause_of(reason: str) -> Cause | None:
    """Return the cause of a reason; None for a reason that no row knows."""
    return next((cause for cause in CAUSES if cause.pattern.search(reason)), None)


def is_transient(reason: str) -> bool:
    """Whether a start that failed for this reason may well succeed later."""
    cause = cause_of(reason)
    return cause is not None and cause.passes
