"""The door alone: events/s of `Door.admit` by size of batch and of order, ``make bench-door``.

One connection, a commit (fsync on) per batch. A second pass submits the same events once more, so
that all are duplicates.
"""

from __future__ import annotations

from collections.abc import Sequence

from assets.contracts.admission import Submission
from resources.operational_store.door import Door
from resources.operational_store.store import OperationalStore, create_engine
from tests.benchmarks import measuring
from tests.benchmarks.measuring import Result, Server, Spent, spending
from tests.benchmarks.retailer import make_orders, placed

LINES = (3, 26)
EVENTS = {1: 1_500, 100: 10_000, 1_000: 30_000}
TINY = {1: 30, 100: 200, 1_000: 1_000}


def submit(
    server: Server, store: OperationalStore, events: Sequence[Submission], batch: int, outcome: str
) -> Spent:
    door = Door()
    spent = Spent()
    outcomes = set()
    with spending(spent, server.postmaster):
        for start in range(0, len(events), batch):
            with store.transaction() as connection:
                receipts = door.admit(connection, events[start : start + batch])
            outcomes |= {receipt.outcome for receipt in receipts}
    if outcomes != {outcome}:
        raise SystemExit(f"not everything was {outcome}: {outcomes}")
    return spent


def main() -> None:
    arguments = measuring.parser(__doc__).parse_args()
    sizes = TINY if arguments.tiny else EVENTS
    runs = 1 if arguments.tiny else 3
    result = Result(
        "door",
        "The door",
        ", ".join(f"{count:,} orders in batches of {batch:,}" for batch, count in sizes.items())
        + f"; {runs} runs each",
    )
    with measuring.server() as server:
        result.postgresql = server.version
        table = result.table(
            "`Door.admit` with its commit, medians",
            "lines per order",
            "batch",
            "bytes per event",
            "events/s",
            "order lines/s",
            "CPU ms per event: client",
            "PostgreSQL",
            "duplicates/s",
        )
        store = OperationalStore(create_engine(server.database()))
        first = 0
        for lines in LINES:
            for batch, count in sizes.items():
                fresh, again = [], []
                for _ in range(runs):
                    events = list(map(placed, make_orders(count, lines, first=first)))
                    first += count
                    fresh.append(submit(server, store, events, batch, "accepted"))
                    again.append(submit(server, store, events, batch, "duplicate"))
                rate = count / measuring.median([spent.wall for spent in fresh])
                table.add(
                    lines,
                    batch,
                    sum(len(event.body) for event in events) // count,
                    rate,
                    rate * lines,
                    1000 * measuring.median([spent.client for spent in fresh]) / count,
                    1000 * measuring.median([spent.database for spent in fresh]) / count,
                    count / measuring.median([spent.wall for spent in again]),
                )
                result.data[f"{lines} lines, batches of {batch}"] = {"events_per_second": rate}
        store.engine.dispose()
    result.notes.append("A batch of one is a commit per event: its rate is the disk's.")
    measuring.keep(result, arguments)


if __name__ == "__main__":
    main()
