"""The metrics in Prometheus' text format (https://prometheus.io/docs/instrumenting/exposition_formats/).

This module and process_tree alone import prometheus-client.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

import prometheus_client
from prometheus_client import CollectorRegistry
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from podium import __version__
from podium.telemetry import metrics
from podium.telemetry.metrics import Gauge, Metric
from podium.telemetry.process_tree import ProcessTree

# No second series with the start time of each counter.
prometheus_client.disable_created_metrics()  # type: ignore[no-untyped-call]


class Prometheus:
    """A sink that renders the metrics.

    Args:
        gauges: called for each page; None: another process renders them.
        counts: False if another process renders the counters, and the facts of all processes together.
    """

    def __init__(self, gauges: Callable[[], Sequence[Gauge]] | None, *, counts: bool = True) -> None:
        self._registry = CollectorRegistry(auto_describe=False)
        self._families = {metric.name: self._family(metric) for metric in metrics.ALL.values() if counts}
        if counts:
            self._registry.register(ProcessTree())
        if gauges is not None:
            self._registry.register(_Gauges(gauges))

    def add(self, metric: Metric, value: float, labels: Mapping[str, str]) -> None:
        family = self._families[metric.name]
        child = family.labels(**labels) if metric.labels else family
        if isinstance(child, prometheus_client.Counter):
            child.inc(value)
        else:
            child.observe(value)

    def page(self) -> bytes:
        """Render version 0.0.4 of the format, which every scraper reads."""
        return prometheus_client.generate_latest(self._registry)

    def _family(self, metric: Metric) -> prometheus_client.Counter | prometheus_client.Histogram:
        if metric.kind == "counter":
            return prometheus_client.Counter(metric.name, metric.doc, metric.labels, registry=self._registry)
        return prometheus_client.Histogram(
            metric.name, metric.doc, metric.labels, buckets=metric.buckets, registry=self._registry
        )


class _Gauges(Collector):
    def __init__(self, read: Callable[[], Sequence[Gauge]]) -> None:
        self._read = read

    def collect(self) -> Iterable[GaugeMetricFamily]:
        build = GaugeMetricFamily("podium_build_info", "The version of this process.", labels=["version"])
        build.add_metric([__version__], 1)
        yield build
        for gauge in self._read():
            family = GaugeMetricFamily(gauge.name, gauge.doc, labels=gauge.labels)
            for labels, value in gauge.values.items():
                family.add_metric(labels, value)
            yield family
