"""A warehouse that builds and publishes what it is told to have."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from assets.procure_to_stock.planning import Planned
from assets.quality_gate import Failure, Verdict
from resources.analytics_store.reports import BuildReport, Held, MartInfo, NodeOutcome, Publication
from resources.demand_spikes import Detected
from resources.gated_marts import MARTS
from resources.lake.tallies import ExportTally, TableTally


def verdict(mart: str, *failures: Failure) -> Verdict:
    return Verdict(mart, "order_desk", 2, 5, failures, np.array([bool(failures), False]))


@dataclass
class FakeWarehouse:
    """A build in which every node has the status that it is given, else the good one."""

    manifest: Mapping[str, Any]
    statuses: dict[str, str] = field(default_factory=dict)
    held: tuple[Held, ...] = ()
    verdicts: dict[str, Verdict] = field(default_factory=dict)
    calls: list[str] = field(default_factory=list)

    def export(self) -> ExportTally:
        self.calls.append("export")
        return ExportTally(17, {"order_placed": TableTally(5, 1, 100)}, 0.1)

    def build(self) -> BuildReport:
        self.calls.append("build")
        nodes = []
        for unique_id, node in self.manifest["nodes"].items():
            kind = node["resource_type"]
            if kind in {"model", "test"}:
                good = "success" if kind == "model" else "pass"
                status = self.statuses.get(node["name"], good)
                nodes.append(NodeOutcome(unique_id, node["name"], kind, status, 0.1))
        return BuildReport(not self.statuses, False, tuple(nodes), self.held, 1.0)

    def detect_spikes(self) -> Detected:
        self.calls.append("detect_spikes")
        return Detected(orders=40)

    def plan(self) -> Planned:
        self.calls.append("plan")
        return Planned("plan", 8, 3, 1, 0, 0, 0, 2, 1)

    def publish(self) -> tuple[Publication, Mapping[str, Verdict]]:
        self.calls.append("publish")
        now = datetime(2026, 3, 2, tzinfo=UTC)
        held = {entry.mart: entry.reason for entry in self.held}
        marts = tuple(MartInfo(m, "", "o", 2, now, now, held.get(m)) for m in MARTS)
        said = {mart: verdict(mart) for mart in MARTS} | self.verdicts
        return Publication(3, Path("published-3.duckdb"), marts, self.held), said
