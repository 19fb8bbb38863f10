from __future__ import annotations

import json
from itertools import permutations
from typing import Any

import pytest

from local.xray.segment import Segment
from local.xray.traces import Traces
from local.xray.whole import WholeTrace

TRACE = "1-581cf771-a006649127e371903a2de979"
ACCOUNT = "123456789012"


def document(number: int, **more: Any) -> dict[str, Any]:
    """A segment that lasts from one second to the next, with an id that ends with its number."""
    moments = {"start_time": number, "end_time": number + 1}
    return {"id": id_of(number), "trace_id": TRACE, "name": f"n{number}", **moments, **more}


def apart(number: int, parent: int, **more: Any) -> dict[str, Any]:
    """A subsegment that is sent apart."""
    return document(number, type="subsegment", parent_id=id_of(parent), **more)


def id_of(number: int) -> str:
    """The id of a segment."""
    return f"{number:016x}"


def kept(*documents: dict[str, Any]) -> Traces:
    """The traces that these segments make, as they come."""
    traces = Traces()
    for each in documents:
        traces.put(Segment.of(each))
    return traces


def whole(*documents: dict[str, Any]) -> WholeTrace:
    """The trace that these segments make, as they come."""
    return WholeTrace(TRACE, kept(*documents).segments(TRACE), ACCOUNT)


def tree(documents: list[dict[str, Any]]) -> dict[str, Any]:
    """The names of segments and subsegments, each with those of its subsegments."""
    return {d["name"]: tree(d.get("subsegments", [])) for d in documents}


RUNNING = document(1, name="running", in_progress=True)
ENDED, LATER = document(1, name="ended"), document(1, name="later")


@pytest.mark.parametrize(
    ("came", "counts"),
    [
        ([RUNNING], "running"),
        ([RUNNING, ENDED], "ended"),
        ([ENDED, RUNNING], "ended"),
        ([ENDED, LATER], "later"),
        ([ENDED, LATER, RUNNING], "later"),
    ],
)
def test_doubles(came: list[dict[str, Any]], counts: str) -> None:
    """The last segment of an id counts, but one in progress replaces none that has ended."""
    assert tree(whole(*came).documents) == {counts: {}}


@pytest.mark.parametrize("is_reversed", [False, True])
def test_subsegments_sent_apart(*, is_reversed: bool) -> None:
    """A subsegment is put into its parent at any depth, whichever of them comes first."""
    inner = {**document(2, name="inner"), "subsegments": [document(3, name="innermost")]}
    came = [
        document(1, name="segment", subsegments=[inner]),
        apart(4, 1, name="beside"),
        apart(5, 3, name="below"),
        apart(6, 5, name="lowest"),
    ]
    documents = whole(*(reversed(came) if is_reversed else came)).documents
    assert tree(documents) == {
        "segment": {"inner": {"innermost": {"below": {"lowest": {}}}}, "beside": {}}
    }


@pytest.mark.parametrize(
    ("within", "sent", "counts"),
    [
        ({"in_progress": True}, {}, "sent"),
        ({}, {}, "sent"),
        ({}, {"in_progress": True}, "within"),
    ],
)
def test_subsegment_that_is_in_its_parent(
    within: dict[str, Any], sent: dict[str, Any], counts: str
) -> None:
    """A subsegment that comes twice, in its parent and apart, is there once, with what is in it."""
    there = document(2, name="within", **within)
    came = [document(1, subsegments=[there]), apart(2, 1, name="sent", **sent), apart(3, 2)]
    for order in permutations(came):
        assert tree(whole(*order).documents) == {"n1": {counts: {"n3": {}}}}


@pytest.mark.parametrize(
    "lost",
    [[apart(2, 9)], [apart(2, 2)], [apart(2, 3), apart(3, 2)], [apart(2, 9), apart(3, 2)]],
)
def test_subsegments_of_nobody(lost: list[dict[str, Any]]) -> None:
    """A subsegment whose parents lead to no segment is left out, and harms no other."""
    assert tree(whole(document(1), *lost).documents) == {"n1": {}}
    assert not whole(*lost).documents


def test_shown() -> None:
    """A trace lasts from its first begin to its last end, and its segments are in order."""
    trace = whole(document(5), document(2, end_time=9.25), document(3))
    shown = trace.shown()
    assert (shown["Id"], shown["Duration"]) == (TRACE, 7.25)
    assert [segment["Id"] for segment in shown["Segments"]] == [id_of(n) for n in (2, 3, 5)]
    assert json.loads(shown["Segments"][2]["Document"]) == document(5)


def test_unfinished() -> None:
    """A segment that is in progress makes its trace partial, and lasts no time yet."""
    running = document(7, in_progress=True)
    del running["end_time"]
    summary = whole(document(2, end_time=4), running).summary()
    assert (summary["Duration"], summary["IsPartial"]) == (5, True)


def service(name: str, origin: str | None = None) -> dict[str, Any]:
    """A service, as summaries name it."""
    named = {"Name": name, "Names": [name], "AccountId": ACCOUNT}
    return {**named, "Type": origin} if origin else named


def test_summary() -> None:
    """A summary tells when a trace began, how long it took and who took part in it."""
    summary = whole(
        document(4, parent_id=id_of(2)),
        document(2, origin="AWS::Lambda", parent_id=id_of(99)),
        document(6, name="n4", parent_id=id_of(4)),
    ).summary()
    assert summary == {
        "Id": TRACE,
        "StartTime": 2,
        "Duration": 5,
        "ResponseTime": 1,
        "HasFault": False,
        "HasError": False,
        "HasThrottle": False,
        "IsPartial": False,
        "Annotations": {},
        "EntryPoint": service("n2", "AWS::Lambda"),
        "ServiceIds": [service("n2", "AWS::Lambda"), service("n4")],
    }


@pytest.mark.parametrize("flag", ["fault", "error", "throttle"])
def test_flags(flag: str) -> None:
    """A failure of any subsegment is one of its trace."""
    summary = whole(document(1), apart(2, 1, **{flag: True})).summary()
    flags = {name for name in ("Fault", "Error", "Throttle") if summary[f"Has{name}"]}
    assert flags == {flag.title()}


def test_annotations() -> None:
    """A summary has each value of an annotation once, with the services that say it."""
    trace = whole(
        document(1, annotations={"executionId": "a", "attempt": 1, "is_first": True}),
        document(2, annotations={"executionId": "a"}, subsegments=[document(3)]),
        apart(4, 3, annotations={"executionId": "b", "attempt": 1.5}),
    )
    one, two = service("n1"), service("n2")
    assert trace.summary()["Annotations"] == {
        "executionId": [
            {"AnnotationValue": {"StringValue": "a"}, "ServiceIds": [one, two]},
            {"AnnotationValue": {"StringValue": "b"}, "ServiceIds": [two]},
        ],
        "attempt": [
            {"AnnotationValue": {"NumberValue": 1}, "ServiceIds": [one]},
            {"AnnotationValue": {"NumberValue": 1.5}, "ServiceIds": [two]},
        ],
        "is_first": [{"AnnotationValue": {"BooleanValue": True}, "ServiceIds": [one]}],
    }
    assert trace.says("executionId", "b")
    assert not trace.says("executionId", "c")
    assert not trace.says("attempt", "1")


@pytest.mark.parametrize("annotations", [{"a b": "x"}, {"list": ["x"]}, {"nothing": None}])
def test_no_annotations(annotations: dict[str, Any]) -> None:
    """An annotation whose name or value X-Ray does not take is passed over."""
    trace = whole(document(1, annotations=annotations | {"good": "x"}))
    assert trace.summary()["Annotations"].keys() == {"good"}


@pytest.mark.parametrize(
    ("came", "left"),
    [
        ("abc", "abc"),
        ("abcd", "bcd"),
        ("abac", "aac"),
        ("aabbb", "bbb"),
        ("aaaa", ""),
        ("aaaab", "b"),
    ],
)
def test_bound(came: str, left: str) -> None:
    """The traces of which nothing was heard for longest are forgotten, when there is too much."""
    traces = Traces(most=3 * len(Segment.of(document(1)).text))
    for number, name in enumerate(came):
        traces.put(Segment.of(document(number) | {"trace_id": trace_of(name)}))
    kept = [trace_id for trace_id, segments in traces.all() for _ in segments]
    assert sorted(kept) == [trace_of(name) for name in left]
    assert [trace_of(name) in traces for name in "abcd"] == [name in left for name in "abcd"]


def test_bound_counts_a_segment_once() -> None:
    """A segment that is sent again and again takes the room of one."""
    traces = Traces(most=3 * len(Segment.of(document(1)).text))
    for number in (1, 1, 1, 1, 2, 3):
        traces.put(Segment.of(document(number)))
    assert len(traces.segments(TRACE)) == 3


def trace_of(name: str) -> str:
    """The id of a trace, as long as any other."""
    return f"1-581cf771-{ord(name):024x}"
