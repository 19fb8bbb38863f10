from __future__ import annotations

import re
from typing import Any
from xml.etree import ElementTree as ET

from scripts.pictures.trace import drawn
from tests.template import ROOT

SVG = "{http://www.w3.org/2000/svg}"
LAMBDA = {"name": "demo-eventbridge-function", "origin": "AWS::Lambda"}
TASK = {
    "name": "demo-worker",
    "annotations": {"attempt": 1, "outcome": "ApplicationFailed"},
    "subsegments": [
        {"name": "provisioning", "start_time": 101.0, "end_time": 111.0},
        {"name": "running <&>", "start_time": 111.0, "end_time": 120.0, "fault": True},
        {"name": "completion", "start_time": 120.0, "end_time": 125.0},
    ],
}
SEGMENTS: list[dict[str, Any]] = [
    {**TASK, "start_time": 101.0, "end_time": 120.0, "fault": True},
    {**LAMBDA, "start_time": 100.0, "end_time": 101.0},
    {**LAMBDA, "origin": "AWS::Lambda::Function", "start_time": 100.0, "end_time": 101.0},
]


def texts(picture: str) -> list[str]:
    """Return what is written in a picture."""
    return [text.text or "" for text in ET.fromstring(picture).iter(f"{SVG}text")]  # noqa: S314 - our own


def bars(picture: str) -> list[tuple[str, float, float]]:
    """Return the kind of each bar, where it begins and where it ends."""
    found = ET.fromstring(picture).iter(f"{SVG}rect")  # noqa: S314 - our own
    spans = [(bar.attrib["class"], bar.attrib["x"], bar.attrib["width"]) for bar in found]
    return [(kind, float(x), float(x) + float(width)) for kind, x, width in spans[1:]]


def test_rows() -> None:
    """Invocations, attempts and phases each have a row, in the order of their begin."""
    written = texts(drawn(SEGMENTS, "demo"))
    names = ["eventbridge-function", "attempt 1: ApplicationFailed", "provisioning"]
    names += ["running <&>", "completion"]
    assert [text for text in written if text in names] == names
    assert written.count("19.0 s") == 1


def test_bars() -> None:
    """A phase begins where the one before ends, and a fault has a colour of its own."""
    kinds, begins, ends = zip(*bars(drawn(SEGMENTS, "demo")), strict=True)
    assert kinds == ("lambda", "fault", "phase", "fault", "wait")
    assert begins[1] == begins[2]
    assert [round(end - begin) for end, begin in zip(ends[2:4], begins[3:], strict=True)] == [0, 0]


def test_picture_of_the_documentation() -> None:
    """The documentation's picture is one that the script draws: each phase of two attempts."""
    written = texts((ROOT / "docs" / "img" / "trace.svg").read_text())
    for phase in ("provisioning", "image pull", "starting", "running", "completion"):
        assert written.count(phase) == 2
    attempts = [text for text in written if re.match(r"attempt \d", text)]
    assert attempts == ["attempt 1: SpotInterrupted", "attempt 2: Succeeded"]
    assert written.count("eventbridge-function") >= 2
