"""A Lambda function as the template describes it."""

from __future__ import annotations

import os
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from local.iam.authority import Session

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

LATEST = "$LATEST"
# Lambda's words.
UNQUALIFIED = "You cannot invoke a durable function using an unqualified ARN."


@dataclass(frozen=True, slots=True)
class Configuration:
    """A function's configuration, as Lambda has it.

    Attributes:
        arn: the ARN without a qualifier.
        role: logical id of its IAM role; "" if the role is not in the template.
        properties: properties of the AWS::Lambda::Function.
        aliases: versions by alias.
        code: the folder with the unpacked code.
        asynchronous: properties of the AWS::Lambda::EventInvokeConfig, empty without one.
    """

    arn: str
    role: str
    properties: Mapping[str, Any]
    aliases: Mapping[str, str]
    code: Path
    asynchronous: Mapping[str, Any]

    @property
    def name(self) -> str:
        """The function's name."""
        return str(self.properties["FunctionName"])

    @property
    def session(self) -> Session:
        """The function's session of its role, by which IAM knows it."""
        return Session(self.role, self.name)

    @property
    def handler(self) -> str:
        """Module and function, dotted."""
        return str(self.properties["Handler"])

    @property
    def timeout(self) -> int:
        """Seconds that an invocation may take."""
        return int(self.properties["Timeout"])

    @property
    def is_traced(self) -> bool:
        """Whether X-Ray keeps its invocations if the caller does not say."""
        return bool(self.properties.get("TracingConfig", {}).get("Mode") == "Active")

    @property
    def execution_timeout(self) -> int | None:
        """Seconds that a durable execution may take; None for a plain function."""
        durable = self.properties.get("DurableConfig")
        return int(durable["ExecutionTimeout"]) if durable else None

    def version(self, qualifier: str) -> str | None:
        """Return the version that a qualifier stands for; None if there is none."""
        published = {version: version for version in self.aliases.values()}
        return {LATEST: LATEST, **published, **self.aliases}.get(qualifier)

    def environment(self, version: str) -> dict[str, str]:
        """Return the template's variables and Lambda's own."""
        logging = self.properties["LoggingConfig"]
        given = self.properties.get("Environment", {}).get("Variables", {})
        return {
            **{name: str(value) for name, value in given.items()},
            "AWS_EXECUTION_ENV": f"AWS_Lambda_{self.properties['Runtime']}",
            "AWS_LAMBDA_FUNCTION_NAME": self.name,
            "AWS_LAMBDA_FUNCTION_VERSION": version,
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(self.properties["MemorySize"]),
            "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
            "AWS_LAMBDA_LOG_GROUP_NAME": logging["LogGroup"],
            "AWS_LAMBDA_LOG_STREAM_NAME": f"[{version}]{uuid.uuid4().hex}",
            "AWS_LAMBDA_LOG_FORMAT": logging["LogFormat"],
            "LAMBDA_TASK_ROOT": str(self.code),
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(self.code),
            "TZ": ":UTC",
            "_HANDLER": self.handler,
        }
