"""Mistakes in the local X-Ray, each with the tests that should notice."""

from __future__ import annotations

from tests.mutations.mutation import Mutation

_SEGMENT = ("tests/unit/local/test_xray_segment.py",)
_TRACES = ("tests/unit/local/test_xray_traces.py",)
_TRACE = ("tests/unit/local/test_xray_trace.py",)
_DAEMON = ("tests/unit/local/test_xray_daemon.py",)
_API = ("tests/integration/local/test_xray.py",)
_INVOCATIONS = ("tests/integration/local/test_traces.py",)

MUTATIONS = (
    Mutation(
        "a segment in progress replaces one that has ended",
        "local/xray/traces.py",
        "            if before and before.is_complete and not segment.is_complete:\n",
        "            if False:\n",
        _TRACES,
    ),
    Mutation(
        "of doubled segments the first one counts",
        "local/xray/traces.py",
        "            if before and before.is_complete and not segment.is_complete:\n",
        "            if before and before.is_complete:\n",
        _TRACES,
    ),
    Mutation(
        "the traces that were begun first are forgotten first",
        "local/xray/traces.py",
        "            self._traces.move_to_end(segment.trace_id)\n",
        "",
        _TRACES,
    ),
    Mutation(
        "a segment that is replaced still counts for what is kept",
        "local/xray/traces.py",
        "            self._size += len(segment.text) - _size([before] if before else [])\n",
        "            self._size += len(segment.text)\n",
        _TRACES,
    ),
    Mutation(
        "a document that is too large is taken",
        "local/xray/segment.py",
        '    if len(text.encode(errors="surrogatepass")) > _LARGEST:\n',
        "    if len(text) > _LARGEST:\n",
        _SEGMENT,
    ),
    Mutation(
        "subsegments in a document are taken as they are",
        "local/xray/segment.py",
        "    for part in parts(document):\n",
        "    for part in [document]:\n",
        _SEGMENT,
    ),
    Mutation(
        "a segment may end before it begins",
        "local/xray/segment.py",
        '    return _is_moment(value, document, document["start_time"])\n',
        "    return _is_moment(value, document)\n",
        _SEGMENT,
    ),
    Mutation(
        "subsegments that were sent apart are found at the top alone",
        "local/xray/whole.py",
        "for part in parts(d) if part is not d}\n",
        "for part in [d] if part is not d}\n",
        _TRACES,
    ),
    Mutation(
        "a subsegment in progress replaces the one in its parent",
        "local/xray/whole.py",
        '    if document["id"] not in by_id or is_complete(document):\n',
        "    if document:\n",
        _TRACES,
    ),
    Mutation(
        "a failure of a subsegment is none of its trace",
        "local/xray/whole.py",
        '            "HasFault": _says(everything, "fault"),\n',
        '            "HasFault": _says(self.documents, "fault"),\n',
        _TRACES,
    ),
    Mutation(
        "a filter finds an annotation that begins with its text",
        "local/xray/whole.py",
        "            value == text\n",
        "            str(value).startswith(text)\n",
        _API,
    ),
    Mutation(
        "a filter that is not known finds everything",
        "local/xray/api.py",
        "    if found is None:\n        raise",
        "    if found is None:\n        return None\n        raise",
        _API,
    ),
    Mutation(
        "the X-Ray daemon takes what is of no trace that is known",
        "local/xray/daemon.py",
        "        if segment.trace_id in self._traces:\n",
        "        if segment:\n",
        _DAEMON,
    ),
    Mutation(
        "a datagram that is no text ends the X-Ray daemon",
        "local/xray/daemon.py",
        "        except (ValueError, UnprocessedError):\n",
        "        except UnprocessedError:\n",
        _DAEMON,
    ),
    Mutation(
        "a trace that its caller does not sample is kept",
        "local/xray/trace.py",
        '_SAMPLED = {"0": False, "1": True}\n',
        '_SAMPLED = {"1": True}\n',
        _TRACE,
    ),
    Mutation(
        "each invocation of an execution hangs on its caller's segment",
        "local/xray/trace.py",
        "            if self._first:\n",
        "            if False:\n",
        _TRACE,
    ),
    Mutation(
        "what a durable function invokes begins a trace of its own",
        "local/durable/children.py",
        "        trace = trace_of(request.trace_fields).child()\n",
        "        trace = function.trace()\n",
        _INVOCATIONS,
    ),
    Mutation(
        "each invocation of an execution begins a trace of its own",
        "local/durable/runner.py",
        "function.invoke(event, qualifier, trace_of(started.trace_fields))\n",
        "function.invoke(event, qualifier, started and None)\n",
        _INVOCATIONS,
    ),
    Mutation(
        "an invocation that has failed is no fault",
        "local/functions/segments.py",
        '        failed = {} if answer.error is None else {"fault": True}\n',
        "        failed: dict[str, bool] = {}\n",
        _INVOCATIONS,
    ),
    Mutation(
        "a retry of an event begins a trace of its own",
        "local/functions/asynchronous.py",
        "self.function.invoke(self.payload, self.qualifier, self.trace)",
        "self.function.invoke(self.payload, self.qualifier)",
        _INVOCATIONS,
    ),
    Mutation(
        "functions on threads are told another function's trace",
        "local/inprocess/sandbox.py",
        "        trace_header.set(trace)\n",
        "",
        _INVOCATIONS,
    ),
)
