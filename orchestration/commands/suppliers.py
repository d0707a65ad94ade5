"""`omniflow suppliers list` and `omniflow suppliers check`."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from orchestration.commands._acting import As, acting, tell_asked
from orchestration.commands._opening import Json
from orchestration.commands._reading import report_list, show_first, stored

SUMMARY = ("supplier_id", "status", "duplicate_check", "bank_check", "contract_check")


class Action(StrEnum):
    """What to do about suppliers and those who want to be."""

    LIST = "list"
    CHECK = "check"


def command(
    action: Annotated[
        Action, typer.Argument(help="list suppliers and applicants, or say what a check found.")
    ],
    supplier: Annotated[str, typer.Argument(help="Its id.")] = "",
    check: Annotated[str, typer.Argument(help="bank, contract or duplicate.")] = "",
    fails: Annotated[bool, typer.Option("--fails", help="The check is not passed.")] = False,
    reason: Annotated[str, typer.Option("--reason", help="What it rests on; kept.")] = "",
    reference: Annotated[
        str | None, typer.Option("--reference", help="The contract's or letter's number.")
    ] = None,
    json: Json = False,
    name: As = None,
) -> None:
    """List suppliers and applicants with their checks, or say what one found.

    Nobody is ordered from before every check is passed and the ERP has made a supplier of them; a
    check is passed when another person consents.
    """
    from resources.operational_store.supplier_checks import SHOWN, everybody

    if action is Action.CHECK:
        _check(supplier, check, fails, reason, reference, name, json)
        return
    with stored() as connection:
        rows = everybody(connection)
    rows = [{key: row[key] for key in SHOWN} for row in rows]
    if json:
        report_list(rows)
    elif not rows:
        typer.echo("there are no suppliers and no applicants")
    else:
        show_first(rows, SHOWN, SUMMARY)


def _check(
    supplier: str,
    check: str,
    fails: bool,
    reason: str,
    reference: str | None,
    name: str | None,
    json: bool,
) -> None:
    from assets.approvals.service import request
    from assets.errors import BadInput
    from resources.operational_store.supplier_checks import request_for

    if not supplier or not check or not reason:
        raise BadInput("say whom, which and why: suppliers check SUPPLIER CHECK --reason WHY")
    detail = {"check": check, "fails": fails, "reason": reason}
    with acting(name, "suppliers.check", supplier, detail) as act:
        asked = request_for(
            act.connection, supplier, check, not fails, reason, reference, act.person.person_id
        )
        waiting = request([asked], act.unit_of_work)
    tell_asked([asked.subject_key], waiting, json)
