"""`omniflow score`."""

from __future__ import annotations

import typer

from orchestration.commands._opening import Json, existing_home, home_with_database, report


def command(json: Json = False) -> None:
    """Score the faults that the sandbox injected: exit 1 for a miss or too many false alarms."""
    from dataclasses import asdict

    from rich.console import Console

    from assets.errors import BadInput
    from orchestration.commands._fault_view import faults_table, verdict
    from orchestration.fault_score import score_home
    from resources.operational_store.store import OperationalStore, create_engine

    if existing_home() is None:
        raise BadInput("there is no home here yet; `omniflow demo` makes one with faults")
    home = home_with_database()
    store = OperationalStore(create_engine(home.database_url))
    score = score_home(home, store)
    store.engine.dispose()
    if score is None:
        raise BadInput("no sandbox has worked in this home, so nothing was injected")
    if json:
        report({**asdict(score), "is_good": score.is_good})
    else:
        console = Console()
        console.print(faults_table(score))
        console.print(verdict(score))
    if not score.is_good:
        raise typer.Exit(1)
