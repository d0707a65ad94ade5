"""`omniflow invoices list` and `omniflow invoices release`."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from orchestration.commands._acting import As, acting
from orchestration.commands._opening import Json
from orchestration.commands._reading import report_list, show_first, stored

SUMMARY = ("invoice", "line_number", "reason_code", "value_difference", "held_at")


class Action(StrEnum):
    """What to do about invoices that are not paid."""

    LIST = "list"
    RELEASE = "release"


def command(
    action: Annotated[Action, typer.Argument(help="list what is held, or release it.")],
    invoice: Annotated[str, typer.Argument(help="SUPPLIER/NUMBER, as the list shows it.")] = "",
    line: Annotated[
        int | None, typer.Option("--line", help="Only this line; 0 is the invoice as a whole.")
    ] = None,
    code: Annotated[
        str | None, typer.Option("--code", help="Only what is held for this reason code.")
    ] = None,
    reason: Annotated[str, typer.Option("--reason", help="Why; kept with the decision.")] = "",
    json: Json = False,
    name: As = None,
) -> None:
    """List lines of suppliers' invoices that are held, or ask to have some paid all the same.

    Somebody else consents, by the tiers of the policy `approvals`; what they consent to is the
    amount of that moment: a line that differs by another amount by then stays held.
    """
    from resources.operational_store.invoice_release import SHOWN, held_lines

    if action is Action.RELEASE:
        _release(invoice, line, code, reason, name, json)
        return
    with stored() as connection:
        rows = held_lines(connection, invoice or None)
    rows = [{key: row[key] for key in SHOWN} for row in rows]
    if json:
        report_list(rows)
    elif not rows:
        typer.echo("nothing is held")
    else:
        show_first(rows, SHOWN, SUMMARY)


def _release(
    invoice: str, line: int | None, code: str | None, reason: str, name: str | None, json: bool
) -> None:
    from assets.approvals.service import request
    from assets.errors import BadInput
    from resources.operational_store.invoice_release import requests_for

    if not invoice or not reason:
        raise BadInput("say which and why: invoices release SUPPLIER/NUMBER --reason WHY")
    detail = {"line": line, "code": code, "reason": reason}
    with acting(name, "invoices.release", invoice, detail) as act:
        asked = requests_for(act.connection, invoice, line, code, reason, act.person.person_id)
        waiting = request(asked, act.unit_of_work)
        act.detail["asked"] = [one.subject_key for one in asked]
    rows = [
        {
            "subject": one.subject_key,
            "approval_id": waiting[one.subject_key].approval_id
            if one.subject_key in waiting
            else None,
        }
        for one in asked
    ]
    if json:
        report_list(rows)
        return
    for row in rows:
        said = "is accepted"
        if row["approval_id"]:
            said = f"waits for approval {row['approval_id'][:8]}"
        typer.echo(f"{row['subject']}: {said}")
