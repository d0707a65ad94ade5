"""What Prometheus may ask of a gateway's process. Labels are ours: never what a stranger sent."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest


class Metrics:
    """The counters of one gateway, in a registry of its own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._requests = Counter(
            "omniflow_gateway_requests",
            "Requests by authenticated source (else unknown), and status",
            ["source", "status"],
            registry=self.registry,
        )
        self._events = Counter(
            "omniflow_gateway_events",
            "Events by source and what the door did with them",
            ["source", "outcome"],
            registry=self.registry,
        )
        self.seconds = Histogram(
            "omniflow_gateway_request_seconds",
            "Time from the whole request being there to its answer, commit included",
            buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10),
            registry=self.registry,
        )
        self.group_events = Histogram(
            "omniflow_gateway_group_events",
            "Events that shared a transaction",
            buckets=(1, 2, 5, 10, 25, 50, 100, 250, 500, 1000, 2000),
            registry=self.registry,
        )
        self.waiting = Gauge(
            "omniflow_gateway_waiting_events",
            "Events that wait for the database",
            registry=self.registry,
        )
        # Looking a label up costs more than counting.
        self._request_counters: dict[tuple[str, int], Counter] = {}
        self._event_counters: dict[tuple[str, str], Counter] = {}

    def count_request(self, source: str, status: int) -> None:
        """One more answer."""
        counter = self._request_counters.get((source, status))
        if counter is None:
            counter = self._requests.labels(source, str(status))
            self._request_counters[source, status] = counter
        counter.inc()

    def count_event(self, source: str, outcome: str) -> None:
        """One more event."""
        counter = self._event_counters.get((source, outcome))
        if counter is None:
            counter = self._events.labels(source, outcome)
            self._event_counters[source, outcome] = counter
        counter.inc()

    def text(self) -> bytes:
        """Everything, as Prometheus reads it."""
        return generate_latest(self.registry)
