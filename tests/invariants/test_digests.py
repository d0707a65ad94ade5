"""Digests change with the business and with nothing else."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from resources.operational_store.digests import (
    LEFT_OUT_COLUMNS,
    LEFT_OUT_TABLES,
    digest_columns,
    table_digests,
)
from resources.operational_store.schema import metadata


def changed_tables(connection: sa.Connection, statement: str) -> set[str]:
    before = table_digests(connection)
    connection.exec_driver_sql(statement)
    after = table_digests(connection)
    return {table for table in before if before[table] != after[table]}


def test_every_table_is_digested_or_left_out_for_a_reason() -> None:
    assert set(digest_columns()) | set(LEFT_OUT_TABLES) == set(metadata.tables)
    assert set(digest_columns()) & set(LEFT_OUT_TABLES) == set()


def test_every_column_that_is_left_out_is_one_that_there_is() -> None:
    there = {column.name for table in metadata.tables.values() for column in table.columns}
    assert set() == LEFT_OUT_COLUMNS - there


def test_a_store_that_nobody_touched_has_the_same_digests(story: sa.Connection) -> None:
    assert changed_tables(story, "select 1") == set()


@pytest.mark.parametrize(
    ("statement", "table"),
    [
        ("update order_line set tax_amount = tax_amount + 1", "order_line"),
        ("delete from deallocation", "deallocation"),
        ("update journal_line set amount = amount + 0.0001 where line_number = 1", "journal_line"),
        ("update command_outbox set payload = '{\"a\": 1}'", "command_outbox"),
        ("update event_inbox set status = 'pending' where event_id = 'order-1'", "event_inbox"),
        ("update home_clock set effective_at = effective_at + interval '1 second'", "home_clock"),
        (
            "update reservation_movement set expires_at = expires_at + interval '1 microsecond'",
            "reservation_movement",
        ),
        (
            "update quarantined_event set reason_code = 'schema_violation'",
            "quarantined_event",
        ),
    ],
)
def test_what_the_business_would_see_changes_its_table_alone(
    story: sa.Connection, statement: str, table: str
) -> None:
    assert changed_tables(story, statement) == {table}


def test_rows_that_trade_places_between_two_lines_are_a_change(story: sa.Connection) -> None:
    swap = "update order_line set unit_price = case sku when 'MUG' then 9 else 6 end"
    assert changed_tables(story, swap) == {"order_line"}


@pytest.mark.parametrize(
    "statement",
    [
        "update order_line set recorded_at = now(), recorded_xid = '7'",
        "update stock_movement set ledger_sequence = ledger_sequence + 1000",
        "update reservation_movement set ledger_sequence = 5000 - ledger_sequence",
        "update command_outbox set attempts = 3, delivered_at = now(), last_error = 'timeout'",
        "update command_outbox set outbox_sequence = outbox_sequence + 1000",
        "update event_inbox set inbox_id = inbox_id + 1000",
        "update door_tally set duplicates = duplicates + 9, received = received + 9",
        "update decision_record set decision_batch_id = gen_random_uuid()",
        "update channel_availability set ledger_watermark = 1",
        "update quarantined_event set position = 'renamed.jsonl:1'",
        "insert into quarantined_event (source, event_id, event_type, reason_code, reason,"
        " position, body_hash) select source, event_id, event_type, reason_code, reason,"
        " 'split.jsonl:2', body_hash from quarantined_event",
        "delete from quarantined_body",
        "update event_inbox set data = '{}', body_removed_at = now()",
        "update command_outbox set removed_payload_md5 = md5(payload::text), payload = '{}'",
    ],
)
def test_how_the_machine_got_there_changes_nothing(story: sa.Connection, statement: str) -> None:
    assert changed_tables(story, statement) == set()


def test_the_same_rows_in_another_order_have_the_same_digest(story: sa.Connection) -> None:
    story.exec_driver_sql("create temporary table kept as select * from order_line order by sku")
    story.exec_driver_sql("delete from order_line")
    before = table_digests(story)["order_line"]
    again = "insert into order_line select * from kept order by ordered_quantity desc"
    assert changed_tables(story, again) == {"order_line"}
    downwards = table_digests(story)["order_line"]
    story.exec_driver_sql("delete from order_line")
    assert table_digests(story)["order_line"] == before
    story.exec_driver_sql("insert into order_line select * from kept order by ordered_quantity")
    assert table_digests(story)["order_line"] == downwards


def test_the_digest_does_not_depend_on_the_zone_of_who_asks(story: sa.Connection) -> None:
    here = table_digests(story)
    story.exec_driver_sql("set local timezone = 'Asia/Tokyo'")
    assert table_digests(story) == here
