"""Three-way match in bulk, from lake tables to held lines: ``make bench-matching``.

Suppliers' invoices of four lines, each of an order line of its own, delivered in full but for one
in forty that is rejected in part, and one in forty is too dear. The tables lie in a lake as an
export leaves them; what is measured is the review that `omniflow invoices review` does: read and
join them, match every line, write each line's result to the lake and what would be held to
PostgreSQL, committed. Each size runs in a process of its own, for its peak of memory.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

import duckdb

from tests.benchmarks import measuring
from tests.benchmarks.measuring import Result

SIZES = (10_000, 100_000, 1_000_000)
TARGET_SECONDS, TARGET_MB = 60, 2_048
SUPPLIERS = 200

_ORDERS = """
    copy (
        select 'PO-' || n // 4 as purchase_order_id, 'L-' || n as purchase_order_line_id,
            'S-' || n % {suppliers} as supplier_id, 'uk' as region, 'main' as brand,
            'GBP' as currency_code, true as is_receipt_expected,
            cast(10 + n % 90 as bigint) as delivered_quantity,
            cast(if(n % 40 = 0, 1, 0) as bigint) as rejected_quantity,
            cast(10 + n % 90 - if(n % 40 = 0, 1, 0) as bigint) as accepted_quantity,
            cast(0 as bigint) as credited_quantity,
            timestamptz '2026-03-02 12:00+00' as due_at
        from range({lines}) as t(n)
    ) to '{root}/purchase_order_line/part-snapshot.parquet' (format parquet)
"""
_INVOICES = """
    copy (
        select cast(md5('invoice' || n) as uuid)::text as invoice_id, 'invoice' as kind,
            cast(null as text) as duplicate_of, timestamptz '2026-03-02 17:00+00' as occurred_at
        from range(({lines} + 3) // 4) as t(n)
    ) to '{root}/supplier_invoice_received/part-0-1.parquet' (format parquet)
"""
_LINES = """
    copy (
        select cast(md5('invoice' || n // 4) as uuid)::text as invoice_id,
            cast(1 + n % 4 as integer) as line_number, 'PO-' || n // 4 as purchase_order_id,
            'L-' || n as purchase_order_line_id, cast(10 + n % 90 as bigint) as quantity,
            cast(0 as bigint) as quantity_before,
            cast(2.5 + n % 100 + if(n % 40 = 20, 30, 0) as decimal(18, 4)) as unit_price,
            cast((10 + n % 90) * unit_price as decimal(18, 4)) as order_amount,
            cast(2.5 + n % 100 as decimal(18, 4)) as order_unit_price,
            false as is_price_estimated, false as is_before_receipt
        from range({lines}) as t(n)
    ) to '{root}/supplier_invoice_line/part-0-1.parquet' (format parquet)
"""


def make_lake(root: Path, lines: int) -> None:
    for table in ("purchase_order_line", "supplier_invoice_received", "supplier_invoice_line"):
        (root / table).mkdir(parents=True)
    with duckdb.connect() as connection:
        for statement in (_ORDERS, _INVOICES, _LINES):
            connection.execute(statement.format(root=root, lines=lines, suppliers=SUPPLIERS))


def one(root: Path, url: str, lines: int) -> None:
    """Review one lake and print what it cost, as JSON."""
    from resources.lake.lake import Lake
    from resources.match_review import review
    from resources.operational_store.store import create_engine
    from resources.policy_book import FilePolicyBook

    document = FilePolicyBook().documents["procure_to_stock"]
    engine = create_engine(url)
    began, cpu = time.perf_counter(), measuring.own_seconds()
    done = review(engine, Lake(root), document)
    cost = {
        "seconds": time.perf_counter() - began,
        "cpu": measuring.own_seconds() - cpu,
        "peak_mb": measuring.peak_megabytes(),
        "lines": done.lines,
        "held": done.held_lines,
    }
    engine.dispose()
    # One in forty was rejected in part, another one is too dear.
    if (done.lines, done.held_lines) != (lines, 2 * (lines // 40)):
        raise SystemExit(f"the result is wrong: {cost}")
    print(json.dumps(cost))


def bench(result: Result, sizes: tuple[int, ...], runs: int) -> None:
    table = result.table(
        f"Lake to held lines in PostgreSQL and every line's result in the lake, medians of {runs}",
        "invoice lines",
        "held",
        "seconds",
        "lines/s",
        "CPU s",
        "peak MB",
    )
    with measuring.server() as server:
        result.postgresql = server.version
        for lines in sizes:
            with measuring.working_folder() as folder:
                make_lake(folder / "lake", lines)
                costs = [measured(folder / "lake", server.database(), lines) for _ in range(runs)]
            seconds = measuring.median([cost["seconds"] for cost in costs])
            cpu = measuring.median([cost["cpu"] for cost in costs])
            peak = max(cost["peak_mb"] for cost in costs)
            table.add(lines, int(costs[0]["held"]), seconds, lines / seconds, cpu, peak)
            result.data[str(lines)] = {"seconds": seconds, "peak_mb": peak}
    seconds, peak = (result.data[str(sizes[-1])][name] for name in ("seconds", "peak_mb"))
    result.figure(
        f"Three-way match of {sizes[-1]:,} invoice lines",
        f"≤ {TARGET_SECONDS} s, ≤ {TARGET_MB:,} MB",
        f"{seconds:.1f} s, {peak:,.0f} MB",
        seconds <= TARGET_SECONDS and peak <= TARGET_MB,
    )
    result.notes.append("The memory is that of the reviewing process, Python and DuckDB included.")


def measured(root: Path, url: str, lines: int) -> dict[str, float]:
    program = [sys.executable, __file__, "--one", str(root), url, str(lines)]
    done = subprocess.run(program, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(done.stderr or done.stdout)
    found: dict[str, float] = json.loads(done.stdout)
    return found


def main() -> None:
    options = measuring.parser(__doc__)
    options.add_argument("--one", nargs=3, metavar=("LAKE", "URL", "LINES"))
    arguments = options.parse_args()
    if arguments.one:
        one(Path(arguments.one[0]), arguments.one[1], int(arguments.one[2]))
        return
    sizes = (400, 800) if arguments.tiny else SIZES
    words = " and ".join(f"{size:,}" for size in sizes)
    result = Result("matching", "Three-way match", f"{words} invoice lines")
    bench(result, sizes, 1 if arguments.tiny else 3)
    measuring.keep(result, arguments)


if __name__ == "__main__":
    main()
