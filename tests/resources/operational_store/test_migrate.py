"""The way from an empty database, and from an older home, to today's tables."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from datetime import UTC, datetime

import psycopg
import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy.dialects.postgresql import base

from assets.commerce.identifiers import identify
from assets.errors import EnvironmentProblem
from resources.operational_store import migrate
from resources.operational_store.schema import LAKE_TABLES, Xid8, metadata
from resources.operational_store.synchronisation import SqlSynchronisation


@pytest.fixture
def empty_database_url(postgres_url: str) -> Iterator[str]:
    name = f"test_{uuid.uuid4().hex}"
    engine = sa.create_engine(postgres_url, isolation_level="AUTOCOMMIT", poolclass=sa.NullPool)
    with engine.connect() as connection:
        connection.exec_driver_sql(f"create database {name}")
    yield sa.make_url(postgres_url).set(database=name).render_as_string(hide_password=False)
    with engine.connect() as connection:
        connection.exec_driver_sql(f"drop database {name} with (force)")


@pytest.fixture
def connection(database_url: str) -> Iterator[sa.Connection]:
    engine = sa.create_engine(database_url, poolclass=sa.NullPool)
    with engine.connect() as connection:
        yield connection


def journal_lines(*amounts: tuple[str, str, str]) -> sa.TextClause:
    rows = ", ".join(
        f"('{entry}', {number}, 'receipt', 'GR-1', '1400', {amount}, '{currency}', 'acme',"
        " '2026-03-02T09:00Z', '2026-03-02T09:00Z')"
        for number, (entry, amount, currency) in enumerate(amounts, start=1)
    )
    return sa.text(
        "insert into journal_line (entry_id, line_number, entry_kind, business_key, account_code,"
        f" amount, currency_code, legal_entity, occurred_at, effective_at) values {rows}"
    )


ENTRY, OTHER_ENTRY = str(uuid.UUID(int=1)), str(uuid.UUID(int=2))


def test_the_migrations_make_exactly_the_tables_that_the_schema_module_declares(
    connection: sa.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(base.ischema_names, "xid8", Xid8)
    context = MigrationContext.configure(
        connection, opts={"compare_type": True, "compare_server_default": True}
    )
    assert compare_metadata(context, metadata) == []


def test_the_migrations_make_every_check_constraint_that_the_schema_module_declares(
    connection: sa.Connection,
) -> None:
    made = connection.execute(
        sa.text("select conname from pg_constraint where contype = 'c'")
    ).scalars()
    declared = {
        str(constraint.name)
        for table in metadata.tables.values()
        for constraint in table.constraints
        if isinstance(constraint, sa.CheckConstraint)
    }
    assert declared - set(made) == set()


def test_a_home_of_the_first_version_keeps_its_rows_on_the_way_to_the_newest(
    empty_database_url: str,
) -> None:
    assert migrate.upgrade(empty_database_url, "0001") == "0001"
    engine = sa.create_engine(empty_database_url, poolclass=sa.NullPool)
    with engine.begin() as connection:
        connection.execute(journal_lines((ENTRY, "12.50", "GBP"), (ENTRY, "-12.50", "GBP")))
        connection.exec_driver_sql(
            "insert into policy_version (policy_hash, policy, owner, effective_from, document)"
            " values ('abc', 'sourcing', 'order_desk', '2026-01-01', '{\"a\": 1}')"
        )
        connection.exec_driver_sql(
            "insert into stock_movement (node_id, sku, kind, quantity, reason_code, reference_id,"
            " reference_line, occurred_at, effective_at) select 'DC', 'MUG', 'received', 5,"
            f" 'receipt', '{ENTRY}', 1, '2026-03-02T09:00Z', '2026-03-02T09:00Z'"
        )
    assert migrate.upgrade(empty_database_url) == migrate.head() != "0001"
    with engine.begin() as connection:
        assert (
            connection.exec_driver_sql("select sum(abs(amount)) from journal_line").scalar() == 25
        )
        assert connection.exec_driver_sql("select document from policy_version").scalar() == {
            "a": 1
        }
        assert connection.exec_driver_sql("select quantity from stock_movement").scalar() == 5
        with pytest.raises(sa.exc.DBAPIError, match="policy_version is append-only"):
            connection.exec_driver_sql("update policy_version set document = '{}'")


def test_counts_of_an_older_home_are_kept_line_by_line(empty_database_url: str) -> None:
    migrate.upgrade(empty_database_url, "0002")
    count = (
        '{"document_number": "C1", "node_id": "DC", "lines":'
        ' [{"sku": "MUG", "quantity": 7}, {"sku": "HAT", "quantity": 0}]}'
    )
    engine = sa.create_engine(empty_database_url, poolclass=sa.NullPool)
    with engine.begin() as connection:
        connection.execute(
            sa.text(
                "insert into event_inbox (source, event_id, event_type, consumer, phase, subject,"
                " legal_entity, brand, region, channel, correlation_id, data, status, occurred_at,"
                " effective_at) values ('wms', 'count-1', 'retail.inventory.counted.v1',"
                " 'inventory', 2, 'C1', 'uk', 'main', 'uk', 'all', 'C1', cast(:count as json),"
                " 'applied', '2026-03-02T09:00Z', '2026-03-02T09:05Z')"
            ),
            {"count": count},
        )
    migrate.upgrade(empty_database_url)
    with engine.begin() as connection:
        kept = connection.exec_driver_sql(
            "select reference_id, sku, counted_quantity from inventory_counted"
            " order by reference_line"
        ).fetchall()
    document = identify("stock_document", "wms", "C1")
    assert [tuple(row) for row in kept] == [(document, "MUG", 7), (document, "HAT", 0)]


def test_a_home_with_people_in_its_inbox_keeps_them_where_they_can_be_erased(
    empty_database_url: str,
) -> None:
    migrate.upgrade(empty_database_url, "0002")
    ship_to = '{"country": "GB", "name": "Ada Byron", "city": "Ealing"}'
    order = f'{{"order_number": "A1", "customer_number": "C-7", "ship_to": {ship_to}}}'
    customer = '{"customer_number": "C-8", "country": "GB", "email": "ada@example.org"}'
    bare = '{"order_number": "A2", "ship_to": {"country": "GB"}}'
    engine = sa.create_engine(empty_database_url, poolclass=sa.NullPool)
    with engine.begin() as connection:
        for kind, name, data, status in (
            ("order.placed", "order", order, "waiting"),
            ("order.placed", "bare", bare, "pending"),
            ("order.placed", "aside", order, "quarantined"),
            ("customer.registered", "customer", customer, "pending"),
        ):
            connection.execute(
                sa.text(
                    "insert into event_inbox (source, event_id, event_type, consumer, phase,"
                    " subject, legal_entity, brand, region, channel, correlation_id, data, status,"
                    " waiting_reason, release_condition, waiting_since, occurred_at) values ('web',"
                    " :name, :kind, 'x', 5, 's', 'uk', 'main', 'uk', 'web', 'c', cast(:data as"
                    " json), :status, :waits, :waits, '2026-03-02Z', '2026-03-02Z')"
                ),
                {
                    "name": name,
                    "kind": f"retail.{kind}.v1",
                    "data": data,
                    "status": status,
                    "waits": "sku:VASE" if status == "waiting" else None,
                },
            )
        connection.exec_driver_sql(
            "insert into quarantined_event (source, event_id, event_type, reason_code, reason,"
            " position, body, body_hash) values"
            " ('web', null, 'unknown', 'malformed_json', 'x', 'f:1', 'rubbish', 'h1'),"
            " ('web', null, 'unknown', 'malformed_json', 'x', 'f:2', 'rubbish', 'h1'),"
            " ('web', 'aside', 'unknown', 'illegal_transition', 'x', 'inbox A1', 'Ada', 'h2')"
        )
    migrate.upgrade(empty_database_url)
    with engine.begin() as connection:
        told = connection.exec_driver_sql(
            "select event_id, customer_number, fields from event_personal_data order by 1"
        ).fetchall()
        kept = connection.exec_driver_sql("select body from quarantined_body").fetchall()
        inbox = connection.exec_driver_sql(
            "select event_id, data, has_personal_data from event_inbox order by 1"
        ).fetchall()
    fields = {"ship_to": {"name": "Ada Byron", "city": "Ealing"}}
    bare_order = {"order_number": "A1", "customer_number": "C-7", "ship_to": {"country": "GB"}}
    assert [tuple(row) for row in told] == [
        ("aside", "C-7", fields),
        ("customer", "C-8", {"email": "ada@example.org"}),
        ("order", "C-7", fields),
    ]
    assert [tuple(row) for row in kept] == [(b"rubbish",)]
    assert [tuple(row) for row in inbox] == [
        ("aside", bare_order, True),
        ("bare", {"order_number": "A2", "ship_to": {"country": "GB"}}, False),
        ("customer", {"customer_number": "C-8", "country": "GB"}, True),
        ("order", bare_order, True),
    ]


def test_a_home_with_snapshots_keeps_them_and_finds_the_newest(empty_database_url: str) -> None:
    migrate.upgrade(empty_database_url, "0007")
    engine = sa.create_engine(empty_database_url, poolclass=sa.NullPool)
    with engine.begin() as connection:
        connection.exec_driver_sql(
            "insert into inventory_snapshot (snapshot_id, system, node_id, document_number, sku,"
            " unit_of_measure, stated_quantity, held_quantity, drift_quantity, ledger_watermark,"
            " occurred_at, effective_at) select gen_random_uuid(), 'wms', 'DC', 'S' || day, 'MUG',"
            " 'each', 7, 7 + day, -day, 1, at, at from generate_series(0, 2) as day"
            " cross join lateral (select '2026-03-02Z'::timestamptz + day * interval '1 day') as"
            " told (at)"
        )
    assert migrate.upgrade(empty_database_url) == migrate.head()
    with engine.begin() as connection:
        kept = connection.exec_driver_sql(
            "select document_number, drift_quantity from inventory_snapshot order by 1"
        ).fetchall()
        newest = SqlSynchronisation(connection).newest([("wms", "DC"), ("erp", "DC")])
    assert [tuple(row) for row in kept] == [("S0", 0), ("S1", -1), ("S2", -2)]
    assert newest == {("wms", "DC"): datetime(2026, 3, 4, tzinfo=UTC)}


def test_upgrading_twice_changes_nothing(database_url: str) -> None:
    assert migrate.current(database_url) == migrate.head()
    assert migrate.upgrade(database_url) == migrate.head()


def test_an_empty_database_has_no_revision(empty_database_url: str) -> None:
    assert migrate.current(empty_database_url) is None


def test_a_home_that_a_newer_version_made_is_refused_and_left_alone(
    database_url: str, connection: sa.Connection
) -> None:
    connection.exec_driver_sql("update alembic_version set version_num = '9999'")
    connection.commit()
    with pytest.raises(EnvironmentProblem, match=r"newer version of omniflow \(schema 9999"):
        migrate.upgrade(database_url)
    with pytest.raises(EnvironmentProblem, match="newer version"):
        migrate.current(database_url)
    assert connection.exec_driver_sql("select version_num from alembic_version").scalar() == "9999"


def test_a_database_that_is_away_is_an_environment_problem_in_one_line() -> None:
    with pytest.raises(EnvironmentProblem, match="does not answer") as problem:
        migrate.upgrade("postgresql+psycopg://nobody:secret@/missing?host=/nowhere")
    assert "\n" not in str(problem.value)
    assert "secret" not in str(problem.value)


@pytest.mark.parametrize("change", ["delete from", "truncate", "update"])
def test_every_fact_table_refuses_every_change(connection: sa.Connection, change: str) -> None:
    for table in LAKE_TABLES:
        tail = " set recorded_at = now()" if change == "update" else ""
        with (
            pytest.raises(sa.exc.DBAPIError, match=f"{table.name} is append-only: {change[:6]}"),
            connection.begin_nested(),
        ):
            connection.exec_driver_sql(f"{change} {table.name}{tail}")


def test_entries_that_balance_per_currency_are_taken(connection: sa.Connection) -> None:
    connection.execute(
        journal_lines(
            (ENTRY, "1.0001", "GBP"),
            (ENTRY, "-1.0001", "GBP"),
            (ENTRY, "7", "EUR"),
            (ENTRY, "-7", "EUR"),
            (OTHER_ENTRY, "3", "GBP"),
            (OTHER_ENTRY, "-2", "GBP"),
            (OTHER_ENTRY, "-1", "GBP"),
        )
    )
    assert connection.exec_driver_sql("select count(*) from journal_line").scalar() == 7


@pytest.mark.parametrize(
    "lines",
    [
        pytest.param(
            [(ENTRY, "5", "GBP"), (ENTRY, "-4.9999", "GBP")], id="by a hundredth of a penny"
        ),
        pytest.param([(ENTRY, "5", "GBP"), (ENTRY, "-5", "EUR")], id="across currencies"),
        pytest.param([(ENTRY, "5", "GBP"), (OTHER_ENTRY, "-5", "GBP")], id="across entries"),
        pytest.param([(ENTRY, "5", "GBP")], id="alone"),
    ],
)
def test_entries_that_do_not_balance_are_refused(
    connection: sa.Connection, lines: list[tuple[str, str, str]]
) -> None:
    with pytest.raises(sa.exc.IntegrityError, match="does not balance"):
        connection.execute(journal_lines(*lines))


def test_entries_that_come_by_copy_must_balance_too(connection: sa.Connection) -> None:
    raw = connection.connection.driver_connection
    assert isinstance(raw, psycopg.Connection)
    times = ("2026-03-02T09:00Z", "2026-03-02T09:00Z")
    with (
        pytest.raises(psycopg.errors.CheckViolation, match="does not balance"),
        raw.cursor() as cursor,
        cursor.copy(
            "copy journal_line (entry_id, line_number, entry_kind, business_key, account_code,"
            " amount, currency_code, legal_entity, occurred_at, effective_at) from stdin"
        ) as copy,
    ):
        copy.write_row((ENTRY, 1, "receipt", "GR-1", "1400", "5", "GBP", "acme", *times))


@pytest.mark.parametrize(("kind", "quantity"), [("shipped", 1), ("shipped", 0), ("received", -1)])
def test_a_movement_against_the_sign_of_its_kind_is_refused(
    connection: sa.Connection, kind: str, quantity: int
) -> None:
    with pytest.raises(sa.exc.IntegrityError, match="ck_stock_movement_sign"):
        connection.exec_driver_sql(
            "insert into stock_movement (node_id, sku, kind, quantity, reason_code, reference_id,"
            f" reference_line, occurred_at, effective_at) select 'DC', 'MUG', '{kind}', {quantity},"
            f" 'x', '{ENTRY}', 1, '2026-03-02T09:00Z', '2026-03-02T09:00Z'"
        )
