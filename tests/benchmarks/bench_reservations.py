"""Many who want the same units: ``make bench-reservations``.

First, 200 reservers over 200 connections at the same moment, each with its own order of one unit,
and ten units on hand: exactly ten may succeed. Then reservations a second with 1, 4 and 16
connections: orders of three lines that already passed the door, claimed and applied by as many
processes, one order a transaction and in batches of 100.
"""

from __future__ import annotations

import multiprocessing
import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import psutil
import sqlalchemy as sa

from assets.order_to_fulfillment.service import CONSUMER, handle
from resources.operational_store.door import Door
from resources.operational_store.store import OperationalStore, SimulatedClock, create_engine
from tests.benchmarks import measuring
from tests.benchmarks.measuring import Result, Server
from tests.benchmarks.retailer import (
    EVENTS_IN_ONE_ADMISSION,
    T0,
    Order,
    admit,
    bring,
    code,
    make_orders,
    opened_database,
    opening,
    placed,
    store_of,
)

RESERVERS = 200
UNITS = 10
CONNECTIONS = (1, 4, 16)
BATCHES = (1, 100)
LATER = T0 + timedelta(days=30)


def reserve_in_parallel(server: Server, result: Result) -> None:
    """Everybody claims an order, waits for everybody else, and then reserves."""
    url = server.database()
    engine = sa.create_engine(url, pool_size=RESERVERS)
    store = OperationalStore(engine, clock=SimulatedClock(T0))
    bring(store, opening({code(0): UNITS}), T0)
    orders = [
        Order(f"B-{number:07d}", T0 + timedelta(seconds=number), ((0, 1),))
        for number in range(RESERVERS)
    ]
    admit(store, list(map(placed, orders)), Door())
    together = threading.Barrier(RESERVERS)
    waited: list[float] = []

    def reserve(_: int) -> None:
        with store.unit_of_work() as unit_of_work:
            events = unit_of_work.inbox.claim(CONSUMER, LATER, 1)
            together.wait(120)
            began = time.perf_counter()
            handle(events, unit_of_work)
        waited.append(time.perf_counter() - began)

    with ThreadPoolExecutor(RESERVERS) as pool:
        list(pool.map(reserve, range(RESERVERS)))
    engine.dispose()
    won, lost = measuring.query(
        url,
        "select sum(reserved_quantity)::int, sum(unfilled_quantity)::int from order_line",
    )[0]
    position = measuring.query(
        url, "select reserved_quantity, on_hand_quantity from stock_position"
    )[0]
    exact = (won, lost) == (UNITS, RESERVERS - UNITS) and position == (UNITS, UNITS)
    table = result.table(
        f"{RESERVERS} parallel reservers of {UNITS} units, a connection each",
        "reservers",
        "units",
        "succeeded",
        "told that nothing is left",
        "seconds until the last one knew",
    )
    table.add(RESERVERS, UNITS, won, lost, max(waited))
    result.figure(
        f"{RESERVERS} parallel reservers of {UNITS} units", f"exactly {UNITS}", str(won), exact
    )


def work(url: str, batch: int, together: object, spent: object) -> None:
    """One process: claim and apply until nothing is left."""
    store = OperationalStore(create_engine(url), clock=SimulatedClock(T0 + timedelta(days=1)))
    with store.transaction():
        pass
    together.wait(120)  # type: ignore[attr-defined]
    began = measuring.own_seconds()
    done = 0
    while True:
        with store.unit_of_work() as unit_of_work:
            events = unit_of_work.inbox.claim(CONSUMER, LATER, batch)
            if events:
                handle(events, unit_of_work)
        done += len(events)
        if not events:
            break
    spent.put((done, measuring.own_seconds() - began))  # type: ignore[attr-defined]
    store.engine.dispose()


def reserve_with(server: Server, connections: int, batch: int, orders: int) -> dict[str, float]:
    url = opened_database(server)
    store = store_of(url)
    made = list(map(placed, make_orders(orders, 3, seed=connections)))
    for start in range(0, len(made), EVENTS_IN_ONE_ADMISSION):
        admit(store, made[start : start + EVENTS_IN_ONE_ADMISSION], Door())
    store.engine.dispose()
    context = multiprocessing.get_context("fork")
    together = context.Barrier(connections + 1)
    spent = context.SimpleQueue()
    workers = [
        context.Process(target=work, args=(url, batch, together, spent)) for _ in range(connections)
    ]
    for worker in workers:
        worker.start()
    together.wait(120)
    before = measuring.server_processor_seconds(server.postmaster)
    began = time.perf_counter()
    tallies = [spent.get() for _ in workers]
    wall = time.perf_counter() - began
    for worker in workers:
        worker.join()
    database = measuring.server_processor_seconds(server.postmaster) - before
    lines = measuring.query(url, "select count(*) from reservation_movement where is_start")[0][0]
    if sum(done for done, _ in tallies) != orders or lines != 3 * orders:
        raise SystemExit(f"{lines} reservations of {orders} orders")
    return {
        "orders_per_second": orders / wall,
        "reservations_per_second": lines / wall,
        "client_ms": 1000 * sum(cpu for _, cpu in tallies) / orders,
        "server_ms": 1000 * database / orders,
    }


def main() -> None:
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    arguments = measuring.parser(__doc__).parse_args()
    sizes = {1: 20, 100: 200} if arguments.tiny else {1: 3_000, 100: 20_000}
    runs = 1 if arguments.tiny else 3
    counts = (1, 4) if arguments.tiny else CONNECTIONS
    result = Result(
        "reservations",
        "Reservations",
        f"{RESERVERS} reservers; {sizes[1]:,} orders one by one, {sizes[100]:,} in batches of 100,"
        f" {runs} runs each",
    )
    with measuring.server(connections=RESERVERS + 50) as server:
        result.postgresql = server.version
        reserve_in_parallel(server, result)
        table = result.table(
            "Reservations a second, orders of 3 lines, medians (each order decided, recorded, with"
            " its commands and process events)",
            "connections",
            "orders in one transaction",
            "reservations/s",
            "orders/s",
            "CPU ms per order: clients",
            "PostgreSQL",
        )
        for batch in BATCHES:
            for connections in counts:
                found = [
                    reserve_with(server, connections, batch, sizes[batch]) for _ in range(runs)
                ]
                middle = {key: measuring.median([run[key] for run in found]) for key in found[0]}
                table.add(
                    connections,
                    batch,
                    middle["reservations_per_second"],
                    middle["orders_per_second"],
                    middle["client_ms"],
                    middle["server_ms"],
                )
                result.data[f"{connections} connections, batches of {batch}"] = middle
    result.notes.append(
        "Clients and database share the cores, so connections beyond the cores help only where"
        f" a commit waits for the disk ({psutil.cpu_count()} cores here)."
    )
    measuring.keep(result, arguments)


if __name__ == "__main__":
    main()
