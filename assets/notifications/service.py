"""Writes what is to be told, in the transaction in which there is something to tell."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

from assets.commerce.identifiers import identify_text
from assets.facts import in_columns
from assets.notifications.policy import NotificationsPolicy, notifications_policy
from assets.ports import Notice, PolicyBook, UnitOfWork

_COLUMNS = ("message_id", "occasion", "subject", "recipient", "title", "body", "occurred_at")


@lru_cache(maxsize=256)
def policy_of(policies: PolicyBook, region: str, brand: str) -> NotificationsPolicy:
    """Who is told where in a region and brand; a policy book never changes."""
    return notifications_policy(policies.resolve("notifications", region, brand))


def notify(notices: Iterable[Notice], unit_of_work: UnitOfWork) -> int:
    """Keep what is to be told and where to; the same notice twice is told once.

    Returns:
        How many messages are new.
    """
    messages: dict[str, tuple[object, ...]] = {}
    deliveries: list[tuple[str, str]] = []
    for notice in notices:
        policy = policy_of(unit_of_work.policies, notice.region, notice.brand)
        message_id = identify_text(
            "notification", notice.occasion, notice.subject, notice.occurrence, notice.recipient
        )
        if message_id in messages:
            continue
        words = {**notice.words, "recipient": notice.recipient}
        template = policy.template(notice.recipient, notice.occasion)
        messages[message_id] = (
            message_id,
            notice.occasion,
            notice.subject,
            notice.recipient,
            template.title.format(**words),
            template.body.format(**words),
            notice.occurred_at,
        )
        deliveries += [(message_id, sink) for sink in policy.sinks(notice.recipient)]
    if not messages:
        return 0
    told = unit_of_work.known("notification", "message_id", messages)
    new = [row for message_id, row in messages.items() if message_id not in told]
    if new:
        unit_of_work.append("notification", in_columns(_COLUMNS, new))
        fresh = [one for one in deliveries if one[0] not in told]
        unit_of_work.append("notification_delivery", in_columns(("message_id", "sink"), fresh))
    return len(new)
