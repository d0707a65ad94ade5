"""`omniflow approvals list`, `show`, `approve`, `deny` and `delegate`."""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum
from typing import Annotated, Any

import typer

from orchestration.commands._acting import As, acting
from orchestration.commands._opening import Json, plain, report
from orchestration.commands._reading import report_list, show_first, stored


class Action(StrEnum):
    """What to do about what waits for consent."""

    LIST = "list"
    SHOW = "show"
    APPROVE = "approve"
    DENY = "deny"
    DELEGATE = "delegate"


def command(
    action: Annotated[Action, typer.Argument(help="list, show, approve, deny or delegate.")],
    approval: Annotated[
        str,
        typer.Argument(metavar="[ID|PERSON]", help="The approval, or whom to delegate to."),
    ] = "",
    reason: Annotated[str, typer.Option(help="Why; kept with the decision.")] = "",
    content: Annotated[
        str | None, typer.Option("--hash", help="Of the content that you were shown.")
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help="List what has ended too.")] = False,
    subject: Annotated[
        str, typer.Option("--subject", help="What may be decided in your place; * for all.")
    ] = "*",
    up_to: Annotated[str, typer.Option("--up-to", help="Up to which amount.")] = "",
    days: Annotated[int, typer.Option("--days", min=1, help="For how long.")] = 1,
    name: As = None,
    json: Json = False,
) -> None:
    """List what waits for consent, decide about it, or let somebody decide in your place.

    What is approved happens when the last tier has consented, and not before. Whoever asked for it,
    edited it or gains by it decides nothing of it. Nobody's consent in time is a denial.
    """
    if action is Action.LIST:
        _list(everything, json)
    elif action is Action.SHOW:
        _show(approval, json)
    elif action is Action.DELEGATE:
        _delegate(approval, subject, up_to, days, reason, name)
    else:
        _decide(action, approval, reason, content, name, json)


def _list(everything: bool, json: bool) -> None:
    from resources.operational_store import approvals

    with stored() as connection:
        rows = approvals.listed(connection, with_ended=everything)
    if json:
        report_list(rows)
    elif not rows:
        typer.echo("nothing waits for consent")
    else:
        shown = [{**row, "approval": str(row["approval_id"])[:8]} for row in rows]
        summary = ("approval", "subject", "summary", "role", "expires_at")
        names = ("approval", *(key for key in rows[0] if key != "approval_id"))
        show_first(shown, names, summary, text="summary")


def _show(approval: str, json: bool) -> None:
    from resources.operational_store import approvals

    with stored() as connection:
        found = approvals.shown(connection, approvals.named(connection, approval))
    if json:
        report(found)
        return
    for key, value in found.items():
        if key != "decisions":
            typer.echo(f"{key.replace('_', ' ')}: {plain(value)}")
    for one in found["decisions"]:
        behalf = f" for {' for '.join(one['on_behalf_of'])}" if one["on_behalf_of"] else ""
        typer.echo(
            f"tier {one['tier']}: {one['decision']} by {one['person_id']}{behalf}: {one['reason']}"
        )


def _decide(
    action: Action, approval: str, reason: str, content: str | None, name: str | None, json: bool
) -> None:
    from assets.approvals.service import decide
    from assets.errors import BadInput
    from resources.operational_store import approvals

    if not approval or not reason.strip():
        raise BadInput(f"say which and why: omniflow approvals {action} ID --reason TEXT")
    decision = "approved" if action is Action.APPROVE else "denied"
    with acting(name, f"approvals.{action}", approval, {"reason": reason}) as act:
        approval_id = approvals.named(act.connection, approval)
        status = decide(
            approval_id, act.person, decision, reason.strip(), act.unit_of_work, content
        )
        act.detail |= {"approval_id": approval_id, "status": status}
        found = approvals.shown(act.connection, approval_id)
        act.detail["content_hash"] = found["content_hash"]
    if json:
        report({"approval_id": approval_id, "decision": decision, "status": status})
    elif status == "pending":
        typer.echo(f"{decision}; it waits for the consent of {found['role']} now")
    else:
        typer.echo(f"{found['subject']} is {status}")


def _delegate(
    person: str, subject: str, up_to: str, days: int, reason: str, name: str | None
) -> None:
    from assets.approvals.service import delegate
    from assets.commerce.money import to_ten_thousandths
    from assets.errors import BadInput
    from assets.ports import Delegation

    if not person or not up_to or not reason.strip():
        raise BadInput(
            "say to whom, up to what and why:"
            " omniflow approvals delegate PERSON --up-to AMOUNT --reason TEXT"
        )
    try:
        amount = to_ten_thousandths(up_to)
    except ValueError as error:
        raise BadInput(f"{up_to!r} is no amount of money") from error
    detail: dict[str, Any] = {"subject": subject, "up_to": up_to, "days": days, "reason": reason}
    with acting(name, "approvals.delegate", person, detail) as act:
        now = act.unit_of_work.effective_at
        until = now + timedelta(days=days)
        given = Delegation(act.person.person_id, person, subject, amount, now, until)
        delegate(given, reason.strip(), act.unit_of_work)
    typer.echo(f"{person} may decide in your place up to {up_to} until {until:%Y-%m-%d %H:%M} UTC")
