"""Who wants to sell to us, from the application to the first order."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from assets.approvals.service import decide, request
from assets.errors import BadInput
from assets.procure_to_stock.rules.supplier_duplicates import Known, find, normalised
from resources.operational_store.people import put_person, read_people
from resources.operational_store.supplier_checks import everybody, request_for
from tests.builders import Event, Shop, assert_all_invariants_hold, event, product
from tests.procure_to_stock.documents import purchase_order, supplier

IBAN, OTHER_IBAN = "GB29NWBK60161331926819", "GB94BARC10201530093459"
VAT = "GB980780684"


def applies(supplier_id: str = "WILLOW", at: float = 0, **said: Any) -> Event:
    data = {
        "supplier_id": supplier_id,
        "name": "Willow & Sons Ltd",
        "currency": "GBP",
        "country": "GB",
        "tax_id": VAT,
        "bank_account": IBAN,
        "applied_by": "ben",
        **said,
    }
    return event(
        "retail.supplier.applied.v1", f"applied-{supplier_id}-{at}", supplier_id, at, data=data
    )


@pytest.fixture
def shop(database_url: str) -> Iterator[Shop]:
    shop = Shop(database_url)
    shop.tell(product("MUG", cost="2.00"), supplier())
    with shop.engine.begin() as connection:
        for name in ("pia", "paul", "ben"):
            put_person(connection, name, ("purchasing_lead",), ("purchasing",))
    yield shop
    assert_all_invariants_hold(shop.engine)
    shop.close()


def checks(
    shop: Shop,
    check: str,
    word: str = "approved",
    passes: bool = True,
    by: str = "pia",
    consent: str = "paul",
    reference: str | None = "C-1",
) -> None:
    with shop.store.unit_of_work() as unit_of_work:
        connection = unit_of_work.connection
        people = read_people(connection)
        asked = request_for(connection, "WILLOW", check, passes, "seen", reference, by)
        [waiting] = request([asked], unit_of_work).values()
        decide(waiting.approval_id, people[consent], word, "seen too", unit_of_work)
    shop.store.drain_all()


def status(shop: Shop) -> str:
    with shop.store.transaction() as connection:
        [row] = [row for row in everybody(connection) if row["supplier_id"] == "WILLOW"]
    return str(row["status"])


def test_an_applicant_is_told_to_the_erp_when_every_check_is_passed(shop: Shop) -> None:
    shop.tell(applies())
    assert status(shop) == "checking"
    checks(shop, "bank")
    assert shop.commands("supplier.create") == []
    checks(shop, "contract", reference="C-2026-7")
    [(_, told)] = shop.commands("supplier.create")
    assert (told["supplier_id"], told["contract_reference"]) == ("WILLOW", "C-2026-7")
    assert status(shop) == "told"
    shop.tell(supplier("WILLOW", at=10))
    assert status(shop) == "certified"
    assert shop.rows("select check_code, status, decided_by from supplier_check order by 1") == [
        ("bank", "passed", "paul"),
        ("contract", "passed", "paul"),
        ("duplicate", "passed", "policy:procure_to_stock"),
        ("identity", "passed", "policy:procure_to_stock"),
    ]


def test_an_order_waits_for_a_supplier_who_is_not_certified(shop: Shop) -> None:
    shop.tell(applies(), purchase_order("P1", ("1", "MUG", 5, "2.00"), supplier_id="WILLOW"))
    assert shop.rows("select count(*) from purchase_order_placed") == [(0,)]
    shop.tell(supplier("WILLOW", at=10))
    assert shop.rows("select count(*) from purchase_order_placed") == [(1,)]


def test_whoever_entered_an_applicant_does_not_pass_their_checks(shop: Shop) -> None:
    shop.tell(applies())
    with pytest.raises(BadInput):
        checks(shop, "bank", consent="ben")
    with pytest.raises(BadInput):
        checks(shop, "bank", consent="pia")
    assert status(shop) == "checking"


def test_a_check_that_fails_ends_it(shop: Shop) -> None:
    shop.tell(applies())
    checks(shop, "bank", passes=False)
    checks(shop, "contract")
    assert status(shop) == "refused"
    assert shop.commands("supplier.create") == []


def test_numbers_that_cannot_be_so_are_set_aside(shop: Shop) -> None:
    shop.tell(applies(bank_account="GB29NWBK60161331926818"))
    shop.tell(applies("OTHER", tax_id="GB123456789"))
    assert [case[0] for case in shop.cases()] == ["supplier_invalid"] * 2
    assert shop.rows("select count(*) from supplier_applicant") == [(0,)]


@pytest.mark.parametrize(
    ("said", "what"),
    [
        ({"tax_id": VAT, "bank_account": OTHER_IBAN}, "the same tax_id"),
        ({"tax_id": "GB100190874", "bank_account": IBAN}, "the same bank_account"),
        (
            {
                "tax_id": "GB100190874",
                "bank_account": OTHER_IBAN,
                "name": "The Willow and Son Limited",
            },
            "names alike",
        ),
    ],
)
def test_somebody_we_know_under_another_id_is_looked_at(
    shop: Shop, said: dict[str, str], what: str
) -> None:
    known = {"name": "Willow & Sons Ltd", "country": "GB", "tax_id": VAT, "bank_account": IBAN}
    shop.tell(supplier("OLD", at=-10, **known))
    shop.tell(applies(**said))
    [(case_type, key, _)] = shop.cases()
    assert (case_type, key) == ("supplier_duplicate", "WILLOW")
    assert what in shop.value("select reason from exception_case")
    checks(shop, "bank")
    checks(shop, "contract")
    assert shop.commands("supplier.create") == []
    checks(shop, "duplicate")
    assert len(shop.commands("supplier.create")) == 1
    assert shop.value("select status from exception_case") == "closed"


def test_names_are_held_against_each_other_without_their_legal_form() -> None:
    assert normalised("Société Générale S.A.") == normalised("GENERALE, SOCIETE SA")
    one = Known("A", "Nordic Textiles GmbH", None, None)
    others = [Known("B", "Nordic Textile AG", None, None), Known("C", "Baltic Timber", None, None)]
    assert [found.supplier_id for found in find(one, others, 88)] == ["B"]
    assert find(one, [one], 88) == []
