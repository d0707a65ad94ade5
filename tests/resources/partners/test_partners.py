from __future__ import annotations

from pathlib import Path

import pytest

from assets.errors import EnvironmentProblem, PolicyError
from resources.partners import PartnerBook

URL = "http://127.0.0.1:8110"
ENTRY = "{code: crm, kind: crm, base_url: '%s', owner: customer_care, is_sandbox: %s}"


def written(folder: Path, *entries: str) -> Path:
    path = folder / "partners.yaml"
    lines = [f"  - {entry}" for entry in entries]
    head = "policy: partners\nowner: integration\neffective_from: 2026-01-01\npartners:\n"
    path.write_text(head + "\n".join(lines))
    return path


def test_a_new_home_knows_the_sandbox_as_every_partner() -> None:
    book = PartnerBook.load(sandbox_url=f"{URL}/")
    known = (
        "b2b carrier crm erp marketplace payment_provider store supplier supplier_portal"
        " supplier_x12 web_shop wms"
    )
    assert sorted(partner.code for partner in book) == known.split()
    assert book["wms"].url("commands") == f"{URL}/wms/v1/commands"
    assert book.only_sandbox() is book


def test_a_real_partner_is_refused_where_only_the_sandbox_may_be_reached(tmp_path: Path) -> None:
    real = PartnerBook.load(written(tmp_path, ENTRY % ("https://crm.example", "false")))
    with pytest.raises(EnvironmentProblem, match="crm is at crm"):
        real.only_sandbox()


def test_a_sandbox_is_refused_there_too_when_it_is_on_another_machine(tmp_path: Path) -> None:
    elsewhere = PartnerBook.load(written(tmp_path, ENTRY % ("http://10.0.0.7:8110/crm", "true")))
    with pytest.raises(EnvironmentProblem, match="crm is at"):
        elsewhere.only_sandbox()


@pytest.mark.parametrize(
    ("entries", "complaint"),
    [
        ([ENTRY % ("{sandbox}/crm", "true")], "which has no address here"),
        ([ENTRY % ("crm.example", "false")], "no address that could be called"),
        ([ENTRY % (URL, "true")] * 2, "crm is there twice"),
        (["{code: crm}"], "missing required field"),
        (["{code: [}"], "expected"),
    ],
)
def test_a_partner_file_that_cannot_be_meant_is_refused(
    tmp_path: Path, entries: list[str], complaint: str
) -> None:
    with pytest.raises(PolicyError, match=complaint):
        PartnerBook.load(written(tmp_path, *entries))


def test_an_unknown_partner_is_a_mistake_of_the_policy() -> None:
    with pytest.raises(PolicyError, match="no partner is called typewriter"):
        PartnerBook([])["typewriter"]
