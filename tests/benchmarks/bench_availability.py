"""What channels may sell, told again after events: ``make bench-availability``.

5,000 SKUs at 50 nodes for 6 channels, each with a region, a brand and buffers of its own. First
everything is told once. Then 1,000 events change stock (receipts of one line, each of another SKU
at some node, applied by the flow), and what is timed is one `publish_availability` with its commit:
positions of the changed SKUs read from all their nodes, availability by channel, compared with what
each channel was told last, and what changed written as facts, as levels and as commands. Not timed:
the events themselves, and sending the commands.

Beside it, in the same run: the whole told anew, as if nobody knew what had changed.
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import sqlalchemy as sa
import yaml

from assets.contracts.admission import Submission
from resources.operational_store.store import OperationalStore, SimulatedClock, create_engine
from resources.policy_book import SHIPPED, FilePolicyBook
from tests.benchmarks import measuring
from tests.benchmarks.measuring import Result, Server, Spent, spending
from tests.benchmarks.retailer import T0, bring, code, submission

SKUS, NODES, CHANNELS, EVENTS = 5_000, 50, 6, 1_000
LINES = 5_000
TARGET_MS = 200


def node(number: int) -> str:
    return f"node_{number:02d}"


def channel(number: int) -> str:
    return f"channel_{number}"


def policies(folder: Path, nodes: int, channels: int) -> FilePolicyBook:
    """Buffers by channel, three of which belong to a brand with an overlay of its own."""
    document = yaml.safe_load((SHIPPED / "inventory.yaml").read_text())
    document["values"]["node_safety_quantity_each_by_node"] = {
        node(number): number % 5 for number in range(nodes)
    }
    document["values"]["channels"] = {
        channel(number): {
            "threshold_quantity_each": number,
            "ceiling_quantity_each": 1_000_000,
            "excluded_nodes": [node(n) for n in range(nodes) if n % (number + 2) == 0],
            "brand": f"brand_{number % 2}",
            "region": "uk",
        }
        for number in range(channels)
    }
    stricter = {node(number): 6 for number in range(0, nodes, 3)}
    document["overlays"] = [
        {
            "scope": {"brand": "brand_1"},
            "values": {"node_safety_quantity_each_by_node": stricter},
        }
    ]
    (folder / "inventory.yaml").write_text(yaml.safe_dump(document))
    return FilePolicyBook(folder)


def product(sku: int) -> Submission:
    data = {
        "sku": code(sku),
        "standard_cost": "1.00",
        "currency": "GBP",
        "tax_rate": 2_000,
    }
    return submission("erp", "product.registered", f"P-{sku}", code(sku), T0, data)


def place(number: int) -> Submission:
    data = {"node_id": node(number), "kind": "store", "zone": "Europe/London", "country": "GB"}
    return submission("erp", "node.registered", f"N-{number}", node(number), T0, data)


def counts(skus: int, nodes: int) -> Sequence[Submission]:
    made = []
    for number in range(nodes):
        lines = [{"sku": code(sku), "quantity": 20 + sku % 30} for sku in range(skus)]
        for start in range(0, skus, LINES):
            key = f"C-{number}-{start}"
            data = {
                "document_number": key,
                "node_id": node(number),
                "lines": lines[start : start + LINES],
            }
            made.append(submission("erp", "inventory.counted", key, key, T0, data))
    return made


def receipts(run: int, events: int, skus: int, nodes: int) -> Sequence[Submission]:
    """Each of another SKU, so that the most is changed that so many events can change."""
    at = T0 + timedelta(hours=run + 1)
    made = []
    for number in range(events):
        key = f"R-{run}-{number}"
        sku = (run * events + number) % skus
        data: dict[str, Any] = {
            "document_number": key,
            "node_id": node((number * 7 + run) % nodes),
            "lines": [{"line_number": 1, "sku": code(sku), "quantity": 1 + number % 3}],
        }
        made.append(submission("erp", "inventory.received", key, key, at, data))
    return made


def timed(store: OperationalStore, server: Server) -> tuple[Spent, int]:
    """(what it cost, lines told) of one publication, commit included."""
    spent = Spent()
    with spending(spent, server.postmaster):
        lines = store.publish_availability()
    return spent, lines


def verify(store: OperationalStore) -> None:
    """A fast wrong answer is none: channels hold what was told, and no more than there is."""
    from resources.operational_store.invariants import check

    with store.engine.connect() as connection:
        broken = [result.id for result in check(connection, ["S2", "S4"]) if not result.holds]
    if broken:
        raise SystemExit(f"the result is wrong: {', '.join(broken)}")


def forget(store: OperationalStore) -> None:
    with store.engine.begin() as connection:
        connection.execute(sa.text("delete from channel_availability"))
        connection.execute(sa.text("update stock_position set is_unpublished = true"))


def bench(server: Server, result: Result, sizes: tuple[int, int, int, int], runs: int) -> None:
    skus, nodes, channels, events = sizes
    with tempfile.TemporaryDirectory() as folder:
        clock = SimulatedClock(T0)
        book = policies(Path(folder), nodes, channels)
        store = OperationalStore(create_engine(server.database()), clock, book)
    bring(store, [*map(place, range(nodes)), *map(product, range(skus))], T0)
    bring(store, counts(skus, nodes), T0)
    first, told = timed(store, server)
    with store.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(sa.text("vacuum analyze"))
    incremental, lines = [], []
    for run in range(runs):
        at = T0 + timedelta(hours=run + 1)
        clock.advance(at)
        bring(store, receipts(run, events, skus, nodes), at)
        spent, changed = timed(store, server)
        incremental.append(spent)
        lines.append(changed)
    verify(store)
    clock.advance(T0 + timedelta(hours=runs + 1))
    forget(store)
    whole, again = timed(store, server)
    store.engine.dispose()

    table = result.table(
        f"Availability of {skus:,} SKUs × {nodes} nodes × {channels} channels",
        "what is told",
        "lines told",
        "milliseconds",
        "CPU ms: client",
        "PostgreSQL",
    )
    ordered = sorted(incremental, key=lambda one: one.wall)
    middle, slowest = ordered[len(ordered) // 2], ordered[-1]
    for name, count, spent in (
        ("everything, for the first time", told, first),
        (f"what {events:,} events changed, median of {runs}", lines[0], middle),
        (f"what {events:,} events changed, slowest of {runs}", max(lines), slowest),
        ("everything, as if nobody knew what changed", again, whole),
    ):
        table.add(name, count, *(1000 * x for x in (spent.wall, spent.client, spent.database)))
    milliseconds = 1000 * middle.wall
    result.data = {"incremental_ms": milliseconds, "slowest_ms": 1000 * slowest.wall}
    result.figure(
        f"ATP for {skus:,} SKUs × {nodes} nodes × {channels} channels, after {events:,} events",
        f"≤ {TARGET_MS} ms",
        f"{milliseconds:.0f} ms",
        milliseconds <= TARGET_MS,
    )


def main() -> None:
    arguments = measuring.parser(__doc__).parse_args()
    sizes = (50, 5, 3, 20) if arguments.tiny else (SKUS, NODES, CHANNELS, EVENTS)
    runs = 2 if arguments.tiny else 9
    skus, nodes, channels, events = sizes
    result = Result(
        "availability",
        "Available to promise by channel",
        f"{skus:,} SKUs, {nodes} nodes, {channels} channels; {events:,} events a run, {runs} runs",
    )
    with measuring.server() as server:
        result.postgresql = server.version
        bench(server, result, sizes, runs)
    result.notes.append(
        "Timed is one publication with its commit (fsync on): from the flags of changed positions"
        " to facts, levels and commands. Every event changes another SKU, so channels are told of"
        " as many SKUs as there are events."
    )
    measuring.keep(result, arguments)


if __name__ == "__main__":
    main()
