"""How a command acts for a person: who it is, that they may, and that it is kept who did what."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, Any

import typer

from orchestration.commands._reading import home_store

if TYPE_CHECKING:
    import sqlalchemy as sa

    from assets.ports import Person, StoredRequest
    from orchestration.home import Home
    from resources.operational_store.store import OperationalStore
    from resources.operational_store.unit_of_work import SqlUnitOfWork

#: A person's word without their token, where nothing real can come of it.
As = Annotated[
    str | None, typer.Option("--as", help="Who acts, in a demo's home; elsewhere a token says so.")
]


@dataclass
class Acting:
    """One act of one person.

    Attributes:
        detail: What is kept of it in the audit, beside who, what and about what.
    """

    unit_of_work: SqlUnitOfWork
    person: Person
    detail: dict[str, Any] = field(default_factory=dict)

    @property
    def connection(self) -> sa.Connection:
        """The transaction."""
        return self.unit_of_work.connection


@contextmanager
def acting(
    name: str | None,
    action: str,
    subject: str,
    detail: Mapping[str, Any],
    roles: frozenset[str] = frozenset(),
) -> Iterator[Acting]:
    """Do something as a person; it is audited whether it is done or refused.

    Args:
        name: Of a demo's person; by default whoever the token of the environment is of.
        action: What is done, as ``approvals.approve``.
        subject: About what.
        detail: What else is kept of it; never anything personal.
        roles: One of these is needed; none where everybody may.

    Raises:
        BadInput: If nobody is named, or they may not.
    """
    from assets.errors import BadInput
    from resources.operational_store import audit

    with home_store() as (home, store):
        actor = "unknown"
        try:
            with store.unit_of_work() as unit_of_work:
                person = _who(name, unit_of_work.connection, home)
                actor = person.person_id
                if roles and not roles & person.roles:
                    raise BadInput(f"{actor} is none of {', '.join(sorted(roles))}")
                act = Acting(unit_of_work, person, dict(detail))
                yield act
                audit.record(
                    unit_of_work.connection,
                    actor,
                    action,
                    subject,
                    "done",
                    act.detail,
                    unit_of_work.effective_at,
                )
        except BadInput as refusal:
            # What was begun is undone; that it was tried is not.
            told = {**detail, "refused_because": str(refusal)}
            with store.transaction() as connection:
                at = store.clock.effective_at()
                audit.record(connection, actor, action, subject, "refused", told, at)
            raise
        finally:
            export_head(home, store)


def tell_asked(subjects: Sequence[str], waiting: Mapping[str, StoredRequest], json: bool) -> None:
    """Say of each subject that was asked about whether it waits, and for which approval."""
    from orchestration.commands._reading import report_list

    ids = {key: one.approval_id for key, one in waiting.items()}
    if json:
        report_list([{"subject": one, "approval_id": ids.get(one)} for one in subjects])
        return
    for one in subjects:
        said = f"waits for approval {ids[one][:8]}" if one in ids else "is accepted"
        typer.echo(f"{one}: {said}")


def _who(name: str | None, connection: sa.Connection, home: Home) -> Person:
    from assets.errors import BadInput
    from resources.operational_store.people import read_people, with_token
    from resources.operational_store.store import read_clock

    if name is None:
        token = home.environment.token
        if token is None:
            raise BadInput("say who acts: OMNIFLOW_TOKEN is not set (see `omniflow people`)")
        return with_token(connection, token)
    held = read_clock(connection)
    if held is None or held[0] != "simulated":
        raise BadInput("--as is for a demo's home; here OMNIFLOW_TOKEN says who acts")
    people = read_people(connection)
    if name not in people or not people[name].is_active:
        raise BadInput(f"nobody here is called {name}: see `omniflow people list`")
    return people[name]


def export_head(home: Home, store: OperationalStore) -> None:
    """Keep the end of the audit's chain outside of the database, where a cut end is missed."""
    from resources.audit_head import keep_head
    from resources.operational_store import audit

    with store.transaction() as connection:
        keep_head(home.audit_head, audit.head(connection))
