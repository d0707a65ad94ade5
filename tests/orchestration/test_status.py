"""What `status` says of a home besides its processes: who is away, and what nobody will move."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from orchestration.commands.status import print_status
from orchestration.environment import Environment
from orchestration.home import Home, open_home
from orchestration.status import of as status_of
from resources.operational_store.store import write_clock
from resources.partners import Partner, PartnerBook
from resources.store_access import Fetched, StoreAccess
from tests.builders import OPENING, Shop, order_placed, product
from tests.no_sinks import no_sinks

#: Nobody listens on the discard port.
NOWHERE = "http://127.0.0.1:9"


@pytest.fixture
def home(tmp_path: Path, database_url: str) -> Home:
    return open_home(Environment(tmp_path / "home", database_url))


@pytest.fixture
def shop(database_url: str) -> Iterator[Shop]:
    shop = Shop(database_url)
    yield shop
    shop.close()


def set_clock(shop: Shop, mode: str) -> None:
    with shop.store.transaction() as connection:
        connection.exec_driver_sql("delete from home_clock")
        write_clock(connection, mode, OPENING)  # type: ignore[arg-type]


def test_what_is_pending_where_time_is_simulated_is_a_problem_with_its_remedy(
    home: Home, shop: Shop
) -> None:
    shop.admit(product("MUG"), order_placed("A1", ("MUG", 1, "2.40")))
    set_clock(shop, "wall")
    assert status_of(home).problems == []
    set_clock(shop, "simulated")
    assert status_of(home).problems == [
        "2 pending events wait for a replay: time in this home is simulated, and only"
        " `omniflow replay` moves it (a demo begins anew)"
    ]
    shop.store.drain_all()
    assert status_of(home).problems == []


def test_a_partner_that_is_away_is_named_until_it_is_there(
    home: Home, shop: Shop, capsys: pytest.CaptureFixture[str]
) -> None:
    erp = Partner(code="erp", kind="erp", base_url=NOWHERE, owner="it", is_sandbox=True)
    access = StoreAccess(home.database_url, home.policies, lambda: PartnerBook([erp]), no_sinks)
    (answer,) = access.poll_partners()
    assert answer.unavailable is not None
    with shop.store.transaction() as connection:
        connection.exec_driver_sql(
            "insert into partner_health (partner, breaker, last_error) values"
            " ('acme_bank', 'open', 'timeout'), ('wms', 'closed', null)"
        )
    found = status_of(home)
    away = {p["partner"]: (p["is_away"], p["is_sandbox"]) for p in found.partners}
    assert away == {"acme_bank": (True, False), "erp": (True, True), "wms": (False, True)}
    print_status(found)
    said = " ".join(capsys.readouterr().out.split())
    assert "partner acme_bank is away: breaker open, timeout" in said
    assert "partners away: erp; the sandbox plays them, which runs only while a replay" in said

    access._keep_who_is_away([Fetched("erp", 1, 1)])
    assert [p["partner"] for p in status_of(home).partners if p["is_away"]] == ["acme_bank"]
    access.store.engine.dispose()


def test_what_commands_ran_into_is_not_forgotten_when_polling_works(home: Home, shop: Shop) -> None:
    with shop.store.transaction() as connection:
        connection.exec_driver_sql(
            "insert into partner_health (partner, consecutive_failures, last_error)"
            " values ('erp', 2, 'no answer to item.update')"
        )
    erp = Partner(code="erp", kind="erp", base_url=NOWHERE, owner="it", is_sandbox=True)
    access = StoreAccess(home.database_url, home.policies, lambda: PartnerBook([erp]), no_sinks)
    access.poll_partners()
    (partner,) = status_of(home).partners
    assert partner["last_error"] == "no answer to item.update"
    access.store.engine.dispose()


def test_a_partner_file_that_is_broken_hides_nothing_else(home: Home) -> None:
    home.policies.mkdir()
    (home.policies / "partners.yaml").write_text("partners: [")
    found = status_of(home)
    assert found.database_reachable
    assert [problem.partition(":")[0] for problem in found.problems] == ["partners.yaml"]
