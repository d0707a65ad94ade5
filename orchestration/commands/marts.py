"""`omniflow marts list` and `omniflow marts show NAME`."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from orchestration.commands._opening import existing_home, json_text, plain
from orchestration.commands._reading import SHOWN, show
from orchestration.commands._table_view import print_records, print_table, terminal_width

if TYPE_CHECKING:
    from collections.abc import Sequence

    from resources.analytics_store.reports import MartInfo


class Action(StrEnum):
    """What to do with the marts."""

    LIST = "list"
    SHOW = "show"


class Format(StrEnum):
    """How to print rows."""

    TABLE = "table"
    RECORD = "record"
    CSV = "csv"
    JSON = "json"


def command(
    action: Annotated[Action, typer.Argument(help="list the marts, or show the rows of one.")],
    name: Annotated[str | None, typer.Argument(help="The mart to show.")] = None,
    output: Annotated[Format, typer.Option("--format", help="How to print.")] = Format.TABLE,
    json: Annotated[bool, typer.Option("--json", help="The same as --format json.")] = False,
    limit: Annotated[
        int | None, typer.Option(min=0, help="So many rows at most; a person is shown 50.")
    ] = None,
    columns: Annotated[
        str | None, typer.Option(help="These columns only, in this order, with commas between.")
    ] = None,
) -> None:
    """List the published marts, or show the rows of one.

    A table that is wider than the terminal is cut to the columns that say most; --format record
    shows each row whole, one line a column. In JSON, amounts and rates are texts, so that no digit
    is lost; counts are numbers.
    """
    from assets.errors import BadInput
    from resources.analytics_store.store import AnalyticsStore
    from resources.lake.lake import Lake

    home = existing_home()
    if home is None:
        raise BadInput("there is no home yet, so no mart; run a replay or the demo first")
    store = AnalyticsStore(home.warehouse, Lake(home.lake))
    output = Format.JSON if json else output
    if action is Action.LIST:
        marts = store.list_marts()
        if not marts:
            raise BadInput("no mart is published yet; run a replay or the demo first")
        if output is Format.TABLE:
            _print_list(marts)
        else:
            _print([_described(mart) for mart in marts], output)
        return
    if name is None:
        known = ", ".join(mart.name for mart in store.list_marts())
        raise BadInput(f"say which mart: {known or 'none is published yet'}")
    is_read_by_a_person = output in {Format.TABLE, Format.RECORD}
    info = store.mart(name)
    names = _asked_for(columns, [column for column, _ in store.columns(name)])
    rows = store.rows(name, limit=SHOWN if limit is None and is_read_by_a_person else limit)
    _print(rows, output, names, info.summary if columns is None else names)
    if is_read_by_a_person and limit is None and info.row_count > len(rows):
        typer.echo(f"{len(rows)} of {info.row_count} rows; --limit shows more", err=True)


def _asked_for(columns: str | None, known: Sequence[str]) -> Sequence[str]:
    """The columns to show.

    Raises:
        BadInput: If there is none of a name.
    """
    from assets.errors import BadInput

    if columns is None:
        return known
    names = [name.strip() for name in columns.split(",") if name.strip()]
    strangers = [name for name in names if name not in known]
    if strangers or not names:
        raise BadInput(
            f"no column {', '.join(strangers) or columns!r}; there are {', '.join(known)}"
        )
    return names


def _print_list(marts: Sequence[MartInfo]) -> None:
    """What a terminal of ordinary width can hold; JSON and CSV have the descriptions as well."""
    rows = [
        {
            "mart": mart.name,
            "owner": mart.owner,
            "rows": mart.row_count,
            "as_of": f"{mart.as_of_at:%Y-%m-%d %H:%MZ}" if mart.as_of_at else None,
        }
        for mart in marts
    ]
    show(rows, ("mart", "owner", "rows", "as_of"))
    for mart in marts:
        if mart.held_reason:
            typer.echo(f"{mart.name} is an older version: {mart.held_reason}")


def _described(mart: MartInfo) -> dict[str, Any]:
    return {
        "name": mart.name,
        "owner": mart.owner,
        "row_count": mart.row_count,
        "as_of_at": mart.as_of_at,
        "published_at": mart.published_at,
        "held_reason": mart.held_reason,
        "description": mart.description,
    }


def _print(
    rows: list[dict[str, Any]],
    output: Format,
    columns: Sequence[str] | None = None,
    summary: Sequence[str] = (),
) -> None:
    names = list(columns if columns is not None else rows[0])
    values = [{name: plain(row[name]) for name in names} for row in rows]
    match output:
        case Format.JSON:
            typer.echo(json_text(values))
        case Format.CSV:
            import csv
            import sys

            writer = csv.DictWriter(sys.stdout, names, lineterminator="\n")
            writer.writeheader()
            writer.writerows(values)
        case Format.RECORD:
            print_records(values, names)
        case Format.TABLE:
            shown = print_table(values, names, summary, terminal_width())
            if len(shown) < len(names):
                typer.echo(
                    f"{len(shown)} of {len(names)} columns; --columns NAME,... shows others,"
                    " --format record all",
                    err=True,
                )
