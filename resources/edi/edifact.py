"""UN/EDIFACT: interchanges taken apart by pydifact, and held to their control totals here."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator, Sequence

from resources.edi.interchange import (
    BrokenInterchange,
    Interchange,
    Message,
    Segment,
    check_count,
    check_reference,
)

_START = re.compile(r"(?:UNA.{6}\s*)?UNB(?=\W)", re.DOTALL)


def split(text: str) -> Iterator[str]:
    """The interchanges of a file, each from its UNA or UNB to before the next one."""
    starts = [found.start() for found in _START.finditer(text)]
    for at, end in zip(starts, [*starts[1:], len(text)], strict=True):
        yield text[at:end]


def read(text: str) -> Interchange:
    """Read one interchange and hold every control total against what is there.

    Raises:
        BrokenInterchange: If one contradicts the content, or a segment is out of place.
    """
    segments = _segments(text)
    header, trailer = segments[0], segments[-1]
    if header.tag != "UNB":
        raise BrokenInterchange(1, header.tag, "the interchange has no header (UNB)")
    if trailer.tag != "UNZ":
        raise BrokenInterchange(trailer.position, trailer.tag, "the interchange has no end (UNZ)")
    messages: list[Message] = []
    position = 1
    while position < len(segments) - 1:
        position = _message(segments, position, messages)
    check_count(trailer, 1, len(messages), "messages")
    check_reference(trailer, 2, header.needed(5))
    return Interchange("edifact", header.needed(2), header.needed(3), header.needed(5), messages)


def _segments(text: str) -> list[Segment]:
    from pydifact.parser import Parser

    with warnings.catch_warnings():
        # It looks for directories of segments that it does not carry.
        warnings.simplefilter("ignore")
        try:
            raw = [one for one in Parser().parse(text) if one.tag != "UNA"]
        except (SyntaxError, ValueError, RuntimeError, IndexError) as error:
            raise BrokenInterchange(1, "UNB", f"cannot be taken apart: {error}") from error
    if not raw:
        raise BrokenInterchange(1, "UNB", "nothing is in it")
    return [
        Segment(
            number,
            one.tag,
            [[element] if isinstance(element, str) else list(element) for element in one.elements],
        )
        for number, one in enumerate(raw, 1)
    ]


def _message(segments: Sequence[Segment], position: int, messages: list[Message]) -> int:
    """Read one message; gives the position after it."""
    header = segments[position]
    if header.tag != "UNH":
        raise BrokenInterchange(header.position, header.tag, "a message (UNH) should begin here")
    end = position + 1
    while end < len(segments) and segments[end].tag not in ("UNT", "UNH", "UNZ"):
        end += 1
    trailer = segments[min(end, len(segments) - 1)]
    if trailer.tag != "UNT":
        raise BrokenInterchange(trailer.position, trailer.tag, "the message has no end (UNT)")
    check_count(trailer, 1, end - position + 1, "segments")
    check_reference(trailer, 2, header.needed(1))
    message = Message(header.needed(2), header.needed(1), segments[position + 1 : end])
    _check_totals(message)
    messages.append(message)
    return end + 1


def _check_totals(message: Message) -> None:
    """Hold the message's control totals (CNT) against its lines."""
    lines = list(message.all("LIN"))
    for total in message.all("CNT"):
        qualifier = total.text(1)
        said = Segment(total.position, total.tag, [[total.text(1, 2)]])
        if qualifier == "2":
            check_count(said, 1, len(lines), "lines")
        elif qualifier == "1":
            quantities = [
                Segment(one.position, one.tag, [[one.text(1, 2)]]).whole_number(1)
                for one in message.all("QTY")
            ]
            check_count(said, 1, sum(quantities), "units in all lines")
