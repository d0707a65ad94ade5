"""A ledger that grows: ``make bench-ledger``.

What a reservation costs when the ledger holds 100,000 of them, a million, and ten million, most of
them ended as in life. The past is written by the database itself in one statement a size; what is
timed are new orders of three lines that already passed the door, in batches of 100, by one process.
"""

from __future__ import annotations

import os
import time
from datetime import timedelta

import sqlalchemy as sa

from assets.order_to_fulfillment.service import CONSUMER, handle
from resources.operational_store.door import Door
from resources.operational_store.store import OperationalStore, SimulatedClock, create_engine
from tests.benchmarks import measuring
from tests.benchmarks.measuring import Result, Server
from tests.benchmarks.retailer import (
    EVENTS_IN_ONE_ADMISSION,
    NODE,
    PRODUCTS,
    T0,
    admit,
    make_orders,
    opened_database,
    placed,
    store_of,
)

SIZES = (100_000, 1_000_000, 10_000_000)
TARGET = 1.2
LINES, BATCH = 3, 100
#: Of this many past reservations one is still open.
OPEN_ONE_IN = 1_000
LATER = T0 + timedelta(days=30)

# Past orders of three lines each; the key is made anew afterwards, sorted, as a home that grew has
# it. Ends have the order of their starts.
_PAST = f"""
    insert into reservation_movement (
        order_id, line_number, node_id, sku, kind, quantity, is_start, expires_at, effective_at
    )
    select
        md5('past ' || (number / {LINES}))::uuid, number % {LINES} + 1, '{NODE}',
        'SKU-' || lpad((number * 7919 % {PRODUCTS})::text, 5, '0'),
        case when is_start then 'reserved' else 'consumed' end,
        case when is_start then 1 else -1 end, is_start,
        case when is_start then timestamptz '{T0:%Y-%m-%d}' end, timestamptz '{T0:%Y-%m-%d}'
    from generate_series(cast(:first as bigint), cast(:last as bigint)) as number
    cross join (values (true), (false)) as half (is_start)
    where is_start or number % {OPEN_ONE_IN} <> 0
"""


def grow(url: str, first: int, last: int) -> int:
    """Let the ledger hold the reservations [first, last) as well; gives its rows."""
    engine = sa.create_engine(url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        run = connection.exec_driver_sql
        run("alter table reservation_movement drop constraint pk_reservation_movement")
        connection.execute(sa.text(_PAST), {"first": first, "last": last - 1})
        run("set maintenance_work_mem = '1GB'")
        run(
            "alter table reservation_movement add constraint pk_reservation_movement"
            " primary key (order_id, line_number, node_id, is_start)"
        )
        run("vacuum analyze reservation_movement")
        run("checkpoint")
        rows = connection.execute(sa.text("select count(*) from reservation_movement")).scalar_one()
    engine.dispose()
    return int(rows)


def reserve(server: Server, url: str, orders: int, first: int) -> tuple[float, float, float]:
    """Median milliseconds a reservation of new orders: wall, our CPU, PostgreSQL's CPU."""
    store = store_of(url)
    made = list(map(placed, make_orders(orders, LINES, first=first, seed=first)))
    for start in range(0, len(made), EVENTS_IN_ONE_ADMISSION):
        admit(store, made[start : start + EVENTS_IN_ONE_ADMISSION], Door())
    store.engine.dispose()
    store = OperationalStore(create_engine(url), clock=SimulatedClock(T0 + timedelta(days=1)))
    walls, ours = [], []
    before, done = measuring.server_processor_seconds(server.postmaster), 0
    while True:
        began, own = time.perf_counter(), measuring.own_seconds()
        with store.unit_of_work() as unit_of_work:
            events = unit_of_work.inbox.claim(CONSUMER, LATER, BATCH)
            if events:
                handle(events, unit_of_work)
        if not events:
            break
        done += len(events)
        walls.append(1000 * (time.perf_counter() - began) / (LINES * len(events)))
        ours.append(1000 * (measuring.own_seconds() - own) / (LINES * len(events)))
    database = measuring.server_processor_seconds(server.postmaster) - before
    store.engine.dispose()
    if done != orders:
        raise SystemExit(f"{done} of {orders} orders were reserved")
    return measuring.median(walls), measuring.median(ours), 1000 * database / (LINES * orders)


def main() -> None:
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    arguments = measuring.parser(__doc__).parse_args()
    sizes = (300, 3_000) if arguments.tiny else SIZES
    orders = 200 if arguments.tiny else 6_000
    result = Result(
        "ledger",
        "A ledger that grows",
        f"{', '.join(f'{size:,}' for size in sizes)} reservations; {orders:,} new orders of"
        f" {LINES} lines at each size, in batches of {BATCH}",
    )
    found = []
    with measuring.server() as server:
        result.postgresql = server.version
        url = opened_database(server)
        # Plans and caches of a process that has worked before.
        reserve(server, url, orders // 2, 0)
        held = 0
        for number, size in enumerate(sizes, start=1):
            rows = grow(url, held, size)
            held = size
            found.append((size, rows, *reserve(server, url, orders, number * 10_000)))
    table = result.table(
        "What one more reservation costs (with its share of its order: decision, commands, process"
        " events)",
        "reservations in the ledger",
        "rows of the ledger",
        "ms each, median of batches",
        "CPU ms: client",
        "PostgreSQL",
    )
    for row in found:
        table.add(*row)
    ratio = found[-1][2] / found[0][2]
    result.data = {"ratio": ratio, "ms": {str(row[0]): row[2] for row in found}}
    result.figure(
        f"A reservation at {sizes[-1]:,} in the ledger against one at {sizes[0]:,}",
        f"≤ {TARGET}×",
        f"{ratio:.2f}×",
        ratio <= TARGET,
    )
    measuring.keep(result, arguments)


if __name__ == "__main__":
    main()
