"""The audit: what each person did or was refused, each entry sealed by the hash of all before it.

Rows are append-only by a trigger; who can switch that off still breaks the chain by changing one
row, and by cutting off the end misses the head that is kept outside of the database.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

import sqlalchemy as sa

from assets.commerce.calendar import utc_text
from resources.operational_store.bulk import copy_into, execute, fetch

#: Advisory lock of whoever adds to the chain.
_SEALING = 6_170_401_984
BEGINNING = "0" * 64
_AT_ONCE = 10_000


@dataclass(frozen=True)
class Head:
    """The last entry of the chain; sequence 0 before the first."""

    sequence: int
    entry_hash: str


@dataclass(frozen=True)
class Finding:
    """What is wrong with the chain, and from which entry on."""

    sequence: int
    wrong: str


def record(
    connection: sa.Connection,
    actor: str,
    action: str,
    subject: str,
    outcome: Literal["done", "refused"],
    detail: Mapping[str, Any],
    effective_at: datetime,
) -> Head:
    """Add an entry to the chain; whoever else adds one waits until this transaction ends."""
    execute(connection, "select pg_advisory_xact_lock(%s)", _SEALING)
    before = head(connection)
    sequence = before.sequence + 1
    recorded_at = datetime.now(UTC)
    told = json.dumps(dict(detail), sort_keys=True, ensure_ascii=False, default=str)
    row = (sequence, actor, action, subject, outcome, told, effective_at, recorded_at)
    sealed = _seal(before.entry_hash, *row)
    names = (
        "sequence",
        "actor",
        "action",
        "subject",
        "outcome",
        "detail",
        "effective_at",
        "recorded_at",
    )
    columns = {name: [value] for name, value in zip(names, row, strict=True)}
    hashes = {"previous_hash": [before.entry_hash], "entry_hash": [sealed]}
    copy_into(connection, "audit_entry", {**columns, **hashes})
    return Head(sequence, sealed)


def head(connection: sa.Connection) -> Head:
    """The last entry."""
    rows = fetch(
        connection, "select sequence, entry_hash from audit_entry order by sequence desc limit 1"
    )
    return Head(*rows[0]) if rows else Head(0, BEGINNING)


def verify(connection: sa.Connection, exported: Head | None) -> list[Finding]:
    """Reckon the chain again, and compare its end with the head that was exported.

    Args:
        connection: In any transaction.
        exported: ``None`` where none was exported yet.

    Returns:
        What is wrong, in the order of the chain; after a break it is followed on from there.
    """
    findings: list[Finding] = []
    known, last = BEGINNING, 0
    at_exported: str | None = BEGINNING if exported and exported.sequence == 0 else None
    while rows := fetch(connection, _CHAIN, last, _AT_ONCE):
        for sequence, *row, previous_hash, entry_hash in rows:
            if sequence != last + 1:
                findings.append(
                    Finding(last + 1, f"entries {last + 1} to {sequence - 1} are missing")
                )
            elif previous_hash != known:
                findings.append(Finding(sequence, "it does not follow the entry before it"))
            if _seal(previous_hash, sequence, *row) != entry_hash:
                findings.append(Finding(sequence, "it was changed after it was sealed"))
            known, last = entry_hash, sequence
            if exported is not None and sequence == exported.sequence:
                at_exported = entry_hash
    if exported is None:
        if last:
            findings.append(Finding(last, "no head was exported, so a cut end would not show"))
    elif at_exported is None:
        findings.append(
            Finding(
                last + 1, f"the end was cut off: entry {exported.sequence} was exported as head"
            )
        )
    elif at_exported != exported.entry_hash:
        findings.append(Finding(exported.sequence, "it is not the entry that was exported as head"))
    return findings


_CHAIN = """
    select sequence, actor, action, subject, outcome, detail, effective_at, recorded_at,
        previous_hash, entry_hash
    from audit_entry where sequence > %s order by sequence limit %s
"""


def _seal(previous_hash: str, *row: Any) -> str:
    """The hash of an entry: of every word of it and of the hash before it."""
    words = [utc_text(one) if isinstance(one, datetime) else one for one in row]
    text = json.dumps([previous_hash, *words], ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def entries(connection: sa.Connection) -> list[dict[str, Any]]:
    """Who did what, newest first."""
    rows = connection.execute(
        sa.text(
            "select sequence, effective_at, actor, action, subject, outcome, detail, entry_hash"
            " from audit_entry order by sequence desc"
        )
    )
    return [dict(row) for row in rows.mappings()]
