"""`omniflow erase CUSTOMER_NUMBER`."""

from __future__ import annotations

from typing import Annotated

import typer

from orchestration.commands._opening import Json, counted, report
from orchestration.commands._reading import stored


def command(
    person: Annotated[
        str, typer.Argument(metavar="PERSON", help="A customer number, or an e-mail address.")
    ],
    legal_entity: Annotated[
        str | None, typer.Option(help="Whose number it is, where several have given it.")
    ] = None,
    json: Json = False,
) -> None:
    """Forget a person: contact, what waits, what was refused. Facts stay, without a name.

    Backups that were made before still hold what they held.
    """
    from dataclasses import asdict

    from resources.operational_store.erasure import erase

    with stored() as connection:
        erased = erase(connection, person, legal_entity)
    if json:
        report(asdict(erased))
    else:
        typer.echo(
            f"erased: {counted(erased.contacts, 'contact')}, personal data of"
            f" {counted(erased.events, 'event')} not applied yet,"
            f" {counted(erased.quarantined_bodies, 'refused body', 'refused bodies')}"
        )
