"""`omniflow invoices list` and `omniflow invoices release`."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from orchestration.commands._acting import As, acting, tell_asked
from orchestration.commands._opening import Json, report
from orchestration.commands._reading import report_list, show_first, stored

SUMMARY = ("invoice", "line_number", "reason_code", "value_difference", "held_at")


class Action(StrEnum):
    """What to do about invoices that are not paid."""

    LIST = "list"
    RELEASE = "release"
    REVIEW = "review"


def command(
    action: Annotated[Action, typer.Argument(help="list what is held, release it, or review all.")],
    invoice: Annotated[str, typer.Argument(help="SUPPLIER/NUMBER, as the list shows it.")] = "",
    line: Annotated[
        int | None, typer.Option("--line", help="Only this line; 0 is the invoice as a whole.")
    ] = None,
    code: Annotated[
        str | None, typer.Option("--code", help="Only what is held for this reason code.")
    ] = None,
    policy: Annotated[
        Path | None,
        typer.Option("--policy", help="Another procure_to_stock.yaml, for a review under it."),
    ] = None,
    reason: Annotated[str, typer.Option("--reason", help="Why; kept with the decision.")] = "",
    json: Json = False,
    name: As = None,
) -> None:
    """List lines of suppliers' invoices that are held, or ask to have some paid all the same.

    Somebody else consents, by the tiers of the policy `approvals`; what they consent to is the
    amount of that moment: a line that differs by another amount by then stays held.

    A review matches every invoice of the home again, against what has come by now: under the policy
    in force or another one. It changes no hold; its result is a table of the lake.
    """
    from resources.operational_store.invoice_release import SHOWN, held_lines

    if action is Action.REVIEW:
        _review(policy, json)
        return
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


def _review(policy: Path | None, json: bool) -> None:
    from assets.commerce.money import to_text
    from orchestration.commands._reading import home_store, show
    from resources.lake.lake import Lake
    from resources.match_review import review
    from resources.policy_book import read_policy

    with home_store() as (home, store):
        document = store.policies.documents["procure_to_stock"]
        if policy is not None:
            document = read_policy(policy, "procure_to_stock")
        lake = Lake(home.lake)
        lake.export(store.engine)
        done = review(store.engine, lake, document)
    rows = []
    for key in sorted(done.held.keys() | done.stored.keys()):
        (then_lines, then_value), (lines, value) = (
            found.get(key, (0, 0)) for found in (done.held, done.stored)
        )
        rows.append(
            {
                "reason_code": key[0],
                "currency_code": key[1],
                "held_lines": lines,
                "held_value": to_text(value),
                "lines_by_policy": then_lines,
                "value_by_policy": to_text(then_value),
            }
        )
    if json:
        content = {"policy_hash": done.policy_hash, "lines": done.lines, "result": str(done.file)}
        report({**content, "held_lines": done.held_lines, "reasons": rows})
        return
    typer.echo(f"{done.lines:,} lines matched, {done.held_lines:,} of them would be held")
    if rows:
        show(rows, tuple(rows[0]))
    typer.echo(f"every line with its result: {done.file}")


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
    tell_asked([one.subject_key for one in asked], waiting, json)
