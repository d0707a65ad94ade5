"""Shopify's API documents in files, one JSON document each, in any order.

What they mean is `resources.channels.shopify`'s to say. A document that no contract takes is
named with its reason, in `FileVerdict` if nothing of the file is taken, else in ``not_taken``.
"""

from __future__ import annotations

import zlib
from datetime import date, datetime
from pathlib import Path
from typing import Any

import msgspec

from resources.channels.shopify.directory import Directory, learn
from resources.channels.shopify.shop import Shop
from resources.channels.shopify.translation import translate
from resources.layouts.delimited import FileRefused, files_below, open_unpacked, why_broken
from resources.layouts.reading import FileVerdict
from resources.layouts.spooled import FileEvents, SpooledReading

NAME = "shopify"
_LARGEST_DOCUMENT = 64 * 1024 * 1024


class Shopify:
    """The layout itself; it has no state."""

    name = NAME

    def read(
        self, path: Path, since: date | None = None, until: date | None = None
    ) -> SpooledReading:
        """Read every document, then translate each with what all of them say.

        Raises:
            BadInput: If the path does not exist or not one file can be used.
        """
        shop = Shop()
        directory = Directory()
        reading = SpooledReading(shop.zone, since, until)
        documents: list[tuple[Path, Any]] = []
        for file_path in files_below(path):
            try:
                document = _document(file_path)
            except FileRefused as refusal:
                reading.files.append(FileVerdict(file_path, 0, str(refusal)))
                continue
            learn(document, directory)
            documents.append((file_path, document))
        for file_path, document in documents:
            reading.files.append(_take(reading, file_path, document, shop, directory))
        reading.files.sort(key=lambda verdict: verdict.path)
        reading.settle()
        return reading


def _document(path: Path) -> Any:
    try:
        with open_unpacked(path) as stream:
            text = stream.read(_LARGEST_DOCUMENT + 1)
    except (EOFError, OSError, zlib.error) as problem:
        raise FileRefused(why_broken(problem)) from problem
    if len(text) > _LARGEST_DOCUMENT:
        raise FileRefused("is larger than any document of the API")
    try:
        return msgspec.json.decode(text)
    except (ValueError, RecursionError) as problem:
        raise FileRefused("is not a JSON document, or is cut") from problem


def _take(
    reading: SpooledReading, path: Path, document: Any, shop: Shop, directory: Directory
) -> FileVerdict:
    translation = translate(document, shop, directory)
    reading.not_taken += [(path, reason) for reason in translation.not_taken]
    rows = len(translation.envelopes)
    if not rows:
        reasons = "; ".join(translation.not_taken) or "the document holds nothing"
        return FileVerdict(path, 0, f"not taken: {reasons}")
    held = FileEvents()
    for number, envelope in enumerate(translation.envelopes, start=1):
        is_order = envelope["type"] == "retail.order.placed.v1"
        reading.add(
            held,
            time=datetime.fromisoformat(envelope["time"]),
            source=envelope["source"],
            event_id=envelope["id"],
            event_type=envelope["type"],
            order_lines=len(envelope["data"]["lines"]) if is_order else 0,
            body=msgspec.json.encode(envelope),
            position=f"{path.name}[{number}]",
        )
    reading.commit(held)
    return FileVerdict(path, rows)
