"""A trace as a picture: a bar for each invocation, each attempt and each of its phases."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

_WIDTH, _NAMES, _TIMES, _ROW, _TOP = 900, 210, 70, 24, 66
_BAR, _RADIUS = 12, 8
# The highest number of lines of the scale, and the steps in seconds between two of them.
_LINES = 8
_STEPS = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600)
_TITLE = "One execution in X-Ray: its invocations, and the phases of each attempt's task"
_STYLE = """
    text { font: 13px system-ui, -apple-system, "Segoe UI", "DejaVu Sans", sans-serif }
    text { fill: #1f2328 }
    .small { font-size: 11px; fill: #59636e }
    .title { font-size: 14px; font-weight: 600 }
    .end { text-anchor: end }
    .mid { text-anchor: middle }
    .paper { fill: #ffffff; stroke: #d0d7de }
    .lane { stroke: #d0d7de }
    .lambda { fill: #bc4c00 }
    .ecs { fill: #0969da }
    .phase { fill: #80ccff }
    .wait { fill: #8250df }
    .fault { fill: #cf222e }
    @media (prefers-color-scheme: dark) {
      text { fill: #e6edf3 }
      .small { fill: #9198a1 }
      .paper { fill: #0d1117; stroke: #30363d }
      .lane { stroke: #30363d }
      .lambda { fill: #db6d28 }
      .ecs { fill: #4493f8 }
      .phase { fill: #1f4f8a }
      .wait { fill: #ab7df8 }
      .fault { fill: #f85149 }
    }
"""


@dataclass(frozen=True, slots=True)
class _Bar:
    """One row: its name and depth, its span in seconds from the trace's begin, and its colour."""

    name: str
    depth: int
    begin: float
    end: float
    kind: str


def drawn(segments: Sequence[Mapping[str, Any]], stack: str) -> str:
    """Return a trace as an SVG document.

    Args:
        segments: X-Ray's documents, of invocations and of attempts.
        stack: the stack's name, with which the functions' begin; it is left out.
    """
    zero = min(segment["start_time"] for segment in segments)
    bars = list(_bars(segments, zero, f"{stack}-"))
    whole = max(bar.end for bar in bars)
    height = _TOP + _ROW * len(bars) + 16
    body = [_text(20, 28, _TITLE, "title"), *_scale(whole, height)]
    for number, bar in enumerate(bars):
        body += _row(bar, _TOP + number * _ROW, whole)
    inner = "\n  ".join(body)
    size = f'width="{_WIDTH}" height="{height}"'
    frame = f'x="0.5" y="0.5" width="{_WIDTH - 1}" height="{height - 1}" rx="{_RADIUS}"'
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" '
        f'{size} role="img" aria-label="{_TITLE}">\n'
        f"  <title>{_TITLE}</title>\n  <style>{_STYLE}  </style>\n"
        f'  <rect class="paper" {frame}/>\n'
        f"  {inner}\n</svg>\n"
    )


def _bars(segments: Sequence[Mapping[str, Any]], zero: float, prefix: str) -> Iterator[_Bar]:
    for segment in sorted(segments, key=lambda segment: segment["start_time"]):
        if segment.get("origin") == "AWS::Lambda":
            yield _bar(segment["name"].removeprefix(prefix), 0, segment, zero, "lambda")
        elif "attempt" in segment.get("annotations", {}):
            told = segment["annotations"]
            name = f"attempt {told['attempt']}: {told['outcome']}"
            yield _bar(name, 0, segment, zero, "ecs")
            for part in segment["subsegments"]:
                kind = "wait" if part["name"] == "completion" else "phase"
                yield _bar(part["name"], 1, part, zero, kind)


def _bar(name: str, depth: int, part: Mapping[str, Any], zero: float, kind: str) -> _Bar:
    own = "fault" if part.get("fault") else kind
    return _Bar(name, depth, part["start_time"] - zero, part["end_time"] - zero, own)


def _row(bar: _Bar, top: float, whole: float) -> list[str]:
    left, right = _across(bar.begin, whole), _across(bar.end, whole)
    took = bar.end - bar.begin
    # A bar has to be wide enough to see.
    place = f'x="{left:.1f}" y="{top + 1}" width="{max(right - left, 3):.1f}" height="{_BAR}"'
    return [
        _text(20 + 16 * bar.depth, top + _BAR, bar.name, "small" if bar.depth else ""),
        f'<rect class="{bar.kind}" {place} rx="2"/>',
        _text(_WIDTH - 16, top + _BAR, f"{took:.1f} s", "small end"),
    ]


def _scale(whole: float, height: float) -> Iterator[str]:
    """Yield the lines of the time's scale."""
    step = next((each for each in _STEPS if whole / each <= _LINES), whole / _LINES)
    for number in range(int(whole / step) + 1):
        across = _across(number * step, whole)
        yield f'<path class="lane" d="M{across:.1f} {_TOP - 12} V{height - 12}"/>'
        yield _text(across, _TOP - 18, f"{number * step:g} s", "small mid")


def _across(seconds: float, whole: float) -> float:
    return _NAMES + seconds / whole * (_WIDTH - _NAMES - _TIMES)


def _text(left: float, top: float, text: str, kind: str = "") -> str:
    named = f' class="{kind}"' if kind else ""
    return f'<text{named} x="{left:.1f}" y="{top:.1f}">{escape(text)}</text>'
