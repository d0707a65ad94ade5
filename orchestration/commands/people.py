"""`omniflow people list`, `add`, `remove`, `away` and `back`."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from orchestration.commands._acting import As, acting, export_head
from orchestration.commands._opening import Json, report
from orchestration.commands._reading import home_store, report_list, show_first, stored

if TYPE_CHECKING:
    from assets.ports import Person


class Action(StrEnum):
    """What to do with the directory."""

    LIST = "list"
    ADD = "add"
    REMOVE = "remove"
    AWAY = "away"
    BACK = "back"


def command(
    action: Annotated[Action, typer.Argument(help="list, add, remove, away or back.")],
    person: Annotated[str, typer.Argument(help="Their short name.")] = "",
    role: Annotated[
        list[str] | None, typer.Option("--role", help="A role; may be repeated.")
    ] = None,
    queue: Annotated[
        list[str] | None, typer.Option("--queue", help="A queue of theirs; may be repeated.")
    ] = None,
    days: Annotated[int, typer.Option("--days", min=1, help="How long they are away.")] = 1,
    deputy: Annotated[str | None, typer.Option("--deputy", help="Who stands in.")] = None,
    name: As = None,
    json: Json = False,
) -> None:
    """List who may act, or change it. Who is added gets a token, which is shown once.

    The first person is an administrator and may be added by whoever runs this home; after that an
    administrator adds the others. Somebody who is added again gets a new token.
    """
    from assets.errors import BadInput

    if action is Action.LIST:
        _list(json)
    elif not person:
        raise BadInput(f"say who: omniflow people {action} NAME")
    elif action is Action.ADD:
        _add(person, role or [], queue or [], name, json)
    elif action is Action.REMOVE:
        _remove(person, name)
    else:
        _move(person, days if action is Action.AWAY else None, deputy, name)


def _list(json: bool) -> None:
    from resources.operational_store.people import read_people

    with stored() as connection:
        rows = [_told(person) for person in read_people(connection).values()]
    if json:
        report_list(rows)
    elif not rows:
        typer.echo("nobody is here yet: omniflow people add NAME --role administrator")
    else:
        show_first(rows, tuple(rows[0]))


def _told(person: Person) -> dict[str, Any]:
    return {
        "person": person.person_id,
        "roles": " ".join(sorted(person.roles)),
        "queues": " ".join(sorted(person.queues)),
        "is_active": person.is_active,
        "absent_until": person.absent_until,
        "deputy": person.deputy,
    }


def _add(person: str, roles: list[str], queues: list[str], name: str | None, json: bool) -> None:
    from resources.operational_store.people import ADMINISTRATOR, put_person

    detail = {"roles": sorted(roles), "queues": sorted(queues)}
    if _is_first():
        token = _add_first(person, roles, queues, detail)
    else:
        with acting(name, "people.add", person, detail, frozenset({ADMINISTRATOR})) as act:
            token = put_person(act.connection, person, roles, queues)
    if json:
        report({"person": person, "token": token})
    else:
        typer.echo(f"{person} may act with OMNIFLOW_TOKEN={token}\nit is not shown again")


def _is_first() -> bool:
    from resources.operational_store.people import read_people

    with stored() as connection:
        return not read_people(connection)


def _add_first(person: str, roles: list[str], queues: list[str], detail: dict[str, Any]) -> str:
    from assets.errors import BadInput
    from resources.operational_store import audit
    from resources.operational_store.people import ADMINISTRATOR, put_person

    if ADMINISTRATOR not in roles:
        raise BadInput(f"the first person needs --role {ADMINISTRATOR}, to add the others")
    with home_store() as (home, store):
        with store.transaction() as connection:
            token = put_person(connection, person, roles, queues)
            at = store.clock.effective_at()
            audit.record(connection, person, "people.add", person, "done", detail, at)
        export_head(home, store)
    return token


def _remove(person: str, name: str | None) -> None:
    from resources.operational_store.people import ADMINISTRATOR, remove

    with acting(name, "people.remove", person, {}, frozenset({ADMINISTRATOR})) as act:
        remove(act.connection, person)
    typer.echo(f"{person} may act no more")


def _move(person: str, days: int | None, deputy: str | None, name: str | None) -> None:
    """Anybody may say that they are away themselves; of others an administrator does."""
    from assets.errors import BadInput
    from resources.operational_store.people import ADMINISTRATOR, be_away

    action = "people.back" if days is None else "people.away"
    with acting(name, action, person, {"days": days, "deputy": deputy}) as act:
        if person != act.person.person_id and ADMINISTRATOR not in act.person.roles:
            raise BadInput(f"{act.person.person_id} speaks for themselves only")
        now: datetime = act.unit_of_work.effective_at.astimezone(UTC)
        leaves, returns = (None, None) if days is None else (now, now + timedelta(days=days))
        be_away(act.connection, person, leaves, returns, None if days is None else deputy)
    typer.echo(
        f"{person} is {'back' if days is None else f'away until {returns:%Y-%m-%d %H:%M} UTC'}"
    )
