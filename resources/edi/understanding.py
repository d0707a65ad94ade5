"""From the text of a file or request to interchanges, and from one to events and its answer."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

import msgspec

from assets.errors import BadInput
from resources.edi import edifact, x12
from resources.edi.documents import Scope, event_of
from resources.edi.interchange import Interchange, Message


def interchanges(text: str, name: str) -> Iterator[tuple[str, str]]:
    """The standard and the text of each interchange of a file or body.

    Raises:
        BadInput: If it begins like neither standard.
    """
    beginning = text.lstrip("﻿ï»¿ \r\n\t")
    reader: Callable[[str], Iterator[str]]
    if beginning.startswith("ISA"):
        standard, reader = "x12", x12.split
    elif beginning.startswith(("UNA", "UNB")):
        standard, reader = "edifact", edifact.split
    else:
        raise BadInput(f"{name} is neither X12 (it begins with ISA) nor EDIFACT (UNA or UNB)")
    for content in reader(beginning):
        yield standard, content


@dataclass(frozen=True)
class Understood:
    """One sound interchange and the event of each of its messages, in their order."""

    interchange: Interchange
    events: list[tuple[Message, bytes]]

    def answer(self, good: Sequence[Message], us: str, at: datetime) -> str | None:
        """The 997 that says which sets were taken; EDIFACT is not answered."""
        if self.interchange.standard != "x12":
            return None
        digits = "".join(one for one in self.interchange.control_number if one.isdigit())
        return x12.acknowledgement(self.interchange, us, good, int(digits or "0"), at)


def understand(standard: str, content: str, source: str, scope: Scope) -> Understood:
    """Read an interchange as events.

    Raises:
        BrokenInterchange: If its envelope, or a message of it, is not sound.
    """
    interchange = (x12.read if standard == "x12" else edifact.read)(content)
    events = [
        (message, msgspec.json.encode(event_of(interchange, message, source, scope)))
        for message in interchange.messages
    ]
    return Understood(interchange, events)
