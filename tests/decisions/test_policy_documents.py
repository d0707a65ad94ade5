from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
import yaml

from assets.decisions.policy_document import PolicyDocument
from assets.errors import PolicyError
from assets.finance.policy import finance_policy
from assets.order_to_fulfillment.policy import order_policy
from resources.policy_book import SHIPPED, FilePolicyBook, read_document, read_operations


def document(*overlays: tuple[dict[str, str], dict[str, Any]]) -> PolicyDocument:
    return msgspec.convert(
        {
            "policy": "order_to_fulfillment",
            "owner": "order_desk",
            "effective_from": date(2026, 1, 1),
            "values": {"days": 1, "by_node": {"*": 0, "leeds": 2}},
            "overlays": [{"scope": scope, "values": values} for scope, values in overlays],
        },
        PolicyDocument,
    )


UK, ACME, BOTH = {"region": "uk"}, {"brand": "acme"}, {"region": "uk", "brand": "acme"}


def test_the_most_specific_scope_wins_and_a_brand_wins_over_a_region() -> None:
    policy = document((BOTH, {"days": 4}), (ACME, {"days": 3}), (UK, {"days": 2}))
    assert policy.resolve("eu", "main")["days"] == 1
    assert policy.resolve("uk", "main")["days"] == 2
    assert policy.resolve("eu", "acme")["days"] == 3
    assert policy.resolve("uk", "acme")["days"] == 4
    assert document((UK, {"days": 2}), (ACME, {"days": 3})).resolve("uk", "acme")["days"] == 3


def test_an_overlay_says_only_what_differs_from_what_lies_below() -> None:
    policy = document((UK, {"by_node": {"leeds": 5}}), (ACME, {"by_node": {"york": 1}}))
    assert policy.resolve("uk", "acme") == {
        "days": 1,
        "by_node": {"*": 0, "leeds": 5, "york": 1},
    }
    assert policy.values["by_node"] == {"*": 0, "leeds": 2}


def test_the_hash_is_of_the_content_and_not_of_the_text(tmp_path: Path) -> None:
    text = (SHIPPED / "order_to_fulfillment.yaml").read_text()
    (tmp_path / "order_to_fulfillment.yaml").write_text(f"# In other words\n{text}")
    shipped, reworded = FilePolicyBook(), FilePolicyBook(tmp_path)
    flow = "order_to_fulfillment"
    assert reworded.policy_hash(flow) == shipped.policy_hash(flow)
    (tmp_path / "order_to_fulfillment.yaml").write_text(
        text.replace("reservation_minutes: 15", "reservation_minutes: 16")
    )
    assert FilePolicyBook(tmp_path).policy_hash(flow) != shipped.policy_hash(flow)


def test_the_hash_survives_the_way_through_the_store() -> None:
    """PostgreSQL's jsonb orders keys in its own way."""
    stored = msgspec.json.decode(msgspec.json.encode(document((UK, {"days": 2}))))
    reordered = dict(sorted(stored.items(), reverse=True))
    assert (
        msgspec.convert(reordered, PolicyDocument).policy_hash
        == document((UK, {"days": 2})).policy_hash
    )


def test_what_holds_for_the_whole_home_takes_no_overlay(tmp_path: Path) -> None:
    whole = yaml.safe_load((SHIPPED / "retention.yaml").read_text())
    overlay = {"scope": {"region": "uk"}, "values": {"dagster_run_days": 9}}
    (tmp_path / "retention.yaml").write_text(yaml.safe_dump({**whole, "overlays": [overlay]}))
    with pytest.raises(PolicyError, match=r"retention.yaml: it holds for the whole home"):
        FilePolicyBook(tmp_path)


@pytest.mark.parametrize("scope", [{"region": "uk"}, {"brand": "acme"}])
def test_when_snapshots_settle_is_said_for_the_whole_house(
    tmp_path: Path, scope: dict[str, str]
) -> None:
    """Not ignored without a word, which would look as if the region's value held."""
    path = tmp_path / "inventory_synchronisation.yaml"
    whole = yaml.safe_load((SHIPPED / path.name).read_text())
    overlay = {"scope": scope, "values": {"settling_minutes": 5}}
    path.write_text(yaml.safe_dump({**whole, "overlays": [overlay]}))
    with pytest.raises(PolicyError) as refused:
        FilePolicyBook(tmp_path)
    assert str(refused.value).startswith(f"{path}: an overlay sets settling_minutes")
    overlay["values"] = {"evidence_days": 5}
    path.write_text(yaml.safe_dump({**whole, "overlays": [overlay]}))
    book = FilePolicyBook(tmp_path)
    assert book.resolve(path.stem, "uk", "acme")["evidence_days"] == 5
    assert book.resolve(path.stem, "eu", "house")["evidence_days"] == 14


@pytest.mark.parametrize(
    ("overlays", "where"),
    [([], ""), ([{"scope": {"region": "uk"}, "values": {}}], " for uk")],
)
def test_a_value_that_cannot_be_meant_is_said_with_its_file_and_scope(
    tmp_path: Path, overlays: list[dict[str, Any]], where: str
) -> None:
    path = tmp_path / "pricing.yaml"
    whole = yaml.safe_load((SHIPPED / path.name).read_text())
    target = overlays[0]["values"] if overlays else whole["values"]
    target["parity_grace_minutes"] = -1
    path.write_text(yaml.safe_dump({**whole, "overlays": overlays}))
    with pytest.raises(PolicyError) as refused:
        FilePolicyBook(tmp_path)
    said = str(refused.value)
    line = next(
        number
        for number, text in enumerate(path.read_text().splitlines(), 1)
        if "parity_grace_minutes" in text and "overlays" not in text and text.startswith("  p")
    )
    assert said.startswith(f"{path}, line {line}{where}: pricing: ")
    assert said.endswith("`$.parity_grace_minutes`")


def test_a_home_may_keep_its_history_for_longer(tmp_path: Path) -> None:
    shipped = (SHIPPED / "retention.yaml").read_text()
    assert FilePolicyBook().retention.dagster_run_days == 60
    (tmp_path / "retention.yaml").write_text(
        shipped.replace("dagster_run_days: 60", "dagster_run_days: 400")
    )
    assert FilePolicyBook(tmp_path).retention.dagster_run_days == 400
    (tmp_path / "retention.yaml").write_text(
        shipped.replace("dagster_run_days: 60", "dagster_run_days: 0")
    )
    with pytest.raises(PolicyError, match="retention"):
        FilePolicyBook(tmp_path)


def write(folder: Path, **changes: Any) -> Path:
    path = folder / "order_to_fulfillment.yaml"
    whole = yaml.safe_load((SHIPPED / path.name).read_text())
    path.write_text(yaml.safe_dump({**whole, **changes}))
    return path


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"onwer": "order_desk"}, "onwer"),
        ({"policy": "inventory"}, "says that it is inventory"),
        (
            {"overlays": [{"scope": {"brand": "acme"}, "values": {"reservation_minuets": 5}}]},
            "reservation_minuets",
        ),
        ({"overlays": [{"scope": {"shop": "acme"}, "values": {}}]}, "region and brand only"),
        ({"overlays": [{"scope": {}, "values": {"reservation_minutes": 5}}]}, "region and brand"),
        ({"effective_from": "soon"}, "effective_from"),
    ],
)
def test_what_a_policy_file_gets_wrong_is_said_with_its_name(
    tmp_path: Path, changes: dict[str, Any], said: str
) -> None:
    write(tmp_path, **changes)
    with pytest.raises(PolicyError) as refused:
        FilePolicyBook(tmp_path)
    assert "order_to_fulfillment.yaml" in str(refused.value)
    assert said in str(refused.value)


def test_a_missing_or_broken_file_is_said_with_its_name(tmp_path: Path) -> None:
    with pytest.raises(PolicyError, match=r"inventory\.yaml is missing"):
        read_document(tmp_path / "inventory.yaml")
    (tmp_path / "finance.yaml").write_text("policy: [")
    with pytest.raises(PolicyError, match=r"finance\.yaml"):
        FilePolicyBook(tmp_path)


@pytest.mark.parametrize("values", [{"reservation_minutes": -1}, {"reservation_hours": 1}])
def test_values_of_the_wrong_kind_or_name_are_refused(values: dict[str, int]) -> None:
    shipped = FilePolicyBook().resolve("order_to_fulfillment", "uk", "main")
    with pytest.raises(PolicyError, match="order_to_fulfillment"):
        order_policy({**shipped, **values})


@pytest.mark.parametrize(
    "values",
    [
        {"reservation_minutes": "soon"},
        {"node_ranking_by_channel": ["dc_midlands"]},
        {"brokering_safety_quantity_each_by_node": {"*": -1}},
    ],
)
@pytest.mark.parametrize("where", ["values", "overlays"])
def test_a_file_that_no_flow_could_use_is_refused_when_it_is_read(
    tmp_path: Path, where: str, values: dict[str, Any]
) -> None:
    """Not when the first order of the brand comes, which would stop the flow."""
    base = yaml.safe_load((SHIPPED / "order_to_fulfillment.yaml").read_text())["values"]
    if where == "values":
        write(tmp_path, values={**base, **values})
    else:
        write(tmp_path, overlays=[{"scope": {"brand": "acme"}, "values": values}])
    with pytest.raises(PolicyError, match=r"order_to_fulfillment\.yaml"):
        FilePolicyBook(tmp_path)


def test_a_control_account_is_an_account_of_the_chart() -> None:
    shipped = FilePolicyBook().resolve("finance", "uk", "main")
    with pytest.raises(PolicyError, match="suspense, which is no account"):
        finance_policy({**shipped, "control_accounts": ["inventory", "suspense"]})


def write_operations(folder: Path, section: str, **changes: Any) -> None:
    whole = yaml.safe_load((SHIPPED / "operations.yaml").read_text())
    whole["values"][section] |= changes
    (folder / "operations.yaml").write_text(yaml.safe_dump(whole))


def test_the_platform_has_a_policy_that_no_decision_rests_on(tmp_path: Path) -> None:
    write_operations(tmp_path, "replay", decision_window_hours=6)
    book = FilePolicyBook(tmp_path)
    assert book.operations.replay.decision_window == timedelta(hours=6)
    assert book.operations.partner_calls == FilePolicyBook().operations.partner_calls
    assert set(book.documents) == {
        "procure_to_stock",
        "replenishment",
        "order_to_fulfillment",
        "pickup",
        "backorder",
        "inventory",
        "finance",
        "inventory_synchronisation",
        "pricing",
        "owners",
        "exceptions",
        "service_levels",
        "approvals",
        "playbooks",
        "notifications",
    }


@pytest.mark.parametrize(
    ("section", "changes"),
    [
        ("event_handling", {"most_attempts": 0}),
        ("partner_calls", {"open_seconds": -1}),
        ("gateway", {"events_per_second": 0}),
        ("gateway", {"event_per_second": 5}),
    ],
)
def test_a_platform_policy_that_no_process_could_use_is_refused(
    tmp_path: Path, section: str, changes: dict[str, Any]
) -> None:
    write_operations(tmp_path, section, **changes)
    with pytest.raises(PolicyError, match=rf"operations\.yaml.*{section}"):
        read_operations(tmp_path)


def test_a_platform_policy_is_the_same_for_every_brand(tmp_path: Path) -> None:
    whole = yaml.safe_load((SHIPPED / "operations.yaml").read_text())
    whole["overlays"] = [{"scope": {"brand": "acme"}, "values": {}}]
    (tmp_path / "operations.yaml").write_text(yaml.safe_dump(whole))
    with pytest.raises(PolicyError, match="all regions and brands"):
        read_operations(tmp_path)
