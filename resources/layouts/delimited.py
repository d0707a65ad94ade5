"""One delimited text file, judged whole: everything as text, and nothing of a file that is broken.

What the columns mean is the layout's business; here it is only whether the file is all there.
"""

from __future__ import annotations

import codecs
import csv
import gzip
import hashlib
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import IO, cast

import pyarrow as pa
import pyarrow.csv as pa_csv

from assets.errors import BadInput

_GZIP = b"\x1f\x8b"
_ZIP = b"PK\x03\x04"
_WIDE = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_NEITHER = "is neither UTF-8 nor Latin-1 text"
# In this range Latin-1 has control characters only: a byte of it says that the text is another's.
_LATIN_1 = bytes([*range(0x80), *range(0xA0, 0x100)])
# A record has to fit into a block; the longest real one has under 200 bytes.
_BLOCK = 1 << 22
_LONGEST_HEADER = 1 << 16


class FileRefused(BadInput):
    """This file cannot be used, whole; the others can."""


@dataclass(frozen=True)
class TextFile:
    """The chosen columns of one whole file, as dictionary-encoded text, under the layout's names.

    Attributes:
        columns: One row per record, in the file's order.
        digest: Of the unpacked bytes: equal content under another name has an equal digest.
        ends_with_line_break: Whether the last record is known to be all there.
        last_column: The name, as the layout calls it, of the column that a cut would shorten;
            None if the layout did not choose that column.
    """

    columns: pa.Table
    digest: bytes
    ends_with_line_break: bool
    last_column: str | None


class _Content:
    """A file's unpacked bytes as they pass, and what can be seen of them on the way."""

    closed = False

    def __init__(self, stream: IO[bytes], latin_1: bool) -> None:
        self._stream = stream
        self._from_latin_1 = latin_1
        self._decoder = codecs.getincrementaldecoder("utf-8")()
        self._hash = hashlib.blake2b(digest_size=32)
        self.is_utf8 = True
        self.is_latin_1 = True
        self.last_byte = b""
        self.broken: str | None = None

    def read(self, size: int = -1) -> bytes:
        try:
            piece = self._stream.read(size if size > 0 else _BLOCK)
        except (EOFError, OSError, zlib.error) as problem:
            self.broken = why_broken(problem)
            raise
        self._hash.update(piece)
        self.last_byte = piece[-1:] or self.last_byte
        if b"\x00" in piece:
            self.is_utf8 = self.is_latin_1 = False
        if self.is_utf8:
            try:
                self._decoder.decode(piece, final=not piece)
            except UnicodeDecodeError:
                self.is_utf8 = False
        if not self._from_latin_1:
            return piece
        if piece.translate(None, _LATIN_1):
            self.is_latin_1 = False
        return piece.decode("latin-1").encode()

    def close(self) -> None:
        self.closed = True

    @property
    def digest(self) -> bytes:
        return self._hash.digest()


def files_below(path: Path) -> list[Path]:
    """The file itself, or what lies directly in the folder, by name; dot files are the system's.

    Raises:
        BadInput: If there is nothing to read.
    """
    if not path.exists():
        raise BadInput(f"{path} does not exist")
    if not path.is_dir():
        return [path]
    try:
        entries = sorted(path.iterdir())
    except OSError as problem:
        raise BadInput(f"{path} {why_broken(problem)}") from problem
    files = [entry for entry in entries if not entry.is_dir() and not entry.name.startswith(".")]
    if not files:
        raise BadInput(f"{path} holds no files")
    return files


def open_unpacked(path: Path) -> IO[bytes]:
    """Open a file for its bytes, unpacked if they are gzip, whatever its name says.

    Raises:
        FileRefused: If it is empty, cannot be opened, or is a spreadsheet or an archive.
    """
    try:
        with path.open("rb") as stream:
            start = stream.read(4)
        if not start:
            raise FileRefused("is empty")
        if start == _ZIP:
            raise FileRefused("is a spreadsheet or an archive; save it as .csv first")
        if start.startswith(_GZIP):
            return cast(IO[bytes], gzip.open(path, "rb"))
        return path.open("rb")
    except OSError as problem:
        raise FileRefused(why_broken(problem)) from problem


def why_broken(problem: Exception) -> str:
    """Say in one line why a stream of bytes could not be read to its end."""
    if isinstance(problem, (EOFError, gzip.BadGzipFile, zlib.error)):
        return "is a gzip that is cut or damaged"
    return f"cannot be read: {getattr(problem, 'strerror', None) or type(problem).__name__}"


def read_text_file(path: Path, choose: Callable[[list[str]], dict[str, str]]) -> TextFile:
    """Read a comma-separated file whole, UTF-8 or Latin-1, plain or gzip.

    Args:
        path: The file; its name means nothing.
        choose: Given the header's names, which of them the layout wants: its own name → the
            header's. It refuses the file if it cannot.

    Raises:
        FileRefused: If anything about the file as a whole is wrong.
    """
    header = _header(path)
    chosen = choose(header)
    content, result = _read(path, header, chosen, latin_1=False)
    if not content.is_utf8 and content.is_latin_1:
        content, result = _read(path, header, chosen, latin_1=True)
        if not content.is_latin_1:
            raise FileRefused(_NEITHER)
    elif not content.is_utf8:
        raise FileRefused(_NEITHER)
    if isinstance(result, FileRefused):
        raise result
    return result


def _header(path: Path) -> list[str]:
    with open_unpacked(path) as stream:
        try:
            line = stream.readline(_LONGEST_HEADER)
        except (EOFError, OSError, zlib.error) as problem:
            raise FileRefused(why_broken(problem)) from problem
    if line.startswith(_WIDE) or b"\x00" in line:
        raise FileRefused(_NEITHER)
    line = line.removeprefix(codecs.BOM_UTF8)
    try:
        text = line.decode()
    except UnicodeDecodeError:
        text = line.decode("latin-1")
    names = next(csv.reader([text.rstrip("\r\n")]), [])
    if not any(name.strip() for name in names):
        raise FileRefused("has no header")
    return names


def _read(
    path: Path, header: list[str], chosen: dict[str, str], *, latin_1: bool
) -> tuple[_Content, TextFile | FileRefused]:
    ragged: list[pa_csv.InvalidRow] = []

    def remember(row: pa_csv.InvalidRow) -> str:
        ragged.append(row)
        return "error"

    with open_unpacked(path) as stream:
        content = _Content(stream, latin_1)
        try:
            with pa_csv.open_csv(
                pa.PythonFile(content, mode="r"),
                # Without threads the rows of a broken file have numbers, and cores stay free.
                read_options=pa_csv.ReadOptions(use_threads=False, block_size=_BLOCK),
                parse_options=pa_csv.ParseOptions(
                    newlines_in_values=True, invalid_row_handler=remember
                ),
                convert_options=pa_csv.ConvertOptions(
                    column_types={name: pa.dictionary(pa.int32(), pa.string()) for name in header},
                    include_columns=list(chosen.values()),
                    strings_can_be_null=False,
                ),
            ) as reader:
                table = reader.read_all().rename_columns(list(chosen))
        except (pa.ArrowInvalid, pa.ArrowKeyError) as problem:
            return content, FileRefused(content.broken or _why_unparsed(problem, ragged))
        except (EOFError, OSError, zlib.error) as problem:
            return content, FileRefused(content.broken or why_broken(problem))
    if table.num_rows == 0:
        return content, FileRefused("has a header and no rows")
    last = {name: own for own, name in chosen.items()}.get(header[-1])
    ends = content.last_byte in (b"\n", b"\r")
    return content, TextFile(table, content.digest, ends, last)


def _why_unparsed(problem: Exception, ragged: list[pa_csv.InvalidRow]) -> str:
    # Arrow's own message quotes the row; rows do not belong in logs.
    if ragged:
        row = ragged[0]
        return (
            f"row {row.number} has {row.actual_columns} columns instead of "
            f"{row.expected_columns}: the file is cut or damaged"
        )
    if "straddl" in str(problem):
        return "has a quoted field that never ends: the file is cut or damaged"
    return "cannot be read as comma-separated text"
