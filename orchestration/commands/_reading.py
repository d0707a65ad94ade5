"""What commands share that look at the operational store and print what they find."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING, Any

from orchestration.commands._opening import existing_home, home_with_database, json_text, plain
from orchestration.commands._table_view import print_table, terminal_width

if TYPE_CHECKING:
    import sqlalchemy as sa

    from orchestration.home import Home
    from resources.operational_store.store import OperationalStore


@contextmanager
def home_store() -> Iterator[tuple[Home, OperationalStore]]:
    """A home that exists, and its operational store with the home's own policies and time.

    Raises:
        BadInput: If there is no home: a question must not make one.
    """
    from assets.errors import BadInput
    from resources.operational_store.store import (
        OperationalStore,
        SimulatedClock,
        create_engine,
        read_clock,
    )
    from resources.policy_book import FilePolicyBook

    if existing_home() is None:
        raise BadInput("there is no home here yet; `omniflow up` or a replay makes one")
    home = home_with_database()
    engine = create_engine(home.database_url)
    store = OperationalStore(engine, policies=FilePolicyBook(home.policies))
    try:
        with store.transaction() as connection:
            held = read_clock(connection)
        if held is not None and held[0] == "simulated":
            store.clock = SimulatedClock(held[1])
        yield home, store
    finally:
        store.engine.dispose()


@contextmanager
def stored() -> Iterator[sa.Connection]:
    """A transaction on the operational store of a home that exists.

    Raises:
        BadInput: If there is no home.
    """
    with home_store() as (_, store), store.transaction() as connection:
        yield connection


#: Rows that a person is shown of a list; JSON has them all.
SHOWN = 50


def report_list(items: Sequence[Mapping[str, Any]]) -> None:
    """Print a list for a program."""
    sys.stdout.write(json_text(list(items)) + "\n")


def show(rows: Sequence[Mapping[str, Any]], columns: Sequence[str]) -> None:
    """Print a report's rows for a person: few short columns, all of them at any width."""
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    for column in columns:
        table.add_column(column.replace("_", " "), overflow="fold")
    for row in rows:
        # What partners sent may look like markup.
        table.add_row(*("" if row[name] is None else escape(str(row[name])) for name in columns))
    Console().print(table)


def show_first(
    rows: Sequence[Mapping[str, Any]],
    names: Sequence[str],
    summary: Sequence[str] = (),
    text: str | None = None,
) -> None:
    """Print the first rows of a list for a person, and how many there are where that is not all.

    Args:
        rows: By column.
        names: The columns.
        summary: Those to show where not all fit, the most telling ones; by default the first.
        text: A column of words, which may go over several lines.
    """
    first = [{name: _shown(row[name]) for name in names} for row in rows[:SHOWN]]
    shown = print_table(first, names, summary or names, terminal_width(), text)
    unseen = [f"{len(shown)} of {len(names)} columns"] if len(shown) < len(names) else []
    unseen += [f"the first {SHOWN} of {len(rows)} rows"] if len(rows) > SHOWN else []
    if unseen:
        sys.stderr.write(f"{' and '.join(unseen)}; --json has all\n")


def _shown(value: Any) -> Any:
    """A person needs no fractions of a second."""
    return plain(value.replace(microsecond=0) if isinstance(value, datetime) else value)
