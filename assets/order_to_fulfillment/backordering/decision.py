"""The decisions about backorders as they are stored, and how to redo them."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import msgspec
import pandas as pd

from assets.commerce.identifiers import decision_id, identify
from assets.decisions.policy_document import PolicyDocument
from assets.decisions.tables import decode_tables, encode_tables
from assets.order_to_fulfillment.backordering.policy import BackorderPolicy, backorder_policy
from assets.order_to_fulfillment.backordering.rules import accept_into_pools, share_supply
from assets.order_to_fulfillment.writes import Writes

#: Which lines are taken into a pool, and until when they wait.
KIND = "backorder"
#: Which of the lines that wait are given what came.
RELEASE_KIND = "backorder_release"

POLICY = "backorder"
PolicyOf = Callable[[str, str], BackorderPolicy]
Scopes = Sequence[tuple[str, ...]]


def decide_pools(
    tables: Mapping[str, pd.DataFrame], scopes: Scopes, policy_of: PolicyOf
) -> pd.DataFrame:
    """Which lines wait, by `accept_into_pools`.

    Args:
        tables: ``lines`` (``order_id``, ``line_number``, ``sku``, ``pool``, ``quantity``,
            ``scope``, ``opened_at``, ``not_before_at``), ``pools`` (``sku``, ``pool``,
            ``open_quantity``) and ``supply`` (``sku``, ``expected_at``, ``quantity``).
        scopes: (channel, region, brand) of each scope.
        policy_of: Gives the policy of a region and brand.
    """
    lines, pools = tables["lines"], tables["pools"]
    policies = [policy_of(region, brand) for _, region, brand in scopes]
    positions = lines["scope"].tolist()
    opened = lines["opened_at"]
    lines = lines.assign(
        cap_quantity=[
            policies[scope].cap(pool, scopes[scope][0])
            for scope, pool in zip(positions, lines["pool"], strict=True)
        ],
        put_away=pd.Series([policies[scope].put_away for scope in positions], lines.index),
        # Nobody waits for a novelty's first day in vain: from there on it is as any other.
        latest_at=pd.concat([opened, lines["not_before_at"]], axis=1).max(axis=1)
        + pd.Series([policies[scope].longest_wait for scope in positions], lines.index),
    )
    open_units = {
        (sku, pool): int(units) for sku, pool, units in pools.itertuples(index=False, name=None)
    }
    waiting: dict[str, int] = defaultdict(int)
    for (sku, _), units in open_units.items():
        waiting[sku] += units
    return accept_into_pools(lines, open_units, waiting, tables["supply"])


def pools_hash(decided: pd.DataFrame) -> bytes:
    """SHA-256 over what became of each line."""
    return _digest(
        f"{order_id},{number},{'' if pd.isna(when) else when.isoformat()},{refusal or ''}"
        for order_id, number, when, refusal in zip(
            decided["order_id"],
            decided["line_number"],
            decided["available_from"],
            decided["refusal_code"],
            strict=True,
        )
    )


def decide_release(
    tables: Mapping[str, pd.DataFrame], policy: BackorderPolicy
) -> tuple[list[int], set[str]]:
    """Which lines are served, by `share_supply`; ``tables`` has ``waiting`` and ``now``."""
    now = tables["now"]["effective_at"].iloc[0]
    return share_supply(tables["waiting"], now, policy.may_be_overtaken)


def release_hash(outcome: tuple[list[int], set[str]]) -> bytes:
    """SHA-256 over who is served and where nobody passes."""
    served, closed = outcome
    return _digest([*map(str, served), "closed", *sorted(closed)])


def _digest(parts: Iterable[str]) -> bytes:
    return hashlib.sha256("\n".join(parts).encode()).digest()


def recompute(encoded: bytes, document: Mapping[str, Any]) -> bytes:
    """The outcome hash of `decide_pools` that stored inputs and policy give today."""
    tables, scopes = decode_tables(encoded)
    stored = msgspec.convert(dict(document), PolicyDocument)
    decided = decide_pools(
        tables, scopes, lambda region, brand: backorder_policy(stored.resolve(region, brand))
    )
    return pools_hash(decided)


def recompute_release(encoded: bytes, document: Mapping[str, Any]) -> bytes:
    """The same of `decide_release`."""
    tables, _ = decode_tables(encoded)
    stored = msgspec.convert(dict(document), PolicyDocument)
    return release_hash(decide_release(tables, backorder_policy(stored.resolve("", ""))))


def keep(
    kind: str,
    tables: Mapping[str, pd.DataFrame],
    scopes: Scopes,
    outcome: bytes,
    said: Sequence[tuple[str, str, Sequence[str]]],
    writes: Writes,
) -> None:
    """Keep a decision: its inputs once, and (business key, outcome, reasons) of each line."""
    batch_id = str(identify("decision_batch", kind, *(key for key, _, _ in said)))
    writes.unit_of_work.append(
        "decision_batch",
        {
            "decision_batch_id": [batch_id],
            "kind": [kind],
            "policy_hash": [writes.unit_of_work.policies.policy_hash(POLICY)],
            "mode": ["normal"],
            "inputs": [encode_tables(tables, list(scopes))],
            "outcome_hash": [outcome],
        },
    )
    writes.rows["decision_record"] += [
        (str(decision_id(kind, key)), batch_id, kind, key, result, list(reasons))
        for key, result, reasons in said
    ]
