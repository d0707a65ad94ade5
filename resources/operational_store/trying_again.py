"""What went wrong is tried again, by a command or a job: dead commands and refused events.

A dead command holds back the later ones of its key. Sent again, it keeps its id, which is its
idempotency key, so a partner that took it after all recognises it. A refused event is judged by the
door again; what a flow set aside has passed the door already and goes back to its flow.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from assets.errors import BadInput
from resources.operational_store.door import Door
from resources.operational_store.inbox import try_again
from resources.operational_store.unit_of_work import OUTBOX_CHANNEL

_COMMANDS = """
    select
        outbox_sequence, command_id, partner, command_type, business_key, status, attempts,
        next_attempt_at, last_error, owner, recorded_at
    from command_outbox
    where status <> 'delivered' and (not :only_dead or status = 'dead')
    order by outbox_sequence
"""
# What went wrong stays with the command: by it, its delivery closes the case.
_RETRY = """
    update command_outbox
    set status = 'pending', attempts = 0, next_attempt_at = null
    where status = 'dead' and {wanted}
    returning outbox_sequence, command_id, partner, command_type, business_key
"""
_REFUSED = """
    select
        kept.quarantine_id, kept.event_id, kept.reason_code, kept.reason,
        inbox.status is not distinct from 'quarantined'
        and kept.reason_code <> 'id_conflict' as is_set_aside
    from quarantined_event as kept
    left join event_inbox as inbox
        on kept.source = inbox.source and kept.event_id = inbox.event_id
    where kept.status = 'open'
    order by kept.quarantine_id
"""
#: Outcomes of what is not in quarantine any more.
CAME_IN = frozenset({"accepted", "duplicate", "back_to_its_flow"})


@dataclass(frozen=True)
class Judged:
    """What became of one refused event.

    Attributes:
        outcome: The door's word, ``back_to_its_flow``, or ``body_removed`` where it was too old or
            went with a person's data.
    """

    quarantine_id: int
    outcome: str
    event_id: str | None
    reason_code: str | None
    reason: str | None

    @property
    def came_in(self) -> bool:
        """Whether it is not in quarantine any more."""
        return self.outcome in CAME_IN


def undelivered(connection: sa.Connection, *, only_dead: bool) -> list[dict[str, Any]]:
    """Commands that no partner has taken yet, oldest first; never their payload."""
    found = connection.execute(sa.text(_COMMANDS), {"only_dead": only_dead})
    return [dict(row) for row in found.mappings()]


def send_again(
    connection: sa.Connection, name: str | None = None, partner: str | None = None
) -> list[dict[str, Any]]:
    """Give a dead command back to the dispatcher, or all dead ones of a partner.

    Args:
        connection: In the transaction that the caller will commit.
        name: A command's number in the outbox, or its id.
        partner: A partner's code.

    Raises:
        BadInput: If there is no such dead command.
    """
    if (name is None) == (partner is None):
        raise BadInput("say which: a command's number or id, or --partner NAME")
    wanted, value = ("partner = :value", partner) if name is None else _named(name)
    found = connection.execute(sa.text(_RETRY.format(wanted=wanted)), {"value": value})
    rows = sorted(
        (dict(row) for row in found.mappings()), key=lambda row: int(row["outbox_sequence"])
    )
    if not rows:
        what = f"no dead command of {partner}" if name is None else f"no dead command {name}"
        raise BadInput(f"there is {what}: see `omniflow outbox list --dead`")
    connection.execute(sa.text(f"notify {OUTBOX_CHANNEL}"))
    return rows


def _named(name: str) -> tuple[str, object]:
    # The number fits bigint, or it is nobody's.
    if name.isascii() and name.isdigit() and len(name) <= 18:
        return "outbox_sequence = :value", int(name)
    try:
        return "command_id = :value", uuid.UUID(name)
    except ValueError as error:
        raise BadInput(f"{name!r} is neither a command's number nor its id") from error


def judge_again(
    connection: sa.Connection, ids: Collection[int] = (), reason_code: str | None = None
) -> list[Judged]:
    """Submit what was refused again: these, all of one reason, or all that is open.

    Args:
        connection: In the transaction that the caller will commit.
        ids: Numbers in quarantine; none for all.
        reason_code: Only what was refused for this reason.

    Raises:
        BadInput: If one of the ids is not open in quarantine.
    """
    refused = {row.quarantine_id: row for row in connection.execute(sa.text(_REFUSED))}
    strangers = sorted(set(ids) - set(refused))
    if strangers:
        raise BadInput(f"not open in quarantine: {', '.join(map(str, strangers))}")
    wanted = [
        number
        for number in (sorted(set(ids)) or refused)
        if reason_code is None or refused[number].reason_code == reason_code
    ]
    set_aside = {number for number in wanted if refused[number].is_set_aside}
    receipts = Door().replay_quarantined(connection, sorted({*wanted} - set_aside))
    try_again(connection, sorted(set_aside))
    judged = []
    for number in wanted:
        said = receipts.get(number)
        told = said or refused[number]
        without = "back_to_its_flow" if number in set_aside else "body_removed"
        outcome = str(said.outcome) if said else without
        judged.append(Judged(number, outcome, told.event_id, told.reason_code, told.reason))
    return judged
