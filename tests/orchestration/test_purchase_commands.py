"""Held invoices and open clearing, as a person at a terminal sees them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from resources.operational_store.people import put_person
from resources.policy_book import SHIPPED
from tests.builders import WAREHOUSE, Shop, node, product
from tests.orchestration.terminal import Ask, asking, make_home, narrow
from tests.procure_to_stock.documents import goods, invoice, purchase_order, supplier


@pytest.fixture
def shop(database_url: str) -> Iterator[Shop]:
    """Ten mugs charged of which eight came, in a home where time is simulated."""
    shop = Shop(database_url)
    shop.tell(node(WAREHOUSE), product("MUG", cost="2.00"), supplier())
    shop.tell(purchase_order("P1", ("1", "MUG", 10, "2.50")), goods("P1", ("1", 8, 0)))
    shop.tell(invoice("I1", "P1", ("1", 10, "2.50")))
    with shop.store.transaction() as connection:
        put_person(connection, "paula", ["accounts_payable_clerk"], [])
        put_person(connection, "alma", ["accounts_payable_lead"], [])
    yield shop
    shop.close()


@pytest.fixture
def told(
    tmp_path: Path,
    shop: Shop,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Ask:
    """The command line in that home."""
    url = shop.engine.url.render_as_string(hide_password=False)
    make_home(tmp_path / "home", url, monkeypatch)
    narrow(monkeypatch)
    return asking(capsys)


def test_a_held_line_is_listed_asked_about_and_released(told: Ask, shop: Shop) -> None:
    (held,) = json.loads(told("invoices", "list", "--json").stdout)
    assert (
        held["invoice"],
        held["line_number"],
        held["reason_code"],
        held["value_difference"],
    ) == (
        "NORTHMILL/I1",
        1,
        "quantity",
        "5.0000",
    )
    release = ("invoices", "release", "NORTHMILL/I1", "--reason", "agreed by phone")
    asked = told(*release, "--as", "paula")
    assert asked.stdout.startswith("NORTHMILL/I1/1/quantity: waits for approval ")
    approval_id = asked.stdout.split()[-1]
    own = told("approvals", "approve", approval_id, "--reason", "seen", "--as", "paula")
    assert (own.returncode, "paula" in own.stderr) == (1, True)
    assert (
        told("approvals", "approve", approval_id, "--reason", "seen", "--as", "alma").returncode
        == 0
    )
    shop.store.drain_all()
    assert told("invoices", "list").stdout == "nothing is held\n"


def test_what_cannot_be_meant_is_one_clear_line(told: Ask) -> None:
    assert "say which and why" in told("invoices", "release", "--as", "paula").stderr
    nothing = told("invoices", "release", "NORTHMILL/I7", "--reason", "x", "--as", "paula")
    assert nothing.stderr.startswith("omniflow: nothing of the kind is held of NORTHMILL/I7")
    assert "--reason WHY" in told("clearing", "propose", "P1/1", "--as", "paula").stderr
    early = told("clearing", "propose", "--reason", "old", "--as", "paula")
    assert early.stderr.startswith("omniflow: clearing is not open for long enough")
    assert early.returncode == 1


def test_open_clearing_is_listed_and_proposed(told: Ask) -> None:
    (row,) = json.loads(told("clearing", "list", "--json").stdout)
    assert (row["line"], row["open_quantity"], row["open_amount"], row["is_proposed"]) == (
        "P1/1",
        -2,
        "-5.0000",
        False,
    )
    said = told("clearing", "propose", "P1/1", "--reason", "they are gone", "--as", "paula")
    assert said.stdout.startswith("P1/1: waits for approval ")


def test_a_review_says_what_another_policy_would_hold(told: Ask, tmp_path: Path) -> None:
    said = told("invoices", "review", "--json")
    assert said.returncode == 0, said.stderr
    first = json.loads(said.stdout)
    assert (first["lines"], first["held_lines"]) == (1, 1)
    wide = (SHIPPED / "procure_to_stock.yaml").read_text()
    wide = wide.replace(
        'quantity: {amount_by_currency: {"*": "0"}}', "quantity: {basis_points: 5000}"
    )
    other = tmp_path / "other.yaml"
    other.write_text(wide)
    (row,) = json.loads(told("invoices", "review", "--policy", str(other), "--json").stdout)[
        "reasons"
    ]
    assert (row["reason_code"], row["held_lines"], row["lines_by_policy"]) == ("quantity", 1, 0)
    missing = told("invoices", "review", "--policy", str(tmp_path / "none.yaml"))
    assert missing.stderr.endswith("none.yaml is missing\n")
