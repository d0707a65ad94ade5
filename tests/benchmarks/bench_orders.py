"""Orders of three lines through door and handle, from placed to delivered: ``make bench-orders``.

A fresh database on an embedded PostgreSQL with fsync. Orders come in batches of 1,000; every batch
lives its whole life before the next begins: order_placed, payment_authorised, shipment_dispatched,
payment_captured, shipment_delivered. Timed is, for each of these five, what the product does with
it: `Door.admit` of the 1,000 events (one transaction: contract, identity, inbox) and the drain of
the flow (one transaction: reserve, allocate, decision record, commands into the outbox, balanced
journal lines, process events). Not timed: making the events, and sending the commands, which
``bench_partners.py`` measures.

Beside it, in the same run and on the same server: the same effect of order_placed and
payment_authorised by one plain transaction per order over four connections, and by a DBOS workflow
of six transactional steps per order.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from queue import SimpleQueue
from typing import Any

import psycopg
import sqlalchemy as sa

from resources.operational_store.bulk import driver_cursor
from resources.operational_store.door import Door
from resources.operational_store.store import OperationalStore
from tests.benchmarks import measuring
from tests.benchmarks.measuring import Result, Server, Spent, spending
from tests.benchmarks.plain_order import STEPS, PlainOrder, plain
from tests.benchmarks.retailer import LIFE, Order, admit, make_orders, opened_database, store_of

FLOW = "order_to_fulfillment"
BATCH = 1_000
LINES = 3
CONNECTIONS = 4
#: How far an order of the first, second … event has come.
CUTS = (
    ("placed → allocated", 2),
    ("placed → dispatched", 3),
    ("placed → delivered", 5),
)
COUNTED = ("command_outbox", "journal_line", "process_event")


def run_lives(
    server: Server, store: OperationalStore, orders: Sequence[Order]
) -> tuple[list[list[Spent]], list[dict[str, float]]]:
    """Every batch through its whole life: what each of the five events cost, batch by batch.

    Gives also, for each of the five, how many rows of `COUNTED` one order has after it.
    """
    door = Door()
    postmaster = server.postmaster
    spent: list[list[Spent]] = []
    rows: list[dict[str, float]] = []
    before = {table: count(store, table) for table in COUNTED}
    for start in range(0, len(orders), BATCH):
        batch = orders[start : start + BATCH]
        events = [list(map(event_of, batch)) for _, event_of in LIFE]
        store.clock.advance(batch[-1].placed_at + timedelta(minutes=1))  # type: ignore[attr-defined]
        costs = []
        for submissions in events:
            cost = Spent()
            with spending(cost, postmaster):
                admit(store, submissions, door)
                tally = store.drain(FLOW, batch_size=2 * BATCH)
            if tally.applied != len(batch):
                raise SystemExit(f"{tally.applied} of {len(batch)} events were applied")
            costs.append(cost)
            if not start:
                rows.append(
                    {table: (count(store, table) - before[table]) / len(batch) for table in COUNTED}
                )
        spent.append(costs)
    return spent, rows


def count(store: OperationalStore, table: str) -> int:
    with store.engine.connect() as connection:
        return int(connection.execute(sa.text(f"select count(*) from {table}")).scalar_one())


def verify(store: OperationalStore, orders: int) -> None:
    """A fast wrong answer is none: everything is delivered, stock and ledger agree."""
    checks = {
        "delivered orders": f"select count(*) = {orders} from order_state where status='delivered'",
        "captured money": "select bool_and(captured_amount = payable_amount) from order_state",
        "promises kept": "select sum(reserved_quantity + allocated_quantity) = 0"
        " from stock_position",
        "stock": "select (select sum(on_hand_quantity) from stock_position)"
        " = (select sum(quantity) from stock_movement)",
        "ledger": "select sum(amount) = 0 from journal_line",
        "decisions": f"select count(*) = {orders} from decision_record",
    }
    with store.engine.connect() as connection:
        for what, statement in checks.items():
            if not connection.execute(sa.text(statement)).scalar_one():
                raise SystemExit(f"the result is wrong: {what}")


def bench_product(server: Server, result: Result, sizes: Sequence[int]) -> None:
    orders = make_orders(sizes[-1], LINES)
    store = store_of(opened_database(server))
    measuring.forget_peak()
    with measuring.ServerMemory(server.postmaster) as memory:
        spent, rows = run_lives(server, store, orders)
        peak = measuring.peak_megabytes()
    verify(store, len(orders))
    store.engine.dispose()

    table = result.table(
        f"{len(orders):,} orders of {LINES} lines in batches of {BATCH:,}, one process",
        "what is timed",
        "commands",
        "journal lines",
        "process events",
        "orders/s",
        "median batch",
        "CPU ms per order: client",
        "PostgreSQL",
    )
    for name, events in CUTS:
        total = summed(cost for costs in spent for cost in costs[:events])
        walls = [sum(cost.wall for cost in costs[:events]) for costs in spent]
        rates = [BATCH / wall for wall in walls] if len(orders) % BATCH == 0 else [0.0]
        rate = len(orders) / total.wall
        client, database = (1000 * s / len(orders) for s in (total.client, total.database))
        counts = [round(rows[events - 1][kind], 2) for kind in COUNTED]
        table.add(
            name, *(f"{n:g}" for n in counts), rate, measuring.median(rates), client, database
        )
        result.data[name] = {"orders_per_second": rate, "client_ms": client, "server_ms": database}
    per_order = rows[2]
    rate = result.data["placed → dispatched"]["orders_per_second"]
    result.figure(
        f"Orders of {LINES} lines through handle ({per_order['command_outbox']:g} commands,"
        f" {per_order['journal_line']:g} journal lines), sustained over {len(orders):,}",
        "≥ 400 orders/s, aim 1,000",
        f"{rate:,.0f} orders/s",
        rate >= 400,
    )

    growth = result.table(
        "How it grows: the same run, cut by how many orders the database holds",
        "orders held",
        "placed → allocated, orders/s",
        "placed → delivered, orders/s",
        "CPU ms per order, placed → delivered",
    )
    tenth = max(1, len(spent) // 10)
    last = spent[-tenth:]
    cuts = [(f"up to {size:,}", spent[: max(1, size // BATCH)]) for size in sizes]
    cuts += [("the first tenth", spent[:tenth]), ("the last tenth", last)]
    ms = {}
    for name, batches in cuts:
        n = min(len(batches) * BATCH, len(orders))
        whole = summed(cost for costs in batches for cost in costs)
        short = summed(cost for costs in batches for cost in costs[:2])
        ms[name] = 1000 * (whole.client + whole.database) / n
        growth.add(name, n / short.wall, n / whole.wall, ms[name])
    result.data["growth_of_cpu"] = ms["the last tenth"] / ms["the first tenth"]

    used = result.table("Memory", "process", "peak MB")
    used.add("client (the whole flow)", peak)
    used.add("largest PostgreSQL process, private", memory.largest_mb)
    used.add("all PostgreSQL processes, private", memory.all_mb)


def summed(costs: Iterator[Spent]) -> Spent:
    total = Spent()
    for cost in costs:
        total += cost
    return total


def bench_plain(server: Server, orders: int) -> tuple[float, Spent]:
    """One transaction per order, four connections, each taking the next order."""
    url = opened_database(server)
    waiting: SimpleQueue[PlainOrder] = SimpleQueue()
    for order in make_orders(orders, LINES):
        waiting.put(plain(order))

    def work(connection: psycopg.Connection[Any]) -> None:
        while not waiting.empty():
            order = waiting.get()
            with connection.transaction(), connection.cursor() as cursor:
                for _, step in STEPS:
                    order = step(cursor, order)

    connections = [psycopg.connect(measuring.plain_url(url)) for _ in range(CONNECTIONS)]
    spent = Spent()
    with ThreadPoolExecutor(CONNECTIONS) as pool, spending(spent, server.postmaster):
        list(pool.map(work, connections))
    for connection in connections:
        connection.close()
    done = measuring.query(url, "select count(*) from order_state where status = 'allocated'")
    if done[0][0] != orders:
        raise SystemExit(f"only {done[0][0]} of {orders} plain orders were allocated")
    return orders / spent.wall, spent


def bench_dbos(server: Server, orders: int) -> tuple[float, Spent] | None:
    """One durable workflow of six transactional steps per order, four at a time."""
    try:
        from dbos import DBOS, SQLAlchemyDatasource
    except ImportError:
        return None
    logging.getLogger("dbos").setLevel(logging.ERROR)
    url = opened_database(server)
    system = sa.make_url(server.url).set(database="bench_dbos_system")
    measuring.query(server.url, "create database bench_dbos_system")
    DBOS(
        config={
            "name": "bench-orders",
            "system_database_url": system.render_as_string(hide_password=False),
            "log_level": "ERROR",
            "enable_otlp": False,
        }
    )
    engine = sa.create_engine(url, pool_size=2 * CONNECTIONS)
    source = SQLAlchemyDatasource.create(url, engine=engine)

    def in_step(step: Callable[..., PlainOrder], order: PlainOrder) -> PlainOrder:
        return step(driver_cursor(source.sql_session().connection()), order)

    @DBOS.workflow()
    def live(order: PlainOrder) -> str:
        for name, step in STEPS:
            order = source.run_tx_step(
                {"name": name, "isolation_level": "READ COMMITTED"}, in_step, step, order
            )
        return order.order_id

    DBOS.launch()
    spent = Spent()
    try:
        made = [plain(order) for order in make_orders(orders, LINES)]
        with ThreadPoolExecutor(CONNECTIONS) as pool, spending(spent, server.postmaster):
            list(pool.map(live, made))
    finally:
        DBOS.destroy()
        engine.dispose()
    done = measuring.query(url, "select count(*) from order_state where status = 'allocated'")
    if done[0][0] != orders:
        raise SystemExit(f"only {done[0][0]} of {orders} DBOS orders were allocated")
    return orders / spent.wall, spent


@contextmanager
def said(what: str) -> Iterator[None]:
    began = time.perf_counter()
    yield
    print(f"  {what}: {time.perf_counter() - began:.1f} s", flush=True)


def main() -> None:
    options = measuring.parser(__doc__)
    options.add_argument("--orders", type=int, help="orders of the largest size")
    arguments = options.parse_args()
    largest = arguments.orders or (BATCH if arguments.tiny else 100_000)
    sizes = sorted({size for size in (10_000, 50_000) if size < largest} | {largest})
    plain_orders, dbos_orders = (200, 20) if arguments.tiny else (10_000, 400)
    result = Result(
        "orders",
        "Orders through door and handle",
        f"{' / '.join(f'{size:,}' for size in sizes)} orders of {LINES} lines;"
        f" {plain_orders:,} by plain transactions, {dbos_orders} by DBOS",
    )
    with measuring.server() as server:
        result.postgresql = server.version
        with said("the product"):
            bench_product(server, result, sizes)
        beside = result.table(
            "Beside it: placed → allocated by other means, same machine, same server, same tables",
            "design",
            "orders",
            "orders/s",
            "CPU ms per order: client",
            "PostgreSQL",
        )
        ours = result.data["placed → allocated"]
        beside.add(
            f"the product, batches of {BATCH:,}, one process",
            sizes[-1],
            ours["orders_per_second"],
            ours["client_ms"],
            ours["server_ms"],
        )
        ways: tuple[tuple[str, Callable[[Server, int], tuple[float, Spent] | None], int], ...] = (
            ("one plain transaction per order, 4 connections", bench_plain, plain_orders),
            ("DBOS, one workflow of 6 transactional steps per order", bench_dbos, dbos_orders),
        )
        for name, way, orders in ways:
            with said(name):
                found = way(server, orders)
            if found is None:
                result.notes.append(
                    f"{name}: not installed here, left out (`make setup` leaves"
                    " it away, `make bench` installs it)"
                )
                continue
            rate, spent = found
            beside.add(
                name, orders, rate, 1000 * spent.client / orders, 1000 * spent.database / orders
            )
            result.data[name] = {"orders": orders, "orders_per_second": rate}
    result.notes.append(
        "Timed are the door and the flow, commits with fsync included; making the events and"
        " sending the commands are not. Placed → allocated takes two events, placed → delivered"
        " five; the outbox keeps its commands pending."
    )
    measuring.keep(result, arguments)


if __name__ == "__main__":
    main()
