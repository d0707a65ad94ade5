"""CPU per order line on the way to a partner and back: outbox, HTTP, sandbox, poll.

Usage: python tests/benchmarks/bench_partners.py [commands] [lines per command]
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

import psutil
import sqlalchemy as sa

from assets.contracts.admission import Receipt, Submission
from resources.operational_store import embedded
from resources.operational_store.migrate import upgrade
from resources.outbox_dispatcher import OutboxDispatcher
from resources.partner_poller import PartnerPoller
from resources.partners import PartnerBook
from tests.resources.partners.story import PATIENT, T0, Outbox, SandboxProcess, SetClock


class OpenDoor:
    """Takes everything and stores nothing: the door has its own benchmark."""

    def admit(self, connection: sa.Connection, submissions: Sequence[Submission]) -> list[Receipt]:
        del connection
        return [Receipt("accepted", None) for _ in submissions]


def fill(outbox: Outbox, commands: int, lines: int) -> None:
    ordered = [
        {"line_number": n, "sku": f"SKU-{n:05d}", "quantity": 3} for n in range(1, lines + 1)
    ]
    for partner, command_type in (
        ("erp", "sales_order.create"),
        ("wms", "fulfilment_order.create"),
        ("erp", "goods_issue.post"),
    ):
        payload = {
            "order_id": "x",
            "ordered_at": T0.isoformat(),
            "node_id": "dc",
            "service_level": "standard",
            "country": "GB",
            "lines": ordered,
        }
        chunk = []
        for n in range(commands):
            key = f"N-{n}"
            chunk.append((key, {**payload, "order_number": key, "fulfilment_order_id": f"F-{n}"}))
        outbox.put(partner, command_type, *chunk)


def main(commands: int = 20_000, lines: int = 26) -> None:
    with tempfile.TemporaryDirectory(prefix="omniflow-bench-") as folder:
        Path(folder).chmod(0o755)
        data_dir = Path(folder) / "postgres"
        sandbox = SandboxProcess(Path(folder) / "sandbox")
        try:
            url = embedded.start(data_dir, durable=False)
            upgrade(url)
            engine = sa.create_engine(url)
            fill(Outbox(engine), commands, lines)
            sandbox.start()
            assert sandbox.process is not None
            partners = PartnerBook.load(sandbox_url=sandbox.url)
            there = psutil.Process(sandbox.process.pid)
            dispatcher = OutboxDispatcher(engine, partners, SetClock(), resilience=PATIENT)
            poller = PartnerPoller(engine, OpenDoor(), partners["wms"], resilience=PATIENT)
            for name, act in (
                ("dispatch", dispatcher.dispatch),
                ("poll", lambda: poller.poll(T0 + timedelta(days=30))),
            ):
                here, before, wall = time.process_time(), sum(there.cpu_times()[:2]), time.time()
                tally = act()
                report = {
                    "step": name,
                    "tally": str(tally),
                    "wall_s": round(time.time() - wall, 2),
                    "own_cpu_s": round(time.process_time() - here, 2),
                    "sandbox_cpu_s": round(sum(there.cpu_times()[:2]) - before, 2),
                    "order_lines": commands * lines * (3 if name == "dispatch" else 1),
                }
                spent = report["own_cpu_s"] + report["sandbox_cpu_s"]
                report["microseconds_per_line"] = round(spent / report["order_lines"] * 1e6, 2)
                report["sandbox_mb"] = round(there.memory_info().rss / 2**20)
                print(json.dumps(report))
            poller.close()
            dispatcher.close()
            engine.dispose()
        finally:
            sandbox.kill()
            embedded.stop(data_dir, immediately=True)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
