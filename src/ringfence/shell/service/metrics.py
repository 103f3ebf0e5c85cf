"""Figures for Prometheus. Labels are names from the configuration and fixed words, never anything that a caller can choose."""

from collections.abc import Iterator, Mapping
from typing import Final

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

from ringfence.shell.service.running import Kept
from ringfence.shell.service.service import Service
from ringfence.shell.service.webhooks import Webhooks

STATES: Final = ("starting", "compiling", "recovering", "ok", "degraded", "stopping")
Family = CounterMetricFamily | GaugeMetricFamily


def exposition(service: Service, webhooks: Webhooks | None, sources: Mapping[str, Kept]) -> tuple[bytes, str]:
    """The figures as text, and its content type."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Figures(service, webhooks, sources))
    return generate_latest(registry), CONTENT_TYPE_LATEST


class _Figures(Collector):
    def __init__(self, service: Service, webhooks: Webhooks | None, sources: Mapping[str, Kept]) -> None:
        self._service = service
        self._webhooks = webhooks
        self._sources = sources

    def collect(self) -> Iterator[Family]:
        """All figures."""
        yield from self._of_service()
        yield from self._of_sources()
        yield from self._of_alerts()
        yield from self._of_webhooks()

    def _of_service(self) -> Iterator[Family]:
        service, pipeline = self._service, self._service.pipeline
        state = GaugeMetricFamily("ringfence_state", "1 for the state the service is in.", labels=["state"])
        now = service.health().state
        for name in STATES:
            state.add_metric([name], float(name == now))
        yield state
        plain = (
            ("journal_bytes", "Bytes that the journal holds.", service.journal.nbytes),
            ("behind_records", "Records of the journal that are not judged yet.", service.journal.last - pipeline.seq),
            ("memory_bytes", "Bytes of the engine's tables.", pipeline.judge.engine.nbytes()),
            ("event_time_seconds", "The time that is told by the newest rows.", pipeline.order.newest / 1e6),
            ("rows_waiting", "Rows that wait for their time to come.", len(pipeline.order)),
        )  # fmt: skip
        for name, words, value in plain:
            yield GaugeMetricFamily(f"ringfence_{name}", words, value=float(value))
        yield CounterMetricFamily("ringfence_calls_judged", "Calls judged.", value=float(pipeline.judged))
        latest = sorted(pipeline.latency.newest)
        family = GaugeMetricFamily(
            "ringfence_alert_latency_seconds",
            "From the record behind an alert to its being stored.",
            labels=["quantile"],
        )
        for share in (0.5, 0.99) if latest else ():
            family.add_metric([str(share)], latest[int(len(latest) * share)])
        yield family

    def _of_sources(self) -> Iterator[Family]:
        now = self._service.clock()
        tallies = dict(self._service.pipeline.tallies)
        counts = ("rows", "calls", "ignored", "late", "ahead", "repeated")
        for name in counts:
            family = CounterMetricFamily(
                f"ringfence_source_{name}", f"Rows of a source: {name}.", labels=["source"]
            )
            for source, tally in tallies.items():
                family.add_metric([source], float(getattr(tally, name)))
            yield family
        rejected = CounterMetricFamily("ringfence_source_rejected", "Rows put aside.", labels=["source"])
        lag = GaugeMetricFamily(
            "ringfence_source_lag_seconds", "Between happening and coming in.", labels=["source"]
        )
        rate = GaugeMetricFamily(
            "ringfence_source_rows_per_second", "Of the last ten seconds.", labels=["source"]
        )
        for source, tally in tallies.items():
            rejected.add_metric([source], float(sum(tally.rejected.values())))
            lag.add_metric([source], tally.lag)
            rate.add_metric([source], tally.rate(now))
        yield from (rejected, lag, rate)
        met = CounterMetricFamily(
            "ringfence_source_met", "What a source met that became no rows.", labels=["source", "what"]
        )
        well = GaugeMetricFamily("ringfence_source_up", "1 where a source can be read.", labels=["source"])
        for source, kept in self._sources.items():
            well.add_metric([source], float(kept.trouble is None))
            for what, count in kept.source.counts.items():
                met.add_metric([source, what], float(count))
        yield from (met, well)

    def _of_alerts(self) -> Iterator[Family]:
        family = GaugeMetricFamily("ringfence_alerts", "Alerts that are kept.", labels=["kind", "status"])
        for kind, by_status in self._service.store.alerts.counts().by_kind.items():
            for status, count in by_status.items():
                family.add_metric([kind, status], float(count))
        yield family

    def _of_webhooks(self) -> Iterator[Family]:
        delivered = CounterMetricFamily(
            "ringfence_webhook_delivered", "Events delivered.", labels=["webhook"]
        )
        failed = CounterMetricFamily("ringfence_webhook_failed", "Attempts that failed.", labels=["webhook"])
        for name, figures in (self._webhooks.figures() if self._webhooks else {}).items():
            delivered.add_metric([name], float(figures.delivered))
            failed.add_metric([name], float(figures.failed))
        yield from (delivered, failed)
