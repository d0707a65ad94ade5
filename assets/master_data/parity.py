"""Holds the prices that channels show against the approved ones, and asks a person where they part.

A case stays open for as long as the last word of the channel is another price than the approved
one; it closes by itself with a newer word, or with the price version that was told late.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import UTC
from typing import Any

import pandas as pd

from assets.commerce.identifiers import identify_text
from assets.commerce.money import to_ten_thousandths, to_text
from assets.master_data.policy import pricing_policy
from assets.master_data.rules import judge_parity
from assets.ports import About, Case, CaseType, InboxEvent, UnitOfWork

_INSTANT = "datetime64[us, UTC]"


def take_shown_prices(events: Iterable[InboxEvent], unit_of_work: UnitOfWork) -> None:
    """Keep what channels show, and judge it; a document that was taken before is refused."""
    by_document = [(_document_id(event), event) for event in events]
    known = unit_of_work.known("price_shown", "document_id", [key for key, _ in by_document])
    rows: dict[str, list[Any]] = defaultdict(list)
    for document_id, event in by_document:
        data = event.data
        as_of = data.as_of.astimezone(UTC)
        values = unit_of_work.policies.resolve("pricing", event.region, event.brand)
        policy = pricing_policy(values)
        if as_of > event.occurred_at + policy.clock_tolerance:
            unit_of_work.inbox.quarantine(
                event, "shown_in_the_future", f"it is of {as_of.isoformat()}, after it was told"
            )
            continue
        if document_id in known:
            unit_of_work.inbox.quarantine(
                event, "document_already_taken", f"{data.document_number} was taken before"
            )
            continue
        known.add(document_id)
        for line in data.lines:
            rows["document_id"].append(document_id)
            rows["channel"].append(data.channel)
            rows["sku"].append(line.sku)
            rows["unit_price"].append(to_ten_thousandths(line.unit_price))
            rows["currency_code"].append(data.currency)
            rows["graced_from"].append(as_of - policy.parity_grace)
            rows["occurred_at"].append(as_of)
    if rows:
        unit_of_work.append("price_shown", rows)
        judge_prices(set(zip(rows["channel"], rows["sku"], strict=True)), unit_of_work)


def _document_id(event: InboxEvent) -> str:
    return identify_text("price_document", event.source, event.data.document_number)


def judge_prices(keys: set[tuple[str, str]], unit_of_work: UnitOfWork) -> None:
    """Compare the last word of each (channel, SKU) with the approved prices; open and close cases.

    A channel that has never shown a SKU is not asked for it.
    """
    rows = unit_of_work.master_data.latest_shown(sorted(keys))
    if not rows:
        return
    names = ["channel", "sku", "unit_price", "currency_code", "as_of", "graced_from"]
    shown = pd.DataFrame(rows, columns=names).astype({"as_of": _INSTANT, "graced_from": _INSTANT})
    versions = pd.DataFrame(
        unit_of_work.master_data.price_versions(zip(shown["channel"], shown["sku"], strict=True)),
        columns=["channel", "sku", "unit_price", "currency_code", "valid_from"],
    ).astype({"valid_from": _INSTANT})
    judged = judge_parity(shown, versions)
    is_right = judged["outcome"] == "agrees"
    right = judged[is_right]
    keys_of_right = (right["channel"] + "/" + right["sku"]).tolist()
    unit_of_work.close_cases(CaseType.PRICE_PARITY, keys_of_right, "the approved price is shown")
    wrong: Iterable[Any] = judged[~is_right].itertuples(index=False)
    unit_of_work.open_cases(
        Case(
            CaseType.PRICE_PARITY,
            f"{line.channel}/{line.sku}",
            _said(line),
            About(channel=line.channel),
        )
        for line in wrong
    )


def _said(line: Any) -> str:
    shown = f"{line.channel} shows {to_text(line.unit_price)} {line.currency_code} for {line.sku}"
    if line.outcome == "no_approved_price":
        return f"{shown}, and no price was ever approved"
    return f"{shown}, approved is {to_text(int(line.approved_price))}"
