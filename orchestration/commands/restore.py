"""`omniflow restore`."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from orchestration.commands._opening import Json, progress, report


def command(
    path: Annotated[Path, typer.Argument(help="A file that `omniflow backup` wrote.")],
    json: Json = False,
) -> None:
    """Bring a backup back into a home that does not exist yet, and verify it."""
    from orchestration import backup
    from orchestration.environment import Environment

    with progress(quiet=json) as say:
        summary = backup.restore(Environment.read(), path, say)
    if json:
        report(asdict(summary))
    else:
        typer.echo(
            f"restored and verified {summary.rows} rows of {summary.tables} tables and"
            f" {summary.files} files in {summary.path}; `omniflow up` starts it"
        )
