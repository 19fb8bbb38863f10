"""Fragments of the template that pages show: what a reader adds to what is there already."""

from __future__ import annotations

import textwrap
from typing import Any

from samtranslator.yaml_helper import yaml_parse

from tests import markdown


def fragments() -> list[dict[str, Any]]:
    """Return the fragments of all pages."""
    fences = [fence for page in markdown.pages() for fence in page.fences]
    return [yaml_parse(textwrap.dedent(f.text)) for f in fences if f.language == "yaml"]


def added(there: Any, fragment: Any) -> Any:
    """Return a part of the template with that of a fragment added, as a reader does it.

    Maps are joined. So are lists, and in them the elements that have one `Name`. Anything else has
    to be new.
    """
    if isinstance(there, dict) and isinstance(fragment, dict):
        joined = {k: added(there[k], v) if k in there else v for k, v in fragment.items()}
        return {**there, **joined}
    if isinstance(there, list) and isinstance(fragment, list):
        named = {_name(element): element for element in fragment if _name(element)}
        kept = [added(e, named.pop(_name(e))) if _name(e) in named else e for e in there]
        return kept + [e for e in fragment if _name(e) in named or not _name(e)]
    if there == fragment:
        return there
    raise AssertionError(f"{fragment!r} would replace {there!r}")


def _name(element: Any) -> str:
    return str(element.get("Name", "")) if isinstance(element, dict) else ""
