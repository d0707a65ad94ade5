"""`omniflow backup`."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from orchestration.commands._opening import Json, existing_home, progress, report


def command(
    path: Annotated[Path, typer.Argument(help="The file to write; it must not exist.")],
    json: Json = False,
) -> None:
    """Write the whole home into one file, while it runs or not; the file holds keys."""
    from assets.errors import EnvironmentProblem
    from orchestration import backup

    home = existing_home()
    if home is None:
        raise EnvironmentProblem("there is no home here to back up")
    with progress(quiet=json) as say:
        summary = backup.backup(home, path, say)
    if json:
        report(asdict(summary))
    else:
        typer.echo(
            f"backed up {summary.rows} rows of {summary.tables} tables and {summary.files} files"
            f" to {summary.path}"
        )
