"""`omniflow audit list` and `omniflow audit verify`."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from orchestration.commands._opening import Json, counted, report
from orchestration.commands._reading import home_store, report_list, show_first, stored


class Action(StrEnum):
    """What to do with the audit."""

    LIST = "list"
    VERIFY = "verify"


def command(
    action: Annotated[Action, typer.Argument(help="list what was done, or verify the chain.")],
    json: Json = False,
) -> None:
    """List who did what and who was refused what, newest first, or verify that nothing is missing.

    Each entry is sealed by the hash of all before it, and the last hash is kept in a file of the
    home; keep a copy of that file where nobody of this home can write.
    """
    if action is Action.LIST:
        _list(json)
    else:
        _verify(json)


def _list(json: bool) -> None:
    from resources.operational_store import audit

    with stored() as connection:
        rows = audit.entries(connection)
    if json:
        report_list(rows)
    elif not rows:
        typer.echo("nobody has done anything yet")
    else:
        summary = ("sequence", "actor", "action", "subject", "outcome")
        show_first(rows, tuple(rows[0]), summary, text="detail")


def _verify(json: bool) -> None:
    from resources.audit_head import read_head
    from resources.operational_store import audit

    with home_store() as (home, store), store.transaction() as connection:
        last = audit.head(connection)
        findings = audit.verify(connection, read_head(home.audit_head))
    if json:
        wrong = [{"sequence": one.sequence, "wrong": one.wrong} for one in findings]
        report({"entries": last.sequence, "head": last.entry_hash, "findings": wrong})
    elif findings:
        for one in findings:
            typer.echo(f"entry {one.sequence}: {one.wrong}")
    else:
        typer.echo(f"{counted(last.sequence, 'entry', 'entries')}, each in its place")
    if findings:
        raise typer.Exit(1)
