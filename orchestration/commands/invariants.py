"""`omniflow invariants`."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from orchestration.commands._opening import Json, progress
from orchestration.commands._reading import home_store, report_list, show


def command(
    json: Json = False,
    only: Annotated[
        list[str] | None, typer.Option("--only", help="An invariant, such as S1; may be repeated.")
    ] = None,
) -> None:
    """Check on the stored rows what must hold; exit 1 when one does not."""
    from orchestration.dagster_report import tell_laws
    from resources.operational_store import invariants

    names = only or [invariant.id for invariant in invariants.INVARIANTS]
    results = []
    with home_store() as (home, store), progress(quiet=json) as say:
        for name in names:
            say(f"checking {name}")
            with store.transaction() as connection:
                results += invariants.check(connection, [name])
        say("telling Dagster")
        tell_laws(home, results)
    if json:
        report_list([asdict(result) for result in results])
    else:
        verdicts = {(True, True): "holds", (True, False): "BROKEN", (False, True): "nothing yet"}
        show(
            [
                {
                    "id": result.id,
                    "verdict": verdicts[result.applies, result.holds],
                    "violations": result.violation_count or None,
                    "what_must_hold": result.title,
                }
                for result in results
            ],
            ("id", "verdict", "violations", "what_must_hold"),
        )
        for result in results:
            for violation in result.violations:
                keys = {name: value for name, value in violation.items() if name != "wrong"}
                where = ", ".join(f"{name} {value}" for name, value in keys.items())
                typer.echo(f"{result.id}: {violation['wrong']}: {where}")
            unseen = result.violation_count - len(result.violations)
            if unseen:
                typer.echo(f"{result.id}: and {unseen} more")
    if not all(result.holds for result in results):
        raise typer.Exit(1)
