"""The directory: who may act here. A token is shown once and kept as its hash."""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Collection
from datetime import datetime

import sqlalchemy as sa

from assets.errors import BadInput
from assets.ports import Person
from resources.operational_store.bulk import execute, fetch
from resources.operational_store.cases import WRITTEN_NOW

#: Who may change the directory.
ADMINISTRATOR = "administrator"
_NAME = re.compile(r"[a-z][a-z0-9_]{0,62}")
_READ = "select person_id, roles, queues, is_active, absent_from, absent_until, deputy from person"


def token_hash(token: str) -> str:
    """What is kept of a token. It is random and long, so that one round of SHA-256 is enough."""
    return hashlib.sha256(token.encode()).hexdigest()


def read_people(connection: sa.Connection) -> dict[str, Person]:
    """Everybody, by id."""
    people = [
        Person(person_id, frozenset(roles), frozenset(queues), *rest)
        for person_id, roles, queues, *rest in fetch(connection, f"{_READ} order by person_id")
    ]
    return {person.person_id: person for person in people}


def with_token(connection: sa.Connection, token: str) -> Person:
    """Who a token is of.

    Raises:
        BadInput: If it is nobody's any more.
    """
    rows = fetch(
        connection, "select person_id from person where token_hash = %s", token_hash(token)
    )
    person = read_people(connection)[rows[0][0]] if rows else None
    if person is None or not person.is_active:
        raise BadInput("the token is of nobody who may act here")
    return person


def put_person(
    connection: sa.Connection, person_id: str, roles: Collection[str], queues: Collection[str]
) -> str:
    """Add a person, or change what somebody may do; gives a new token, which voids the old one.

    Raises:
        BadInput: If a name is none.
    """
    for name in (person_id, *roles, *queues):
        if not _NAME.fullmatch(name):
            raise BadInput(f"{name!r} is no name: small letters, digits and _, a letter first")
    token = secrets.token_urlsafe(32)
    execute(
        connection,
        "insert into person (person_id, roles, queues, token_hash) values (%s, %s, %s, %s)"
        " on conflict (person_id) do update set roles = excluded.roles, queues = excluded.queues,"
        f" token_hash = excluded.token_hash, is_active = true, {WRITTEN_NOW}",
        person_id,
        sorted(set(roles)),
        sorted(set(queues)),
        token_hash(token),
    )
    return token


def remove(connection: sa.Connection, person_id: str) -> None:
    """Let somebody act no more; what they did stays theirs.

    Raises:
        BadInput: If there is nobody of that name.
    """
    changed = execute(
        connection,
        "update person set is_active = false, token_hash = null,"
        f" {WRITTEN_NOW} where person_id = %s and is_active",
        person_id,
    )
    if not changed:
        raise BadInput(f"nobody here is called {person_id}")


def be_away(
    connection: sa.Connection,
    person_id: str,
    absent_from: datetime | None,
    absent_until: datetime | None,
    deputy: str | None,
) -> None:
    """Say when somebody is out of office and who stands in; without dates they are back.

    Raises:
        BadInput: If either of them is nobody.
    """
    people = read_people(connection)
    for name in filter(None, (person_id, deputy)):
        if name not in people or not people[name].is_active:
            raise BadInput(f"nobody here is called {name}")
    if deputy == person_id:
        raise BadInput("nobody is their own deputy")
    if absent_from and absent_until and absent_until <= absent_from:
        raise BadInput("they would be back before they leave")
    execute(
        connection,
        "update person set absent_from = %s, absent_until = %s, deputy = %s,"
        f" {WRITTEN_NOW} where person_id = %s",
        absent_from,
        absent_until,
        deputy,
        person_id,
    )
