"""`omniflow clearing list` and `omniflow clearing propose`."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from orchestration.commands._acting import As, acting, tell_asked
from orchestration.commands._opening import Json
from orchestration.commands._reading import home_store, report_list, show_first

SUMMARY = ("line", "open_quantity", "open_amount", "open_days", "is_proposed")


class Action(StrEnum):
    """What to do about goods without an invoice, and invoices without goods."""

    LIST = "list"
    PROPOSE = "propose"


def command(
    action: Annotated[Action, typer.Argument(help="list what is open, or propose to clear it.")],
    line: Annotated[
        str, typer.Argument(help="ORDER/LINE; without it all that is open for long enough.")
    ] = "",
    reason: Annotated[str, typer.Option("--reason", help="Why; kept with the decision.")] = "",
    json: Json = False,
    name: As = None,
) -> None:
    """List lines of purchase orders that clearing is open for, or propose to clear them.

    Each line is a proposal of its own, which somebody else consents to, and an entry of its own:
    what is open becomes price variance. After how many days nothing more is expected is policy.
    """
    from resources.operational_store.clearing_proposals import SHOWN, open_lines

    if action is Action.PROPOSE:
        _propose(line, reason, name, json)
        return
    with home_store() as (_, store), store.unit_of_work() as unit_of_work:
        rows = open_lines(
            unit_of_work.connection, store.policies, unit_of_work.effective_at, line or None
        )
    rows = [{key: row[key] for key in SHOWN} for row in rows]
    if json:
        report_list(rows)
    elif not rows:
        typer.echo("clearing is open for nothing")
    else:
        show_first(rows, SHOWN, SUMMARY)


def _propose(line: str, reason: str, name: str | None, json: bool) -> None:
    from assets.approvals.service import request
    from assets.errors import BadInput
    from resources.operational_store.clearing_proposals import requests_for

    if not reason:
        raise BadInput("say why nothing more is expected: --reason WHY")
    with acting(name, "clearing.propose", line or "all", {"reason": reason}) as act:
        unit_of_work = act.unit_of_work
        asked = requests_for(
            act.connection,
            unit_of_work.policies,
            unit_of_work.effective_at,
            line or None,
            reason,
            act.person.person_id,
        )
        waiting = request(asked, unit_of_work)
        act.detail["asked"] = len(asked)
    tell_asked([one.subject_key for one in asked], waiting, json)
