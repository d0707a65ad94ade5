"""Rows for a person: whole where the terminal is wide enough, else what matters most."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

GAP = 2
#: The least room in which a text can be read that goes over several lines.
LEAST_TEXT = 24


def terminal_width() -> int | None:
    """Columns of the terminal that is written to; nothing where a file or another program reads."""
    import shutil

    return shutil.get_terminal_size().columns if sys.stdout.isatty() else None


def print_records(rows: Sequence[Mapping[str, Any]], names: Sequence[str]) -> None:
    """One block a row, one line a column: readable at any width."""
    widest = max(map(len, names))
    for number, row in enumerate(rows, start=1):
        sys.stdout.write(f"{'' if number == 1 else chr(10)}{number}\n")
        for name in names:
            sys.stdout.write(f"  {name:<{widest}}  {_text(row[name])}".rstrip() + "\n")


def print_table(
    rows: Sequence[Mapping[str, Any]],
    names: Sequence[str],
    summary: Sequence[str],
    width: int | None,
    text: str | None = None,
) -> Sequence[str]:
    """One line a row.

    Args:
        rows: By column.
        names: The columns that are asked for.
        summary: Those to show where not all fit, the most telling ones.
        width: Of the terminal; nothing is cut where there is none, since a line that is too long
            can be scrolled (``less -S``) and a cell cut in pieces cannot be read.
        text: A column of words, which may go over several lines at the end of each row.

    Returns:
        The columns that are shown.
    """
    if width is None or _width(rows, names, folded=False) <= width:
        _print(rows, names, folded=False)
        return list(names)
    wanted = [name for name in summary if name in names] or names
    if text is None:
        shown = _fitting(rows, wanted, width)
        _print(rows, shown, folded=len(shown) < len(names))
        return shown
    longest = _width(rows, [text], folded=True)
    left = width - GAP - min(longest, LEAST_TEXT)
    everything = [name for name in names if name != text]
    if _width(rows, everything, folded=True) <= left:
        shown = everything
    else:
        shown = _fitting(rows, [name for name in wanted if name != text], left)
    room = max(LEAST_TEXT, width - GAP - _width(rows, shown, folded=True))
    _print(rows, [*shown, text], folded=True, room={text: min(longest, room)})
    return [*shown, text]


def _fitting(rows: Sequence[Mapping[str, Any]], names: Sequence[str], width: int) -> list[str]:
    """The first columns that fit, and one at least."""
    for count in range(len(names), 1, -1):
        if _width(rows, names[:count], folded=True) <= width:
            return list(names[:count])
    return list(names[:1])


def _width(rows: Sequence[Mapping[str, Any]], names: Sequence[str], *, folded: bool) -> int:
    columns = (
        max(
            *map(len, _heading(name, rows, folded=folded).split("\n")),
            *(len(_text(row[name])) for row in rows),
            0,
        )
        for name in names
    )
    return sum(columns) + GAP * (len(names) - 1)


def _heading(name: str, rows: Sequence[Mapping[str, Any]], *, folded: bool) -> str:
    """A column's name, over several lines where it is wider than what it heads."""
    if not folded:
        return name
    words = name.split("_")
    room = max(*(len(_text(row[name])) for row in rows), *(len(word) + 1 for word in words))
    lines = [words[0]]
    for word in words[1:]:
        if len(lines[-1]) + 1 + len(word) < room:
            lines[-1] += f"_{word}"
        else:
            lines[-1] += "_"
            lines.append(word)
    return "\n".join(lines)


def _print(
    rows: Sequence[Mapping[str, Any]],
    names: Sequence[str],
    *,
    folded: bool,
    room: Mapping[str, int] = MappingProxyType({}),
) -> None:
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    table = Table(box=None, pad_edge=False, padding=(0, GAP, 0, 0))
    for name in names:
        is_number = any(isinstance(row[name], int) for row in rows)
        table.add_column(
            _heading(name, rows, folded=folded),
            justify="right" if is_number else "left",
            vertical="bottom" if not room else "top",
            no_wrap=name not in room,
            width=room.get(name),
            overflow="fold",
        )
    for row in rows:
        table.add_row(*(escape(_text(row[name])) for name in names))
    Console(width=10_000).print(table)


def _text(value: Any) -> str:
    return "" if value is None else str(value)
