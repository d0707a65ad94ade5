"""Choosing where the units of new orders come from: for all orders at once, and kept."""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, date, datetime, timedelta

import pandas as pd

from assets.commerce.calendar import add_working_days, end_of_day, trading_date
from assets.commerce.identifiers import decision_id, identify
from assets.order_to_fulfillment.bundling import bundles_table
from assets.order_to_fulfillment.decision import KIND, SourcingInputs, outcome_hash
from assets.order_to_fulfillment.intake import Candidate
from assets.order_to_fulfillment.pickup.decision import KIND as PICKUP_KIND
from assets.order_to_fulfillment.sourcing.deciding import REASONS, Sourced, source
from assets.order_to_fulfillment.sourcing.profile import Profile
from assets.order_to_fulfillment.sourcing.tables import NO_EXCLUSIONS, NO_USAGE, Tables
from assets.order_to_fulfillment.writes import Writes

ORDER_COLUMNS = (
    "order_id", "profile", "country_code", "service_level", "decided_at", "promised_at",
)  # fmt: skip
INSTANT = pd.DatetimeTZDtype("us", UTC)


def source_lines(candidates: list[Candidate], closed: Collection[str], writes: Writes) -> str:
    """Decide all orders at once and keep the decision; fills what each candidate was given.

    Nothing is given of SKUs that are ``closed``: all of them is for those who wait.
    """
    scopes = list(
        dict.fromkeys((c.event.channel, c.event.region, c.event.brand) for c in candidates)
    )
    orders = _orders(candidates, scopes, writes)
    order_lines, owners, bundles = _order_lines(candidates)
    profiles = [
        writes.policy(region, brand).profile(channel, region) for channel, region, brand in scopes
    ]
    tables = Tables(
        orders=orders,
        order_lines=order_lines,
        stock=unpromised(set(order_lines["sku"]).difference(closed), writes),
        nodes=active_nodes(writes),
        usage=taken_on([c.event.occurred_at for c in candidates], profiles, writes),
        exclusions=NO_EXCLUSIONS,
        bundles=bundles,
    )
    sourced = source(tables, profiles)
    _hand_out(sourced, candidates, owners)
    ids = [candidate.order_id for candidate in candidates]
    return keep_decision(ids, SourcingInputs(tables, scopes), outcome_hash(tables, sourced), writes)


def promised_date(candidate: Candidate, writes: Writes) -> date:
    """The day that the customer was told at checkout, else what the policy promises.

    What is collected is promised for the day on which it is at the counter; what waits for supply,
    for the day that its supply allows.
    """
    event, data = candidate.event, candidate.data
    if data.promised_date is None and candidate.promised_ready_at is not None:
        _, zone = writes.nodes[str(candidate.store_id)]
        return trading_date(candidate.promised_ready_at, zone)
    policy = writes.policy(event.region, event.brand)
    starts_at = max(
        [event.occurred_at, *(line.available_from for line in candidate.pooled.values())]
    )
    day = add_working_days(
        trading_date(starts_at, policy.trading_zone),
        policy.promise_days(event.region, data.service_level),
    )
    if data.promised_date is None:
        return day
    return max(day, data.promised_date) if candidate.pooled else data.promised_date


def _orders(
    candidates: list[Candidate], scopes: list[tuple[str, str, str]], writes: Writes
) -> pd.DataFrame:
    index_of = {scope: index for index, scope in enumerate(scopes)}
    rows = []
    for candidate in candidates:
        event, data = candidate.event, candidate.data
        zone = writes.policy(event.region, event.brand).trading_zone
        rows.append(
            (
                candidate.order_id,
                index_of[event.channel, event.region, event.brand],
                data.ship_to.country,
                data.service_level,
                event.occurred_at,
                end_of_day(promised_date(candidate, writes), zone),
            )
        )
    frame = pd.DataFrame(rows, columns=list(ORDER_COLUMNS))
    return frame.astype({"profile": "int64", "decided_at": INSTANT, "promised_at": INSTANT})


def _order_lines(
    candidates: list[Candidate],
) -> tuple[pd.DataFrame, list[Candidate], pd.DataFrame]:
    """The stock lines of all orders, whose each is, and which belong together."""
    rows: list[tuple[int, int, str, int, int]] = []
    owners: list[Candidate] = []
    components: list[tuple[int, int, int]] = []
    for position, candidate in enumerate(candidates):
        candidate.first_line = len(rows)
        for line in candidate.stock_lines():
            if line.quantity_per_bundle:
                components.append((len(rows), line.line_number, line.quantity_per_bundle))
            rows.append((position, line.number, line.sku, line.quantity, line.unit_price))
            owners.append(candidate)
    frame = pd.DataFrame(rows, columns=["order", "line_number", "sku", "quantity", "unit_price"])
    whole = dict.fromkeys(("order", "line_number", "quantity", "unit_price"), "int64")
    return frame.astype(whole), owners, bundles_table(components)


def unpromised(skus: set[str], writes: Writes) -> pd.DataFrame:
    """What every node has of these SKUs that nobody was promised; locked."""
    return pd.DataFrame(
        [
            (position.node_id, position.sku, position.unpromised)
            for position in writes.unit_of_work.stock.lock_positions(skus)
        ],
        columns=["node_id", "sku", "unpromised_quantity"],
    ).astype({"unpromised_quantity": "int64"})


def active_nodes(writes: Writes) -> pd.DataFrame:
    """Kind and zone of every active node."""
    nodes = writes.nodes
    return pd.DataFrame(
        [(node, *nodes[node]) for node in sorted(nodes)], columns=["node_id", "kind", "zone"]
    )


def taken_on(moments: list[datetime], profiles: list[Profile], writes: Writes) -> pd.DataFrame:
    """What nodes took on in the days of these moments, where any of them can be too busy."""
    if not any(profile.policy.limits_capacity for profile in profiles):
        return NO_USAGE
    # A local day begins and ends within a day of the instant in any zone.
    rows = writes.unit_of_work.orders.taken_on(
        min(moments) - timedelta(days=1), max(moments) + timedelta(days=1)
    )
    return pd.DataFrame(
        [(node, _midnight(day), orders, units) for node, day, orders, units in rows],
        columns=list(NO_USAGE.columns),
    ).astype(NO_USAGE.dtypes.to_dict())


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day)  # noqa: DTZ001  a day, not an instant


def _hand_out(sourced: Sourced, candidates: list[Candidate], owners: list[Candidate]) -> None:
    for line, node, units in zip(
        sourced.units["line"].tolist(),
        sourced.units["node_id"].tolist(),
        sourced.units["quantity"].tolist(),
        strict=True,
    ):
        owners[line].sourced[line].append((node, units))
    for line, reason in zip(
        sourced.unmet["line"].tolist(), sourced.unmet["reason_code"].tolist(), strict=True
    ):
        owners[line].unmet[line] = reason
    for candidate, method, late in zip(
        candidates, sourced.method.tolist(), sourced.late_units.tolist(), strict=True
    ):
        candidate.reasons = [*(["promise_not_feasible"] if late else []), *REASONS.get(method, [])]


def keep_decision(keys: list[str], inputs: SourcingInputs, outcome: bytes, writes: Writes) -> str:
    """Keep what a decision about these business keys rests on; gives its batch."""
    batch_id = str(identify("decision_batch", KIND, *keys))
    writes.unit_of_work.append(
        "decision_batch",
        {
            "decision_batch_id": [batch_id],
            "kind": [KIND],
            "policy_hash": [writes.unit_of_work.policies.policy_hash("order_to_fulfillment")],
            "mode": ["normal"],
            "inputs": [inputs.encode()],
            "outcome_hash": [outcome],
        },
    )
    return batch_id


def record_decision(
    candidate: Candidate, ordered: int, reserved: int, batch_id: str, writes: Writes
) -> None:
    """Write what was decided about one order, and why; quantities are in each."""
    kind = KIND if candidate.store_id is None else PICKUP_KIND
    nodes = {node for given in candidate.sourced.values() for node, _ in given}
    reasons = ["split_over_nodes"] if len(nodes) > 1 else []
    reasons += [*candidate.reasons, *sorted(set(candidate.unmet.values()))]
    reasons += sorted({f"waits_in_{line.pool}" for line in candidate.pooled.values()})
    if not ordered:
        outcome = "charges_only"
    elif reserved == ordered:
        outcome = "filled"
    else:
        outcome = "partly_filled" if reserved else "unfilled"
    writes.rows["decision_record"].append(
        (
            str(decision_id(kind, candidate.order_id)),
            batch_id,
            kind,
            candidate.order_id,
            outcome,
            list(dict.fromkeys(reasons)),
        )
    )
    objects = [("order", candidate.order_id, "sourced for")]
    objects += [("node", node, "ships") for node in sorted(nodes)]
    writes.process.add(
        "stock reserved" if reserved else "stock not found",
        candidate.order_id,
        writes.unit_of_work.effective_at,
        objects,
        candidate.order_id,
    )
