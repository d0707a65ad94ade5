"""Matches all invoices of the lake again, under the policy in force or another one, by sets.

What the flow has held stays as it is: this says what a policy would hold of everything that was
ever charged, against what has come by now. The whole result goes to the lake, a row for each line;
what would be held goes to the operational store, in place of the last review.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import duckdb
import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import sqlalchemy as sa

from assets.decisions.policy_document import PolicyDocument
from assets.procure_to_stock.policy import procure_policy
from assets.procure_to_stock.rules.matching import NOTED, match
from resources.lake.columns import MONEY_IN_THE_LAKE
from resources.lake.lake import Lake
from resources.operational_store.bulk import as_money, copy_into, execute, fetch
from resources.operational_store.purchasing import LAST_REVISIONS

TABLE = "invoice_match_review"
#: Of DuckDB; what it cannot keep in it goes to the disk.
MEMORY = "1GB"

# The number of an order's line stands for its two keys: a million texts would not fit as well.
_LINES = """
    with behind as (
        select *, row_number() over () as order_line
        from read_parquet('{root}/purchase_order_line/**/*.parquet', union_by_name = true)
    )

    select line.invoice_id, line.line_number, behind.order_line, line.quantity,
        cast(
            coalesce(line.order_amount, line.quantity * line.unit_price) * 10000 as bigint
        ) as amount,
        cast(line.order_unit_price * 10000 as bigint) as order_unit_price,
        coalesce(line.is_price_estimated, false) as is_price_estimated,
        coalesce(line.is_before_receipt, false) as is_before_receipt,
        case when behind.is_receipt_expected
            then behind.accepted_quantity
            else behind.ordered_quantity end + behind.credited_quantity as payable_quantity,
        greatest(date_sub('day', invoice.occurred_at, behind.due_at), 0) as days_early,
        behind.region, behind.brand, behind.currency_code
    from read_parquet('{root}/supplier_invoice_line/**/*.parquet', union_by_name = true) as line
    inner join read_parquet(
        '{root}/supplier_invoice_received/**/*.parquet', union_by_name = true
    ) as invoice on line.invoice_id = invoice.invoice_id
    inner join behind
        on line.purchase_order_id = behind.purchase_order_id
            and line.purchase_order_line_id = behind.purchase_order_line_id
    where invoice.kind = 'invoice' and invoice.duplicate_of is null
    order by behind.order_line, line.quantity_before
"""
_SCOPE = ("region", "brand", "currency_code")
_NUMBERS = (
    "order_line",
    "quantity",
    "amount",
    "order_unit_price",
    "payable_quantity",
    "days_early",
    "is_price_estimated",
    "is_before_receipt",
)


@dataclass
class Review:
    """What a policy says of all lines that an order stands behind.

    Attributes:
        held: Lines and ten-thousandths by reason and currency, of what it would hold.
        stored: The same of what is held now.
        file: The whole result.
    """

    policy_hash: str
    lines: int = 0
    held_lines: int = 0
    held: dict[tuple[str, str], tuple[int, int]] = field(default_factory=dict)
    stored: dict[tuple[str, str], tuple[int, int]] = field(default_factory=dict)
    file: Path = Path()


def review(engine: sa.Engine, lake: Lake, document: PolicyDocument) -> Review:
    """Match everything that is in the lake under a policy.

    Args:
        engine: The operational store.
        lake: Exported into by now.
        document: The policy ``procure_to_stock``.

    Returns:
        What would be held, beside what is.
    """
    done = Review(document.policy_hash)
    with lake.reading() as root:
        done.file = root / TABLE / "part-review.parquet"
        done.file.parent.mkdir(exist_ok=True)
        partial = done.file.with_name(".part-review.parquet.partial")
        with engine.begin() as connection, pq.ParquetWriter(partial, _RESULT) as writer:
            execute(connection, f"delete from {TABLE}")
            for of_scope in _scopes(_read(root)):
                result = _matched(of_scope, document)
                writer.write_table(_for_the_lake(result))
                done.lines += len(of_scope)
                _keep(connection, result, done)
            rows = fetch(connection, _STORED)
        partial.replace(done.file)
    done.stored = {(reason, currency): (lines, value) for reason, currency, lines, value in rows}
    return done


_STORED = f"""
    select last.reason_code, coalesce(last.currency_code, i.currency_code), count(*),
        (sum(last.value_difference) * 10000)::bigint
    from ({LAST_REVISIONS}) last
    join supplier_invoice_received i using (invoice_id)
    where last.status = 'held' and last.purchase_order_line_id is not null
    group by 1, 2 order by 1, 2
"""
_RESULT = pa.schema(
    [
        ("invoice_id", pa.string()),
        ("line_number", pa.int32()),
        ("status", pa.string()),
        ("reason_code", pa.string()),
        ("quantity_difference", pa.int64()),
        ("value_difference", MONEY_IN_THE_LAKE),
        ("currency_code", pa.string()),
        ("policy_hash", pa.string()),
    ]
)


def _read(root: Path) -> pa.Table:
    """All lines that an order stands behind, those of one order line together and in order."""
    with duckdb.connect() as connection:
        connection.execute(f"set memory_limit = '{MEMORY}'")
        return connection.sql(_LINES.format(root=root)).to_arrow_table()


def _scopes(lines: pa.Table) -> Iterator[pa.Table]:
    """The lines of each region, brand and currency."""
    encoded = [lines[name].combine_chunks().dictionary_encode() for name in _SCOPE]
    code: npt.NDArray[np.int64] = np.zeros(len(lines), np.int64)
    for column in encoded:
        code = code * len(column.dictionary) + column.indices.to_numpy()
    for one in np.unique(code).tolist():
        yield lines.take(pa.array(np.flatnonzero(code == one)))


def _matched(lines: pa.Table, document: PolicyDocument) -> pa.Table:
    """A row for each line and reason, and one for each line that has none."""
    region, brand, currency = (lines[name][0].as_py() for name in _SCOPE)
    tolerances = procure_policy(document.resolve(region, brand)).tolerances
    frame = pd.DataFrame({name: lines[name].to_numpy() for name in _NUMBERS})
    # From the first invoice of each order line on, the rule counts by itself.
    found = match(frame.assign(quantity_before=0, amount_before=0), tolerances, currency)
    off = found["line"].to_numpy()
    is_matched = np.ones(len(lines), np.bool_)
    is_matched[off] = False
    matched = np.flatnonzero(is_matched)
    rows = lines.take(pa.array(np.concatenate([off, matched])))
    nothing = np.zeros(len(matched), np.int64)
    reasons = found["reason_code"].to_numpy()
    noted = pa.array(np.isin(reasons, [str(reason) for reason in NOTED]))
    status = pa.compute.if_else(noted, "noted", "held")
    return pa.table(
        {
            "invoice_id": rows["invoice_id"],
            "line_number": rows["line_number"].cast(pa.int32()),
            "status": pa.concat_arrays([status, pa.array(["matched"] * len(matched), pa.string())]),
            "reason_code": pa.concat_arrays(
                [pa.array(reasons, pa.string()), pa.nulls(len(matched), pa.string())]
            ),
            "quantity_difference": np.concatenate(
                [found["quantity_difference"].to_numpy(), nothing]
            ),
            "value_difference": np.concatenate([found["value_difference"].to_numpy(), nothing]),
            "currency_code": pa.repeat(currency, len(rows)),
            "policy_hash": pa.repeat(document.policy_hash, len(rows)),
        }
    )


def _for_the_lake(result: pa.Table) -> pa.Table:
    """The same with money as the lake has it; here it is ten-thousandths."""
    place = result.schema.get_field_index("value_difference")
    money = as_money(result["value_difference"].combine_chunks())
    return result.set_column(place, "value_difference", money).cast(_RESULT)


_KEPT = (
    "invoice_id",
    "line_number",
    "reason_code",
    "quantity_difference",
    "value_difference",
    "currency_code",
    "policy_hash",
)


def _keep(connection: sa.Connection, result: pa.Table, done: Review) -> None:
    """Put what would be held into the operational store, and count it."""
    held = result.filter(pa.compute.equal(result["status"], "held"))
    done.held_lines += len(held.group_by(["invoice_id", "line_number"]).aggregate([]))
    if len(held):
        copy_into(connection, TABLE, {name: held[name].to_pylist() for name in _KEPT})
    sums = held.group_by(["reason_code", "currency_code"]).aggregate(
        [("value_difference", "count"), ("value_difference", "sum")]
    )
    for row in sums.to_pylist():
        key = (row["reason_code"], row["currency_code"])
        count, value = done.held.get(key, (0, 0))
        done.held[key] = (
            count + row["value_difference_count"],
            value + row["value_difference_sum"],
        )
