from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    precondition,
    rule,
    run_state_machine_as_test,
)

from local.gateway import Kill, execution_of
from tests.e2e.user import User, id_of
from tests.faults.history import History
from tests.faults.invariants import End, violations
from tests.faults.scenario import FLOWS, Scenario
from tests.faults.stage import fast_system, wait
from tests.faults.strikes import throttle
from tests.faults.turns import Turns

if TYPE_CHECKING:
    from local.ecs.task import Task
    from local.system import System
    from tests.e2e.user import Flow

TURNS = st.integers(0, 5)
ENDS = st.sampled_from(["exit 0", "exit 0", "exit 3"])
# What a person may stop; mostly nothing.
STOPS = st.sampled_from(["", "", "task", "execution"])


class Interleavings(RuleBasedStateMachine):
    """One execution: functions, worker, reconciler, events and people take turns in any order."""

    system: ClassVar[System]

    def __init__(self) -> None:
        super().__init__()
        self.turns = Turns()
        self.events: list[dict[str, Any]] = []
        self.deaths = self.refusals = 0
        self.stops = ""
        self.system.seams.plan = self.turns.plan
        self.system.seams.delays = self.keep
        self.user = User(self.system)

    def keep(self, event: dict[str, Any]) -> list[float]:
        """Keep an event until its turn comes; some never has one."""
        self.events.append(event)
        return []

    @initialize(flow=st.sampled_from(FLOWS), end=ENDS, stops=STOPS)
    def begin(self, flow: Flow, end: Any, stops: str) -> None:
        """Start an execution."""
        self.stops = stops
        self.scenario = Scenario(flow, end)
        self.arn = self.user.start(flow, **self.scenario.payload)
        self.history = History(self.system)

    @rule(turn=TURNS)
    def serve(self, turn: int) -> None:
        """A call that waits is served."""
        self.turns.next(turn, None)
        self.history.note(self.execution_id)

    @rule(turn=TURNS)
    def serve_another(self, turn: int) -> None:
        """Mostly calls are served."""
        self.serve(turn)

    @rule(turn=TURNS)
    def refuse(self, turn: int) -> None:
        """A call that waits is throttled, up to six times."""
        if self.refusals < 6:
            self.refusals += self.turns.next(turn, throttle("ecs"))

    @rule(turn=TURNS, after=st.booleans())
    def die(self, turn: int, after: bool) -> None:
        """A function that waits for an answer dies, before or after it was served, up to twice."""
        if self.deaths < 2:
            self.deaths += self.turns.next(turn, Kill(after=after))
        self.history.note(self.execution_id)

    @rule(number=st.integers(0, 3), again=st.booleans())
    def deliver(self, number: int, again: bool) -> None:
        """An event comes, and may come again."""
        if self.events:
            event = self.events[number % len(self.events)]
            if not again:
                self.events.remove(event)
            self.system.bus.put(event)

    @precondition(lambda self: self.stops == "task")
    @rule()
    def stop_task(self) -> None:
        """A person stops the task."""
        for task in self.tasks():
            task.stop("No longer wanted")

    @precondition(lambda self: self.stops == "execution")
    @rule()
    def stop_execution(self) -> None:
        """A person stops the execution."""
        self.user.durable.stop_durable_execution(DurableExecutionArn=self.arn)

    def teardown(self) -> None:
        """All faults are over, so everything ends, and ends rightly."""
        if not hasattr(self, "arn"):
            return
        self.turns.end()
        over = wait(self.system, self.is_over)
        found = violations(self.scenario, self.end(), is_calm=False)
        assert over, [*found, self.end()]
        assert not [*found, *self.history.illegal(self.execution_id)]

    def tasks(self) -> list[Task]:
        """The execution's tasks."""
        tasks = ((task.describe().get("startedBy"), task) for task in self.system.tasks.all())
        return [task for name, task in tasks if execution_of(name) == self.execution_id]

    @property
    def execution_id(self) -> str:
        """The record's key."""
        return id_of(self.arn)

    def end(self) -> End:
        """The execution's present state."""
        return End.of(self.user, self.arn, self.tasks())

    def is_over(self) -> bool:
        """Whether nothing more can happen."""
        # What goes on may write a record yet.
        functions = self.system.functions.values()
        return not any(f.works_for(self.execution_id) for f in functions) and self.end().is_final


def test_interleavings() -> None:
    """An execution ends rightly in any order of calls, deaths, events and people's acts."""
    with fast_system() as system:
        Interleavings.system = system
        how = settings(
            max_examples=15,
            stateful_step_count=25,
            deadline=None,
            derandomize=True,
            suppress_health_check=list(HealthCheck),
        )
        run_state_machine_as_test(Interleavings, settings=how)
