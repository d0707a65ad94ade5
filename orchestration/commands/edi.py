"""`omniflow edi read` and `omniflow edi write`."""

from __future__ import annotations

from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from orchestration.commands._opening import Json, report
from orchestration.commands._reading import home_store


class Action(StrEnum):
    """What to do with suppliers' messages."""

    READ = "read"
    WRITE = "write"


def command(
    action: Annotated[
        Action, typer.Argument(help="read a supplier's file, or write an order as an 850.")
    ],
    what: Annotated[str, typer.Argument(help="The file, or the number of the purchase order.")],
    out: Annotated[
        Path | None, typer.Option("--out", help="Where the answer (997) or the order (850) goes.")
    ] = None,
    us: Annotated[str, typer.Option("--us", help="Our identity in messages.")] = "OMNIFLOW",
    json: Json = False,
) -> None:
    """Bring suppliers' messages in (X12 855, 856, 810; EDIFACT DESADV, INVOIC), or write an 850.

    A broken interchange is set aside with its segment and reason, the others of the file go on; a
    997 says to the sender of X12 what was taken. The same file again changes nothing.
    """
    if action is Action.READ:
        _read(Path(what), out, us, json)
    else:
        _write(what, out, us)


def _read(path: Path, out: Path | None, us: str, json: bool) -> None:
    from resources.edi.documents import Scope
    from resources.edi.intake import take
    from resources.operational_store.replenishment import scope_of_house

    with home_store() as (_, store):
        with store.transaction() as connection:
            scope = Scope(*scope_of_house(connection))
        taken = take(store, path, scope, us, datetime.now(UTC))
    if out is not None:
        _put(out, "".join(taken.answers))
    if json:
        report(vars(taken))
        return
    typer.echo(
        f"{taken.interchanges} interchanges: {taken.accepted} documents came in,"
        f" {taken.duplicates} were here before"
    )
    for where, why in [*taken.broken, *taken.refused]:
        typer.echo(f"set aside: {where}: {why}")


def _write(order: str, out: Path | None, us: str) -> None:
    from assets.errors import BadInput
    from resources.edi.x12 import control_number, purchase_order
    from resources.operational_store.purchasing import order_to_send

    with home_store() as (_, store), store.transaction() as connection:
        found = order_to_send(connection, order)
    if found is None:
        raise BadInput(f"there is no purchase order {order}")
    try:
        control = control_number(order, found["version"])
        text = purchase_order(found, us, control, datetime.now(UTC))
    except ValueError as error:
        raise BadInput(f"{order} cannot be written as X12: {error}") from error
    if out is None:
        typer.echo(text, nl=False)
    else:
        _put(out, text)


def _put(out: Path, text: str) -> None:
    from assets.errors import BadInput

    try:
        out.write_text(text, "ascii", "replace")
    except OSError as error:
        raise BadInput(f"cannot write {out}: {error.strerror}") from error
