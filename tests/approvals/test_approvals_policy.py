"""A policy of approvals that leaves an amount to nobody, or to two, is refused with its file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from assets.approvals.policy import approvals_policy
from assets.approvals.rules import tiers_of
from assets.errors import PolicyError
from assets.ports import ApprovalRequest
from resources.policy_book import SHIPPED, FilePolicyBook

LEAD = {"role": "lead", "quorum": 1, "up_to_amount_by_currency": {"*": "500", "JPY": "90000"}}
CONTROLLER = {"role": "controller", "quorum": 2, "up_to_amount_by_currency": {"*": "5000"}}
DIRECTOR = {"role": "director", "quorum": 1}


def policy(*tiers: dict[str, Any], **more: Any) -> dict[str, Any]:
    subject = {
        "needed_from_amount_by_currency": {"*": "0"},
        "expires_after_hours": 24,
        "tiers": list(tiers),
        **more,
    }
    return {"subjects": {"write_off": subject}}


def request(amount: str, currency: str = "GBP", **attributes: str) -> ApprovalRequest:
    return ApprovalRequest(
        *("write_off", "W1", "write it off", "approvals", {}),
        amount=int(float(amount) * 10_000),
        currency_code=currency,
        region="uk",
        brand="main",
        requested_by="ada",
        attributes=attributes,
    )


@pytest.mark.parametrize(
    ("values", "said"),
    [
        (policy(LEAD), "amounts have a gap"),
        (policy(), "amounts have a gap"),
        (policy(CONTROLLER, LEAD, DIRECTOR), "the tiers overlap at lead"),
        (policy(LEAD, LEAD, DIRECTOR), "the tiers overlap at lead"),
        (policy(LEAD, CONTROLLER, DIRECTOR), "the tiers overlap at controller"),
        (policy(DIRECTOR, DIRECTOR), "the tier of director needs up_to_amount_by_currency"),
        (policy({**DIRECTOR, "colour": "red"}), "unknown field `colour`"),
        (policy({**DIRECTOR, "quorum": 0}), "quorum"),
        (policy(DIRECTOR, expires_after=3), "unknown field `expires_after`"),
        (policy(DIRECTOR, needed_from_amount_by_currency={}), "no amount for *"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_tiers_with_a_gap_an_overlap_or_an_unknown_key_are_refused(
    tmp_path: Path, values: dict[str, Any], said: str
) -> None:
    document = yaml.safe_load((SHIPPED / "approvals.yaml").read_text("utf-8"))
    path = tmp_path / "approvals.yaml"
    path.write_text(yaml.safe_dump({**document, "values": values}))
    with pytest.raises(PolicyError) as refused:
        FilePolicyBook(tmp_path)
    assert str(refused.value).startswith(str(path))
    assert said in str(refused.value)


def roles(values: dict[str, Any], asked: ApprovalRequest) -> list[str]:
    subject = approvals_policy(values).subjects["write_off"]
    return [tier.role for tier in tiers_of(asked, subject)]


def test_every_tier_up_to_the_one_that_covers_the_amount_is_asked() -> None:
    lead = {**LEAD, "up_to_amount_by_currency": {"*": "500"}}
    values = policy(lead, CONTROLLER, DIRECTOR)
    assert roles(values, request("500")) == ["lead"]
    assert roles(values, request("500.0001")) == ["lead", "controller"]
    assert roles(values, request("5000.01")) == ["lead", "controller", "director"]


def test_a_currency_may_have_limits_of_its_own() -> None:
    controller = {**CONTROLLER, "up_to_amount_by_currency": {"*": "5000", "JPY": "900000"}}
    values = policy(LEAD, controller, DIRECTOR)
    assert roles(values, request("90000", "JPY")) == ["lead"]
    assert roles(values, request("90000", "EUR")) == ["lead", "controller", "director"]


def test_what_is_risky_is_asked_otherwise() -> None:
    risky = {"when": {"supplier_risk": ["high"]}, "tiers": [DIRECTOR]}
    values = policy(LEAD, DIRECTOR, variants=[risky])
    assert roles(values, request("1", supplier_risk="high")) == ["director"]
    assert roles(values, request("1", supplier_risk="low")) == ["lead"]
