"""`omniflow exceptions list`, `show`, `resolve`, `assign`, `pause` and `resume`."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from orchestration.commands._acting import Acting, As, acting
from orchestration.commands._opening import Json, counted, plain, report
from orchestration.commands._reading import home_store, report_list, show_first, stored

if TYPE_CHECKING:
    from collections.abc import Mapping


class Action(StrEnum):
    """What to do with what needs a person."""

    LIST = "list"
    SHOW = "show"
    RESOLVE = "resolve"
    ASSIGN = "assign"
    PAUSE = "pause"
    RESUME = "resume"


def command(
    action: Annotated[Action, typer.Argument(help="list the cases, or see to one of them.")],
    case: Annotated[
        str | None, typer.Argument(metavar="[CASE_ID]", help="The case, or how its id begins.")
    ] = None,
    reason: Annotated[
        str | None, typer.Option(help="What was found out or done; kept with the case.")
    ] = None,
    queue: Annotated[
        str | None, typer.Option("--queue", help="List those of one, or whom to give it to.")
    ] = None,
    person: Annotated[
        str | None, typer.Option("--person", help="Who of the queue sees to it.")
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help="List closed cases as well.")] = False,
    name: As = None,
    json: Json = False,
) -> None:
    """List what needs a person, the most urgent first, or see to a case.

    Resolve closes it, and what waits for it goes on; assign gives it away with what is left of its
    time; pause stops its time while a customer or supplier is waited for, and resume lets it go on.
    """
    from assets.errors import BadInput

    if action is Action.LIST:
        if case is not None or reason is not None:
            raise BadInput("a case and --reason are for `omniflow exceptions resolve`")
        _list(everything, queue, json)
    elif case is None:
        raise BadInput(f"say which: omniflow exceptions {action} CASE_ID")
    elif action is Action.SHOW:
        _show(case, json)
    elif reason is None or not reason.strip():
        raise BadInput(f"say which and why: omniflow exceptions {action} CASE_ID --reason TEXT")
    else:
        _see_to(action, case, reason.strip(), queue, person, name, json)


def _list(everything: bool, queue: str | None, json: bool) -> None:
    from assets.exception_routing.catalogue import catalogue_of
    from assets.exception_routing.queue_order import in_order
    from resources.operational_store import operators

    with home_store() as (_, store), store.transaction() as connection:
        found = operators.cases(connection, with_closed=everything, queue=queue)
        order = catalogue_of(store.policies, "", "").exceptions.queue_order
    rows = in_order([row for row in found if row["status"] == "open"], order)
    rows += [row for row in found if row["status"] != "open"]
    if json:
        report_list(rows)
    elif not rows:
        typer.echo("no case is open")
    else:
        _print(rows)


def _print(rows: list[Mapping[str, Any]]) -> None:
    named = [
        {
            "case": str(row["case_id"])[:8],
            "status": row["status"],
            "owner": row["assigned_to"] or row["owner"],
            "type": row["type"],
            "severity": row["severity"],
            "count": row["count"],
            "due_at": row["due_at"],
            "reason": f"{row['business_key']}: {row['resolution'] or row['reason']}",
        }
        for row in rows
    ]
    summary = ("case", "severity", "type", "reason", "owner", "due_at")
    show_first(named, tuple(named[0]), summary, text="reason")


def _show(case: str, json: bool) -> None:
    from resources.operational_store import operators

    with stored() as connection:
        found = operators.case_named(connection, case)
        told = operators.history(connection, str(found["case_id"]))
    if json:
        report({**found, **told})
        return
    for key, value in found.items():
        if value not in (None, ""):
            typer.echo(f"{key.replace('_', ' ')}: {plain(value)}")
    for part, rows in told.items():
        if rows:
            typer.echo(f"\n{part.replace('_', ' ')}")
            spoken = [
                {key: ", ".join(it) if isinstance(it, list) else it for key, it in row.items()}
                for row in rows
            ]
            show_first(spoken, tuple(rows[0]))


def _see_to(
    action: Action,
    case: str,
    reason: str,
    queue: str | None,
    person: str | None,
    name: str | None,
    json: bool,
) -> None:
    detail = {"reason": reason, "queue": queue, "person": person}
    with acting(name, f"exceptions.{action}", case, detail) as act:
        told = _done(action, case, reason, queue, person, act)
        act.detail["case_id"] = str(told["case_id"])
    if json:
        report(told)
    elif action is Action.RESOLVE:
        going_on = counted(told["released"], "event goes on", "events go on")
        typer.echo(f"closed {told['case_id']}; {going_on}")
    elif action is Action.PAUSE:
        typer.echo(f"the time of {told['case_id']} stands still")
    else:
        typer.echo(f"{told['case_id']} is due {told['due_at']:%Y-%m-%d %H:%M} UTC")


def _done(
    action: Action, case: str, reason: str, queue: str | None, person: str | None, act: Acting
) -> dict[str, Any]:
    """See to a case; gives it as it is now."""
    from assets.errors import BadInput
    from assets.exception_routing import timekeeping
    from resources.operational_store import operators

    unit_of_work, who = act.unit_of_work, act.person.person_id
    if action is Action.RESOLVE:
        return operators.resolve(act.connection, case, reason, unit_of_work.effective_at)
    case_id = str(operators.case_named(act.connection, case)["case_id"])
    if action is Action.PAUSE:
        timekeeping.pause(case_id, who, reason, unit_of_work)
    elif action is Action.RESUME:
        timekeeping.resume(case_id, who, reason, unit_of_work)
    elif queue is None and person is None:
        raise BadInput("say to whom: --queue NAME, --person NAME, or both")
    else:
        people = unit_of_work.approvals.people()
        if person is not None and (person not in people or not people[person].is_active):
            raise BadInput(f"nobody here is called {person}")
        timekeeping.assign(case_id, queue, person, who, reason, unit_of_work)
    return operators.case_named(act.connection, case_id)
