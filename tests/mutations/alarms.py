"""An alarm stays silent, or tells of nothing; a metric is counted wrongly where it is kept."""

from tests.mutations.mutation import Mutation

_UNIT = ("tests/unit/test_alarms.py",)
_RAISED = ("tests/integration/local/test_alarms.py",)
_KEPT = ("tests/integration/local/test_metrics.py",)
_TEMPLATE = "template.yaml"

MUTATIONS = (
    Mutation(
        "the reconciler may be silent for ever",
        _TEMPLATE,
        "TreatMissingData: breaching",
        "TreatMissingData: notBreaching",
        _UNIT,
    ),
    Mutation(
        "a record counts as overdue while it is dealt with",
        _TEMPLATE,
        "Threshold: 1800",
        "Threshold: 600",
        _UNIT,
    ),
    Mutation(
        "one failure of the durable functions is an alarm",
        _TEMPLATE,
        "Threshold: 2\n",
        "Threshold: 0\n",
        _RAISED,
    ),
    Mutation(
        "one failing run of the reconciler is an alarm",
        _TEMPLATE,
        "      Threshold: 1\n      TreatMissingData: notBreaching",
        "      Threshold: 0\n      TreatMissingData: notBreaching",
        _RAISED,
    ),
    Mutation(
        "an alarm on a metric that nobody counts",
        _TEMPLATE,
        "      MetricName: EventsMissed\n",
        "      MetricName: EventsLost\n",
        _UNIT,
    ),
    Mutation(
        "a worker's line is a metric",
        "local/surroundings.py",
        "                if counts:\n",
        "                if group:\n",
        _KEPT,
    ),
    Mutation(
        "a metric is told without regard to its dimensions",
        "local/metrics/api.py",
        "if _key_of(datum) == key]",
        "if _key_of(datum)[:2] == key[:2]]",
        _KEPT,
    ),
    Mutation(
        "a period begins wherever it is asked from",
        "local/metrics/api.py",
        "    first = _begin(start, period)\n",
        "    first = start\n",
        _KEPT,
    ),
    Mutation(
        "what fails counts as an invocation alone",
        "local/metrics/kept.py",
        '"Errors": int(failed)',
        '"Errors": 0',
        _KEPT,
    ),
)
