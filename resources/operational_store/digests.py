"""One number per table for what the business would see in it: equal digests, equal business.

A replay that is repeated, cut into other files or batches, or killed and gone on with, must leave
the same rows but never the same wall clock, transaction ids or sequence numbers. Those columns are
left out, each for the reason given here, and the order of rows does not count.
"""

from __future__ import annotations

import sqlalchemy as sa

from resources.operational_store.schema import metadata

#: Tables that tell how the machine got there, not what the business did.
LEFT_OUT_TABLES = {
    "door_tally": "counts deliveries, and a redelivery is one more",
    "event_personal_data": "is erased by person and by policy",
    "quarantined_body": "is erased by person and by policy; its hash stays in quarantined_event",
    "decision_batch": "how many orders share one record of their inputs is a matter of batch size",
    "gate_pointer": "tells which load was accepted, by its file",
    "invoice_match_review": "is what somebody asked last, and changes nothing",
    "lake_watermark": "is made of transaction ids",
    "partner_health": "tells how often a partner failed before it answered",
}

#: Columns of one table only, that differ for a reason of their own.
LEFT_OUT_OF = {"availability_published": frozenset({"occurred_at"})}

#: Columns that differ between two runs of the same business, in any table that has them.
LEFT_OUT_COLUMNS = frozenset(
    {
        "attempts",
        "body_removed_at",
        "data",  # its hash is in event_identity, and outlives it
        "decision_batch_id",
        "delivered_at",
        "has_personal_data",  # goes with what it tells of
        "inbox_id",
        "is_unpublished",
        "last_error",
        "ledger_sequence",
        "ledger_watermark",
        "next_attempt_at",
        "outbox_sequence",
        "position",  # the same body may stand in another file tomorrow
        "quarantine_id",
        "recorded_at",
        "recorded_xid",
        "removed_payload_md5",
        "traceparent",
        "unpublished_since",  # of the earliest event of a batch
    }
)

#: Columns that count by something that stays when they go.
STANDS_FOR = {"payload": "coalesce(removed_payload_md5, md5(payload::text))"}

#: Where the same body refused twice, at two places, is one fact.
COUNTED_ONCE = frozenset({"quarantined_event"})


def digest_columns() -> dict[str, list[str]]:
    """The columns that count, by table, in the schema's order."""
    return {
        table.name: [
            column.name
            for column in table.columns
            if column.name not in LEFT_OUT_COLUMNS
            and column.name not in LEFT_OUT_OF.get(table.name, ())
        ]
        for table in sorted(metadata.tables.values(), key=lambda table: table.name)
        if table.name not in LEFT_OUT_TABLES
    }


def table_digests(connection: sa.Connection) -> dict[str, str]:
    """Digest of each table as ``rows:sum of row hashes``; independent of the order of the rows.

    A sum, because unlike an exclusive or it does not lose rows that come twice.
    """
    # The text of a time must not depend on who asks.
    connection.execute(
        sa.text("select set_config('timezone', 'UTC', true), set_config('datestyle', 'ISO', true)")
    )
    digests = {}
    for table, columns in digest_columns().items():
        names = ", ".join(STANDS_FOR.get(column, f'"{column}"') for column in columns)
        distinct = "distinct" if table in COUNTED_ONCE else ""
        found = connection.execute(
            sa.text(
                f"""
                select
                    count(*) as row_count,
                    coalesce(sum(('x' || left(md5(row_text), 16))::bit(64)::bigint), 0) as total
                from (select {distinct} row({names})::text as row_text from {table}) as line
                """
            )
        ).one()
        digests[table] = f"{found.row_count}:{int(found.total) % 2**64:016x}"
    return digests
