"""Tells channels what they may sell, each in its own scope, and hears that they show it."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec
import numpy as np
import pandas as pd

from assets.commerce.identifiers import command_id_text
from assets.inventory.inbound import available_over_time, believed_supply
from assets.inventory.policy import (
    ChannelBuffer,
    InventoryPolicy,
    house_policy,
    inventory_policy,
)
from assets.inventory.rules import available_to_promise, bundles_available_to_promise
from assets.ports import (
    About,
    Case,
    CaseType,
    Columns,
    Command,
    Components,
    InboxEvent,
    PolicyBook,
    UnitOfWork,
)

OWNER = "stock_control"
COMMAND = "availability.publish"

#: By (channel, SKU): from when on how many units.
Outlook = dict[tuple[str, str], list[tuple[datetime, int]]]


@dataclass(frozen=True)
class _ChannelScope:
    """Whose a channel is, as the house's own policy says."""

    channel: str
    legal_entity: str
    brand: str
    region: str
    correlation_id: str = "availability"


def channel_policies(policies: PolicyBook) -> dict[str, InventoryPolicy]:
    """The policy that holds for each channel of the house: that of its region and brand."""
    return {
        channel: inventory_policy(policies.resolve("inventory", buffer.region, buffer.brand))
        for channel, buffer in house_channels(policies).items()
    }


def house_channels(policies: PolicyBook) -> dict[str, ChannelBuffer]:
    """Channels as the base values name them, which no overlay changes."""
    return dict(sorted(house_policy(policies).channels.items()))


def publish_availability(unit_of_work: UnitOfWork) -> int:
    """Tell each channel what changed of what it may sell; gives how many lines were told."""
    held = unit_of_work.stock.held_from_sale()
    columns, since = unit_of_work.stock.take_unpublished()
    bundles = unit_of_work.stock.take_unpublished_bundles(since)
    if not columns and not bundles:
        return 0
    policies = channel_policies(unit_of_work.policies)
    waiting = unit_of_work.stock.waiting(since)
    parts = []
    if columns:
        available = available_to_promise(_positions(columns), policies, waiting)
        if bundles:
            # What became a bundle in the moment in which it was stocked has no units to sell.
            available = available[~available["sku"].isin(list(bundles))]
        parts.append(available)
    if bundles:
        parts.append(_of_bundles(bundles, policies, unit_of_work))
        since |= _since_of_bundles(bundles, since, unit_of_work.effective_at)
    available = parts[0] if len(parts) == 1 else pd.concat(parts, ignore_index=True)
    if held:
        available = _without_held(available, held)
    told = unit_of_work.stock.published(since)
    later = _changed_outlook(columns, policies, waiting, unit_of_work)
    keys = list(zip(available["channel"], available["sku"], strict=True))
    known = np.array([told.get(key, -1) for key in keys], "int64")
    is_news = available["published_quantity"].to_numpy() != known
    if later:
        is_news |= np.array([key in later for key in keys], bool)
    changed = available[is_news]
    if changed.empty:
        return 0
    if any(policy.key_skus for policy in policies.values()):
        _report_key_skus(changed, held, policies, unit_of_work)
    unit_of_work.stock.put_published({name: changed[name].tolist() for name in changed.columns})
    unit_of_work.stock.put_outlook(later)
    channels = house_channels(unit_of_work.policies)
    messages = [
        message
        for channel, lines in changed.groupby("channel", sort=True)
        for message in _messages(
            _scope(str(channel), channels[str(channel)]),
            _lines(str(channel), lines, later),
            policies[str(channel)].availability_lines_per_message,
            unit_of_work.effective_at,
        )
    ]
    unit_of_work.append("availability_published", _lines_told(messages, changed, since))
    unit_of_work.send(command for command, _ in messages)
    return len(changed)


def _report_key_skus(
    changed: pd.DataFrame,
    held: set[tuple[str, str]],
    policies: Mapping[str, InventoryPolicy],
    unit_of_work: UnitOfWork,
) -> None:
    """Open a case where a channel has none left of what it may never be without; close it after."""
    key_skus = {sku for policy in policies.values() for sku in policy.key_skus}
    changed = changed[changed["sku"].isin(key_skus)]
    empty: list[Case] = []
    filled: list[str] = []
    names = ["channel", "sku", "published_quantity"]
    for channel, sku, quantity in changed[names].itertuples(index=False, name=None):
        if sku not in policies[channel].key_skus or (channel, sku) in held:
            continue
        key = f"{channel}/{sku}"
        if quantity:
            filled.append(key)
        else:
            reason = f"{channel} has none of {sku} left to sell"
            empty.append(Case(CaseType.OUT_OF_STOCK, key, reason, About(channel=channel)))
    unit_of_work.open_cases(empty)
    if filled:
        unit_of_work.close_cases(CaseType.OUT_OF_STOCK, filled, "there is stock again")


def _without_held(available: pd.DataFrame, held: set[tuple[str, str]]) -> pd.DataFrame:
    """What a channel may not sell as long as something is wrong with it is offered as none."""
    is_held = np.array(
        [key in held for key in zip(available["channel"], available["sku"], strict=True)], bool
    )
    return available.assign(published_quantity=available["published_quantity"].mask(is_held, 0))


def _positions(columns: Columns) -> pd.DataFrame:
    # As objects: a dtype for texts would cost more than all that is done with them.
    return pd.DataFrame(
        {name: np.array(values, None if name == "unpromised_quantity" else object)
         for name, values in columns.items()}
    )  # fmt: skip


def _of_bundles(
    bundles: Mapping[str, Components],
    policies: Mapping[str, InventoryPolicy],
    unit_of_work: UnitOfWork,
) -> pd.DataFrame:
    """What each channel may sell of these bundles, from what there is of their components."""
    skus = {sku for components in bundles.values() for sku, _ in components}
    positions = _positions(unit_of_work.stock.unpromised(sorted(skus)))
    ship_together = {
        channel: _ship_together(unit_of_work.policies, buffer)
        for channel, buffer in house_channels(unit_of_work.policies).items()
    }
    waiting = unit_of_work.stock.waiting(skus)
    return bundles_available_to_promise(positions, bundles, policies, ship_together, waiting)


def _ship_together(policies: PolicyBook, buffer: ChannelBuffer) -> bool:
    """Whether orders of a channel get all of a bundle from one node: sourcing's policy says so."""
    sourcing = policies.resolve("order_to_fulfillment", buffer.region, buffer.brand)["sourcing"]
    return bool(sourcing.get("bundles_ship_together", True))


def _since_of_bundles(
    bundles: Mapping[str, Components], since: Mapping[str, datetime], now: datetime
) -> dict[str, datetime]:
    """When the earliest change of a component of each bundle happened."""
    return {
        bundle: min((since[sku] for sku, _ in components if sku in since), default=now)
        for bundle, components in bundles.items()
    }


def _scope(channel: str, buffer: ChannelBuffer) -> _ChannelScope:
    return _ChannelScope(channel, buffer.legal_entity, buffer.brand, buffer.region)


def _changed_outlook(
    columns: Columns,
    policies: dict[str, InventoryPolicy],
    waiting: dict[str, int],
    unit_of_work: UnitOfWork,
) -> Outlook:
    """What channels may sell later, where it is not what they were told last."""
    if not columns:
        return {}
    skus = set(columns["sku"])
    told = unit_of_work.stock.outlook(skus)
    supply = believed_supply(skus, unit_of_work)
    if supply.empty:
        return {key: [] for key in told}
    positions = _positions(columns)
    found = available_to_promise(positions[positions["sku"].isin(supply["sku"])], policies)
    buffers = {channel: policies[channel].channels[channel] for channel in policies}
    channels = found["channel"].astype("str")
    phased = available_over_time(
        pd.DataFrame(
            {
                "channel": channels,
                "sku": found["sku"].astype("str"),
                "start_quantity": found["available_quantity"]
                - found["sku"].astype("str").map(waiting).fillna(0).astype("int64")
                - channels.map(lambda name: buffers[name].threshold_quantity_each),
                "ceiling_quantity": channels.map(lambda name: buffers[name].ceiling_quantity_each),
            }
        ),
        supply,
    )
    outlook: Outlook = {key: [] for key in told}
    for channel, sku, expected_at, units in phased.itertuples(index=False, name=None):
        outlook.setdefault((channel, sku), []).append((expected_at.to_pydatetime(), units))
    return {key: rows for key, rows in outlook.items() if told.get(key, []) != rows}


def _lines(channel: str, changed: pd.DataFrame, later: Outlook) -> list[dict[str, Any]]:
    """What a channel is told of each SKU: units now, and later where that is news."""
    lines: list[dict[str, Any]] = [
        {"sku": sku, "quantity": quantity}
        for sku, quantity in zip(
            changed["sku"], changed["published_quantity"].tolist(), strict=True
        )
    ]
    for line in lines if later else []:
        if (channel, line["sku"]) in later:
            line["later"] = [
                {"expected_at": expected_at, "quantity": units}
                for expected_at, units in later[channel, line["sku"]]
            ]
    return lines


def _messages(
    scope: _ChannelScope, lines: list[dict[str, Any]], most_lines: int, now: datetime
) -> list[tuple[Command, list[dict[str, Any]]]]:
    """The messages to one channel, each with its lines."""
    as_of = now.isoformat()
    digest = hashlib.sha256(msgspec.json.encode(lines)).hexdigest()
    return [
        (
            Command(
                partner=scope.channel,
                command_type=COMMAND,
                business_key=f"availability/{scope.channel}",
                scope=scope,
                payload={
                    "channel": scope.channel,
                    "as_of": as_of,
                    "lines": lines[start : start + most_lines],
                },
                owner=OWNER,
                caused_at=now,
                # Told twice at one instant, it is two messages unless they say the same.
                discriminator=f"{as_of}/{start}/{digest}",
            ),
            lines[start : start + most_lines],
        )
        for start in range(0, len(lines), most_lines)
    ]


def _lines_told(
    messages: Sequence[tuple[Command, list[dict[str, Any]]]],
    changed: pd.DataFrame,
    since: dict[str, datetime],
) -> dict[str, Sequence[Any]]:
    """One fact a line: in which message which channel was told what, and since when it was due."""
    # The messages are made from the changed rows, channel by channel, in their order.
    publications = [
        command_id_text(
            command.partner, command.command_type, command.business_key, command.discriminator
        )
        for command, _ in messages
    ]
    counts = [len(lines) for _, lines in messages]
    by_channel = changed.sort_values("channel", kind="stable")
    skus = by_channel["sku"].tolist()
    return {
        "publication_id": np.repeat(publications, counts).tolist(),
        "channel": by_channel["channel"].tolist(),
        "sku": skus,
        "published_quantity": by_channel["published_quantity"].tolist(),
        "available_quantity": by_channel["available_quantity"].tolist(),
        "occurred_at": [since[sku] for sku in skus],
    }


def acknowledge(events: Iterable[InboxEvent], unit_of_work: UnitOfWork) -> None:
    """Keep since when a channel shows what it was told; of a message told twice the first time."""
    first: dict[str, InboxEvent] = {}
    for event in events:
        first.setdefault(event.data.publication_id, event)
    if not first:
        return
    told = unit_of_work.known("availability_published", "publication_id", first)
    heard = unit_of_work.known("availability_acknowledged", "publication_id", first)
    rows: dict[str, list[Any]] = defaultdict(list)
    for publication_id, event in first.items():
        if publication_id not in told:
            reason = "no message of ours has this id"
            unit_of_work.inbox.quarantine(event, "unknown_publication", reason)
        elif publication_id not in heard:
            rows["publication_id"].append(publication_id)
            rows["channel"].append(event.data.channel)
            rows["occurred_at"].append(event.occurred_at)
    if rows:
        unit_of_work.append("availability_acknowledged", rows)
