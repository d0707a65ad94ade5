"""`omniflow retention`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from orchestration.commands._opening import Json, report
from orchestration.commands._reading import home_store, show

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path


def command(
    apply: Annotated[bool, typer.Option("--apply", help="Remove it, as every night does.")] = False,
    json: Json = False,
) -> None:
    """Say what is older than the policy of retention allows, or remove it.

    Facts, identities, reasons and decisions are kept for ever.
    """
    from dataclasses import asdict
    from datetime import UTC, datetime, timedelta

    from resources.operational_store.retention import find_old, remove_old
    from resources.policy_book import FilePolicyBook

    now = datetime.now(UTC)
    with home_store() as (home, store):
        policy = FilePolicyBook(home.path / "policies").retention
        found = (remove_old if apply else find_old)(store, policy, now)
        rows: list[dict[str, Any]] = [asdict(removal) for removal in found]
        before = now - timedelta(days=policy.dagster_run_days)
        runs = _old_runs(home.dagster, before, apply=apply)
    rows.append(
        {
            "what": "dagster_run",
            "days": policy.dagster_run_days,
            "older_than": before,
            "count": runs,
        }
    )
    if json:
        report({"removed": apply, "kinds": rows})
        return
    show([{**row, "older_than": f"{row['older_than']:%Y-%m-%d}"} for row in rows], tuple(rows[0]))
    if apply:
        typer.echo("removed")
    else:
        typer.echo("nothing was removed; --apply removes it, and so does every night of `up`")


def _old_runs(dagster: Path, before: datetime, *, apply: bool) -> int:
    """Dagster's finished runs that are too old; none in a home that never had a Dagster."""
    if not (dagster / "dagster.yaml").exists():
        return 0
    from dagster import DagsterInstance

    from assets.errors import EnvironmentProblem
    from orchestration.dagster_history import delete_runs, old_runs

    try:
        opened = DagsterInstance.from_config(str(dagster))
    except Exception as error:  # whatever keeps it from answering
        reason = f"Dagster's history cannot be read: {type(error).__name__}"
        raise EnvironmentProblem(reason) from error
    with opened as instance:
        runs = old_runs(instance, before)
        if apply:
            delete_runs(instance, runs)
        return len(runs)
