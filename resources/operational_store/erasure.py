"""Forgets a person: their contact, and what is personal of theirs in events and refused bodies.

Facts stay; they know a pseudonymous customer id. An order that still waits is applied without a
name and an address, and a refused body that mentions them cannot be tried again.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import msgspec
import sqlalchemy as sa

from assets.commerce.identifiers import identify
from assets.errors import BadInput
from resources.operational_store.bulk import execute, fetch


@dataclass(frozen=True)
class Erasure:
    """What was erased, in rows.

    Attributes:
        contacts: Of `customer_contact`.
        events: Events that are not applied yet, of `event_personal_data`.
        quarantined_bodies: Refused bodies that mention the person.
    """

    contacts: int
    events: int
    quarantined_bodies: int


@dataclass
class _Person:
    """By what a person is found. An e-mail address is one person's, a number one legal entity's."""

    customer_ids: set[str] = field(default_factory=set)
    numbers: set[str] = field(default_factory=set)
    emails: set[str] = field(default_factory=set)
    inbox_ids: set[int] = field(default_factory=set)

    @property
    def size(self) -> int:
        return len(self.customer_ids) + len(self.numbers) + len(self.emails) + len(self.inbox_ids)

    def owns(self, customer_id: str, emails: set[str]) -> bool:
        return customer_id in self.customer_ids or not emails.isdisjoint(self.emails)


_NUMBERED = """
    select customer_id::text from customer_contact where customer_number = %s
"""
_EVENTS_NUMBERED = """
    select distinct inbox.legal_entity
    from event_personal_data as told
    inner join event_inbox as inbox using (source, event_id)
    where told.customer_number = %s
"""
# What a flow is applying at this moment is waited for: it is about to write a contact.
_EVENTS = """
    select inbox.inbox_id, inbox.legal_entity, told.customer_number, told.fields::text
    from event_personal_data as told
    inner join event_inbox as inbox using (source, event_id)
    where
        told.customer_number = any(%s)
        or exists (
            select from unnest(%s::text[]) as word
            where position(word in lower(told.fields::text)) > 0
        )
    order by inbox.inbox_id
    for update of inbox
"""
_CONTACTS = """
    select customer_id::text, customer_number, coalesce(lower(email), '')
    from customer_contact
    where customer_id = any(%s::uuid[]) or lower(email) = any(%s)
"""
_FORGET_EVENTS = """
    with gone as (
        delete from event_personal_data as told
        using event_inbox as inbox
        where
            inbox.source = told.source and inbox.event_id = told.event_id
            and inbox.inbox_id = any(%s)
        returning inbox.inbox_id
    )

    update event_inbox set has_personal_data = false
    from gone
    where event_inbox.inbox_id = gone.inbox_id
"""
_MENTIONING = """
    select source, body_hash, body
    from quarantined_body as stored
    where exists (
        select from unnest(%s::text[]) as word
        where position(
            encode(convert_to(word, 'UTF8'), 'escape') in lower(encode(stored.body, 'escape'))
        ) > 0
    )
"""


def erase(connection: sa.Connection, name: str, legal_entity: str | None = None) -> Erasure:
    """Erase a person, with everything that their number or e-mail address leads to.

    Args:
        connection: In the transaction that the caller will commit.
        name: A customer number, or an e-mail address.
        legal_entity: Whose number it is, where several have given it.

    Raises:
        BadInput: If nothing is kept of such a person, or the number is not one person's.
    """
    person = _known_as(connection, name.strip(), legal_entity)
    size = -1
    while person.size > size:
        size = person.size
        _follow(connection, person)
    bodies = _bodies_that_mention(connection, person)
    events = execute(connection, _FORGET_EVENTS, sorted(person.inbox_ids))
    contacts = execute(
        connection,
        "delete from customer_contact where customer_id = any(%s::uuid[])",
        sorted(person.customer_ids),
    )
    execute(
        connection,
        "delete from quarantined_body where (source, body_hash) in"
        " (select * from unnest(%s::text[], %s::bytea[]))",
        [source for source, _ in bodies],
        [body_hash for _, body_hash in bodies],
    )
    if not (contacts or events or bodies):
        raise BadInput("nothing personal is kept of such a person")
    return Erasure(contacts, events, len(bodies))


def _known_as(connection: sa.Connection, name: str, legal_entity: str | None) -> _Person:
    if not name:
        raise BadInput("say who: a customer number or an e-mail address")
    if "@" in name:
        if legal_entity is not None:
            raise BadInput("an e-mail address is one person's: leave --legal-entity out")
        return _Person(emails={name.lower()})
    if legal_entity is not None:
        return _Person({str(identify("customer", legal_entity, name))}, {name})
    found = {row[0] for row in fetch(connection, _NUMBERED, name)}
    entities = [row[0] for row in fetch(connection, _EVENTS_NUMBERED, name)]
    found |= {str(identify("customer", entity, name)) for entity in entities}
    if len(found) > 1:
        raise BadInput(
            f"{len(found)} legal entities have given the number {name}: say whose it is with"
            " --legal-entity"
        )
    return _Person(found, {name})


def _follow(connection: sa.Connection, person: _Person) -> None:
    """Find more of a person by what is known of them."""
    numbers, emails = sorted(person.numbers), sorted(person.emails)
    for inbox_id, entity, number, fields in fetch(connection, _EVENTS, numbers, emails):
        theirs = {email.lower() for email in _emails_in(msgspec.json.decode(fields))}
        identity = "" if number is None else str(identify("customer", entity, number))
        if person.owns(identity, theirs):
            person.inbox_ids.add(inbox_id)
            person.emails |= theirs
            if number is not None:
                person.customer_ids.add(identity)
                person.numbers.add(number)
    known, emails = sorted(person.customer_ids), sorted(person.emails)
    for identity, number, email in fetch(connection, _CONTACTS, known, emails):
        person.customer_ids.add(identity)
        person.numbers.add(number)
        if email:
            person.emails.add(email)


def _emails_in(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for name, part in value.items():
            if name == "email" and isinstance(part, str):
                yield part
            else:
                yield from _emails_in(part)


def _bodies_that_mention(connection: sa.Connection, person: _Person) -> list[tuple[str, bytes]]:
    words = sorted({word.lower() for word in (*person.numbers, *person.emails)})
    return [
        (source, bytes(body_hash))
        for source, body_hash, body in fetch(connection, _MENTIONING, words)
        if _mentions(bytes(body), person)
    ]


def _mentions(body: bytes, person: _Person) -> bool:
    """Whether a refused body is about a person.

    Of a body that cannot be read every whole word counts: rather one too many is forgotten. In one
    that can, a number counts where it is a customer's, and not where it is a quantity.
    """
    text = body.decode("utf-8", "replace")
    if any(_is_in(text, email) for email in person.emails):
        return True
    try:
        content = msgspec.json.decode(body)
    except (ValueError, RecursionError):
        return any(_is_in(text, number) for number in person.numbers)
    return not person.numbers.isdisjoint(_customers_in(content, is_customer=False))


def _is_in(text: str, word: str) -> bool:
    pattern = rf"(?<![\w.+-]){re.escape(word)}(?!\.?[\w-])"
    return re.search(pattern, text, re.IGNORECASE) is not None


def _customers_in(value: Any, *, is_customer: bool) -> Iterator[str]:
    """The scalars below every name with ``customer`` in it."""
    if isinstance(value, dict):
        for name, part in value.items():
            here = is_customer or "customer" in name.lower()
            yield from _customers_in(part, is_customer=here)
    elif isinstance(value, list):
        for part in value:
            yield from _customers_in(part, is_customer=is_customer)
    elif is_customer and isinstance(value, (str, int)):
        yield str(value)
