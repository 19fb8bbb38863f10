"""The stack of template.yaml, up and running on this machine."""

from __future__ import annotations

import os
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, Self

from local.account import Account
from local.clock import Clock, Ticks
from local.cloudformation import CloudFormationApi
from local.durable import DurableApi, Executions
from local.ecs import EcsApi, Fargate, Tasks
from local.ecs.program import WORKER_IMAGE
from local.endpoint import Endpoint
from local.events import Bus, Deliveries, EventsApi, Targets, start_schedules
from local.functions import functions_of
from local.functions.asynchronous import AsynchronousInvocations
from local.functions.roles import check_roles
from local.gateway import Gateway
from local.hosts import process_host
from local.iam import Access
from local.iam.api import IamApi
from local.iam.authority import Authority
from local.iam.guard import Guard
from local.inprocess import ThreadHost, Transport
from local.journal import Journal, Request
from local.lambda_api import LambdaApi
from local.logs import LogsApi, Streams
from local.metrics import Metrics, MetricsApi, gauges
from local.proxies import without_proxy
from local.refusals import check
from local.stack import Home, Stack
from local.stack.regions import own_region
from local.stack.stack import PROJECT
from local.surroundings import Surroundings
from local.xray import Daemon, Traces, XRayApi

if TYPE_CHECKING:
    from contextlib import AbstractContextManager
    from pathlib import Path

    from boto3 import Session

    from local.hosts import Host
    from local.iam.authority import Principal

# Any image will do: src/worker/ runs in its place, and `worker_notice` says so.
_PARAMETERS = {WORKER_IMAGE: "local"}


class System:
    """The whole stack of a template; a context manager that leaves nothing running.

    From then on its process uses no proxy for this machine, see `without_proxy`.

    Args:
        template: file of the template.
        time_scale: how much faster than in AWS Fargate's phases pass, and the waits of Lambda and
            EventBridge before a retry.
        durable_scale: how much faster executions' waits, timeouts and retries pass.
        port: the endpoint's port; 0 takes a free one.
        in_process: whether functions and workers are threads, not processes.

    Raises:
        UnsupportedError: the template has something that works only in AWS.

    Attributes:
        endpoint: the value for AWS_ENDPOINT_URL.
        stack: the template with all names filled in.
        account: boto3 clients of the endpoint.
        clock: the time that passes for Fargate, Lambda and EventBridge.
        journal: the events of the system, in order.
        traces: the segments that X-Ray keeps.
        metrics: the metrics that CloudWatch keeps.
        functions: the functions by name.
        tasks: the cluster's tasks and their processes.
        deliveries: the deliveries of events to the rules' targets.
        bus: takes events for the rules.
        seams: the faults to come.
        callers: the callers, and how they are known.
        authority: the grants of the template's roles, those that were used, and the refusals.
    """

    def __init__(
        self,
        template: Path = PROJECT / "template.yaml",
        *,
        time_scale: float = 1,
        durable_scale: float = 1,
        port: int = 0,
        in_process: bool = False,
    ) -> None:
        # The check comes before anything is started that would have to be ended.
        check(Stack(template, "http://127.0.0.1", _PARAMETERS))
        os.environ |= without_proxy(os.environ)
        self._cleanup = ExitStack()
        self.journal, self.traces = Journal(), Traces()
        gateway = Gateway(self.journal.write)
        self.seams, self.callers = gateway.seams, gateway.callers
        # A system that cannot start leaves nothing behind.
        with ExitStack() as failed:
            failed.callback(self._cleanup.close)
            ticks = Ticks()
            failed.callback(ticks.stop)
            calendar, machine = Clock(durable_scale, ticks), Clock(1, ticks)
            self.clock = Clock(time_scale, ticks, calendar)
            server = Endpoint(gateway, port)
            failed.callback(server.close)
            self.endpoint = server.url
            region = self._cleanup.enter_context(own_region())
            self.stack = Stack(template, self.endpoint, _PARAMETERS, Home(region))
            self.authority = Authority(self.stack)
            gateway.authorize = Guard(self.authority)
            self.metrics = Metrics(self.stack, calendar.now)
            logs = Streams(self.stack)
            failed.callback(logs.close)
            daemon = Daemon(self.traces)
            failed.callback(daemon.close)
            self._surroundings = Surroundings(
                stack=self.stack,
                clock=self.clock,
                calendar=calendar,
                machine=machine,
                journal=self.journal,
                endpoint=self.endpoint,
                callers=gateway.callers,
                logs=logs,
                metrics=self.metrics,
                authority=self.authority,
                traces=self.traces,
                daemon=daemon.address,
            )
            executions = self._assemble(gateway, failed, in_process=in_process)
            # They are closed from the last to the first, so that no process starts that would stay.
            closing = (server.close, executions.close, ticks.stop, logs.close, daemon.close)
            for close in (self._kill_tasks, *closing):
                self._cleanup.callback(close)
            for function in self.functions.values():
                self._cleanup.callback(function.close)
            start_schedules(self.stack, self.bus, self.clock)
            failed.pop_all()

    def _assemble(self, gateway: Gateway, failed: ExitStack, *, in_process: bool) -> Executions:
        """Put the services together, behind the gateway; `failed` ends them if that fails."""
        clock, transport = self.clock, Transport()
        if in_process:
            self._cleanup.enter_context(transport.reaching(self.endpoint, gateway))
        person = gateway.callers.person
        self.account = Account(self.stack, person, self.endpoint, transport.session)
        self.account.create()
        host = self._cleanup.enter_context(self._host(transport.session, in_process=in_process))
        self.functions = functions_of(self._surroundings, host)
        check_roles((f.configuration for f in self.functions.values()), self.authority)
        executions = Executions(self.functions, self._surroundings, self._publish, self._send)
        failed.callback(executions.close)
        self._asynchronous = AsynchronousInvocations(clock, self._send, executions.begin)
        targets = Targets(self.functions, self._asynchronous, self._send, self.authority)
        self.deliveries = Deliveries(clock, self.journal, targets.take, self._send, self.authority)
        self.bus = Bus(self.stack, self.deliveries, self.seams, clock)
        fargate = Fargate(self._surroundings, host, self.bus.publish)
        self.tasks = Tasks(self.stack, clock, fargate.task)
        durable = DurableApi(executions)
        self.metrics.gauges += [
            *gauges.queues(self.stack),
            gauges.running(executions.count_running),
        ]
        gateway.services |= {
            "cloudformation": CloudFormationApi(self.stack),
            "lambda": LambdaApi(self.functions, executions, durable, self._asynchronous),
            "ecs": EcsApi(self.tasks, lambda asked: self.journal.write(Request(asked))),
            "events": EventsApi(self.stack, self.bus.publish),
            "iam": IamApi(self.stack),
            "logs": LogsApi(self.stack),
            "xray": XRayApi(self.traces, self.stack.account),
            "monitoring": MetricsApi(self.metrics),
        }
        return executions

    def __enter__(self) -> Self:
        """Return itself: it runs already."""
        return self

    def __exit__(self, *_: object) -> None:
        """End every process that was started and give the port back."""
        self._cleanup.close()

    @property
    def variables(self) -> dict[str, str]:
        """The variables that a shell exports to use the system."""
        return {
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_REGION": self.stack.region,
            "AWS_DEFAULT_REGION": self.stack.region,
            **self.callers.person.credentials,
            # `sam local` sends this value: its key is always the same.
            "AWS_SDK_UA_APP_ID": self.callers.app_id,
            # For `sam local execution` and `sam local callback`.
            "DURABLE_EXECUTIONS_EXTERNAL_EMULATOR_PORT": self.endpoint.rpartition(":")[2],
            **without_proxy(os.environ),
        }

    @property
    def is_idle(self) -> bool:
        """Whether every task is STOPPED and every event about it is processed."""
        stopped = all(task.shows({"lastStatus": "STOPPED"}) for task in self.tasks.all())
        return stopped and self._asynchronous.pending == self.deliveries.pending == 0

    def _publish(self, event: dict[str, Any]) -> None:
        """Put an event on the bus, whose rules may begin executions, which publish events."""
        self.bus.publish(event)

    def _send(self, who: Principal, queue_arn: str, message: str, **attributes: str | int) -> None:
        """Put a message into a queue, if the sender may; see `Send`."""
        self.authority.check(who, Access("sqs:SendMessage", queue_arn))
        self.account.send(queue_arn, message, **attributes)

    def _kill_tasks(self) -> None:
        for task in self.tasks.all():
            task.kill()

    def _host(self, session: Session, *, in_process: bool) -> AbstractContextManager[Host]:
        code = PROJECT / "src"
        if in_process:
            return ThreadHost(code, self._surroundings, session)
        return process_host(code / "worker", self._surroundings.machine)
