"""What the store makes of failures that are nobody's event."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from assets.errors import EnvironmentProblem, PolicyError
from assets.ports import Case, CaseType, InboxEvent, UnitOfWork
from resources.operational_store import store as operational_store
from resources.operational_store.bulk import execute
from tests.builders import Shop, product


def test_a_server_that_takes_no_writes_is_said_so_whoever_wrote(database_url: str) -> None:
    shop = Shop(database_url)

    def write() -> None:
        with shop.store.transaction() as connection:
            execute(connection, "set transaction read only")
            execute(connection, "delete from home_clock")

    with pytest.raises(EnvironmentProblem, match="takes no writes"):
        write()
    shop.close()


def test_what_the_database_refuses_is_said_without_its_values(database_url: str) -> None:
    shop = Shop(database_url)
    divided = sa.text("select length(:name) / 0")
    with shop.engine.connect() as connection, pytest.raises(sa.exc.DBAPIError) as refused:
        connection.execute(divided, {"name": "Ada Byron"})
    assert "division by zero" in str(refused.value)
    assert "Byron" not in str(refused.value)
    shop.close()


def test_a_policy_that_contradicts_itself_sets_no_event_aside(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop = Shop(database_url)

    def refuses(events: list[InboxEvent], unit_of_work: UnitOfWork) -> None:
        raise PolicyError("a buffer is missing")

    monkeypatch.setitem(operational_store.HANDLERS, "master_data", refuses)
    with pytest.raises(PolicyError):
        shop.tell(product("MUG"))
    assert shop.value("select count(*) from quarantined_event") == 0
    assert shop.value("select count(*) from event_inbox where status = 'pending'") == 1
    shop.close()


def test_a_case_that_was_closed_is_open_again_when_its_cause_returns(database_url: str) -> None:
    shop = Shop(database_url)
    case = Case(CaseType.SHORTAGE_AFTER_COUNT, "A1/1", "1 unit is not there")
    for _ in range(2):
        with shop.store.unit_of_work() as unit_of_work:
            unit_of_work.open_cases([case])
            execute(
                unit_of_work.connection,
                "update exception_case set status = 'closed', closed_at = now()"
                " where case_count = 1",
            )
    assert shop.rows("select status, closed_at, case_count from exception_case") == [
        ("open", None, 2)
    ]
    shop.close()


@pytest.mark.parametrize(
    "batches", [[["first", "second", "third"]], [["first", "second"], ["third"]]]
)
def test_a_case_is_counted_and_says_why_alike_however_its_causes_are_batched(
    database_url: str, batches: list[list[str]]
) -> None:
    shop = Shop(database_url)
    for reasons in batches:
        with shop.store.unit_of_work() as unit_of_work:
            unit_of_work.open_cases(Case(CaseType.SHORTAGE_AFTER_COUNT, "A1/1", r) for r in reasons)
            assert unit_of_work.cases_opened == 1
    assert shop.rows("select case_count, reason from exception_case") == [(3, "third")]
    shop.close()
