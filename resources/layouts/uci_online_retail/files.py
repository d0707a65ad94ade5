"""The files: whether each is one of this layout, and its rows as numbers of texts.

What the texts mean is not known here.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa

from resources.layouts.delimited import FileRefused, files_below, read_text_file
from resources.layouts.uci_online_retail.declaration import NAME, declaration
from resources.layouts.uci_online_retail.values import Codes, Lexicon

# Our names of the columns, in the order of the public files, and how headers spell them.
COLUMNS: dict[str, tuple[str, ...]] = {
    "InvoiceNo": ("invoiceno", "invoice"),
    "StockCode": ("stockcode",),
    "Description": ("description",),
    "Quantity": ("quantity",),
    "InvoiceDate": ("invoicedate",),
    "UnitPrice": ("unitprice", "price"),
    "CustomerID": ("customerid",),
    "Country": ("country",),
}

# Two parts of one year may be equal by chance while they are small; nobody trades a hundred equal
# lines twice in the same order, but files are copied beside themselves every day.
_ROWS_OF_A_COPY = 100


def choose_columns(header: list[str]) -> dict[str, str]:
    """Find our columns in a header of any order.

    Raises:
        FileRefused: If one is missing or there twice, or it is another layout's header.
    """
    found: dict[str, list[str]] = defaultdict(list)
    for name in header:
        plain = name.strip().lower().replace(" ", "").replace("_", "")
        for column, spellings in COLUMNS.items():
            if plain in spellings:
                found[column].append(name)
    if len(found) < len(COLUMNS) // 2:
        raise FileRefused(f"is not of the layout {NAME}: its header has other columns")
    missing = [column for column in COLUMNS if column not in found]
    if missing:
        raise FileRefused(f"has no column {', '.join(missing)}")
    twice = [column for column, names in found.items() if len(names) > 1]
    if twice or len(set(header)) < len(header):
        raise FileRefused(f"has a column twice: {', '.join(twice) or 'in its header'}")
    return {column: found[column][0] for column in COLUMNS}


@dataclass
class File:
    """One file's rows as text numbers by column, or why there are none."""

    path: Path
    rows: int = 0
    codes: dict[str, Codes] = field(default_factory=dict)
    refused_because: str | None = None

    def refuse(self, because: str) -> None:
        """Use nothing of it, for this reason."""
        self.codes, self.refused_because = {}, because


def read_files(path: Path) -> tuple[list[File], dict[str, list[str]]]:
    """Read every file below ``path`` once and judge each whole.

    Returns:
        The files, refused ones among them, and by column the distinct texts of all of them.

    Raises:
        BadInput: If the path does not exist.
    """
    lexicons = {column: Lexicon() for column in COLUMNS}
    files = []
    digests: dict[bytes, Path] = {}
    for file_path in files_below(path):
        file = File(file_path)
        files.append(file)
        try:
            _scan(file, lexicons, digests)
        except FileRefused as refusal:
            file.refuse(str(refusal))
    return files, {column: lexicon.texts for column, lexicon in lexicons.items()}


def _scan(file: File, lexicons: Mapping[str, Lexicon], digests: dict[bytes, Path]) -> None:
    text = read_text_file(file.path, choose_columns)
    file.rows = text.columns.num_rows
    if not text.ends_with_line_break:
        _check_last_row(text.columns, text.last_column)
    if file.rows >= _ROWS_OF_A_COPY:
        first = digests.setdefault(text.digest, file.path)
        if first != file.path:
            raise FileRefused(f"has the same content as {first.name}")
    file.codes = {
        column: lexicon.encode(text.columns[column]) for column, lexicon in lexicons.items()
    }


def _check_last_row(columns: pa.Table, last_column: str | None) -> None:
    """Without a line break at its end a file may have lost some of its last value."""
    if last_column != "Country":
        raise FileRefused(
            "does not end with a line break, so that its last value may be cut; add one if it is "
            "all there"
        )
    country = columns["Country"][-1].as_py().strip()
    if country not in declaration().countries:
        raise FileRefused("ends within its last row: the file is cut")
