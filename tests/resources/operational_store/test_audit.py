"""The audit's chain: who changes a row or cuts off the end is found out."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest
import sqlalchemy as sa

from resources.audit_head import keep_head, read_head
from resources.operational_store import audit
from resources.operational_store.store import create_engine

AT = datetime(2026, 3, 2, 9, tzinfo=UTC)


@pytest.fixture
def engine(database_url: str) -> Iterator[sa.Engine]:
    engine = create_engine(database_url)
    yield engine
    engine.dispose()


def tell(engine: sa.Engine, *subjects: str) -> audit.Head:
    with engine.begin() as connection:
        for subject in subjects:
            head = audit.record(connection, "ada", "holds.release", subject, "done", {"n": 1}, AT)
    return head


def findings(engine: sa.Engine, head: audit.Head | None) -> list[tuple[int, str]]:
    with engine.connect() as connection:
        return [(one.sequence, one.wrong) for one in audit.verify(connection, head)]


def tamper(engine: sa.Engine, statement: str) -> None:
    """As a superuser would who has switched the trigger off."""
    with engine.begin() as connection:
        connection.exec_driver_sql("alter table audit_entry disable trigger refuse_change")
        connection.exec_driver_sql(statement)
        connection.exec_driver_sql("alter table audit_entry enable trigger refuse_change")


def test_a_chain_that_nobody_touched_is_whole(engine: sa.Engine) -> None:
    head = tell(engine, "a", "b", "c")
    assert head.sequence == 3
    assert findings(engine, head) == []


def test_more_than_was_exported_is_no_fault(engine: sa.Engine) -> None:
    head = tell(engine, "a")
    tell(engine, "b")
    assert findings(engine, head) == []


@pytest.mark.parametrize(
    "statement", ["update audit_entry set actor = 'bo'", "delete from audit_entry"]
)
def test_the_database_itself_refuses_a_change(engine: sa.Engine, statement: str) -> None:
    tell(engine, "a")
    with engine.begin() as connection, pytest.raises(sa.exc.DBAPIError) as refused:
        connection.exec_driver_sql(statement)
    assert isinstance(refused.value.orig, psycopg.errors.RestrictViolation)


@pytest.mark.parametrize(
    "change",
    [
        "actor = 'bo'",
        "subject = 'x'",
        "outcome = 'refused'",
        "detail = '{}'",
        "effective_at = effective_at + interval '1 microsecond'",
        "recorded_at = recorded_at + interval '1 microsecond'",
    ],
)
def test_a_changed_row_is_found_whatever_was_changed(engine: sa.Engine, change: str) -> None:
    head = tell(engine, "a", "b", "c")
    tamper(engine, f"update audit_entry set {change} where sequence = 2")
    assert findings(engine, head) == [(2, "it was changed after it was sealed")]


def test_a_row_that_was_sealed_anew_does_not_fit_the_next(engine: sa.Engine) -> None:
    head = tell(engine, "a", "b", "c")
    tamper(engine, f"update audit_entry set entry_hash = '{'1' * 64}' where sequence = 2")
    assert findings(engine, head) == [
        (2, "it was changed after it was sealed"),
        (3, "it does not follow the entry before it"),
    ]


def test_a_row_that_was_cut_out_is_missed(engine: sa.Engine) -> None:
    head = tell(engine, "a", "b", "c")
    tamper(engine, "delete from audit_entry where sequence = 2")
    assert findings(engine, head) == [(2, "entries 2 to 2 are missing")]


def test_an_end_that_was_cut_off_is_missed(engine: sa.Engine) -> None:
    head = tell(engine, "a", "b", "c")
    tamper(engine, "delete from audit_entry where sequence = 3")
    assert findings(engine, head) == [(3, "the end was cut off: entry 3 was exported as head")]
    # Nor does it help to write another end.
    tell(engine, "d")
    assert findings(engine, head) == [(3, "it is not the entry that was exported as head")]


def test_entries_of_many_at_once_are_one_chain(engine: sa.Engine) -> None:
    workers = [threading.Thread(target=tell, args=(engine, f"{n}a", f"{n}b")) for n in range(6)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    with engine.connect() as connection:
        head = audit.head(connection)
    assert head.sequence == 12
    assert findings(engine, head) == []


def test_the_head_is_only_ever_moved_on_and_for_its_owner_s_eyes(tmp_path: Path) -> None:
    path = tmp_path / "audit_head.json"
    assert read_head(path) is None
    keep_head(path, audit.Head(2, "b" * 64))
    keep_head(path, audit.Head(1, "a" * 64))
    assert read_head(path) == audit.Head(2, "b" * 64)
    assert path.stat().st_mode & 0o777 == 0o600
