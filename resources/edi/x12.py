"""ANSI X12: interchanges read with their control totals, 850 and 997 written.

The envelope is that of X12.5 and X12.6 (version 004010); what is in a set, `documents` knows.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from assets.commerce.identifiers import identify
from assets.commerce.money import to_ten_thousandths, to_text
from resources.edi.interchange import (
    BrokenInterchange,
    Interchange,
    Message,
    Segment,
    check_count,
    check_reference,
)

#: The header has a fixed length, and its own text says what separates everything else.
_HEADER_LENGTH = 106
_ELEMENT_AT, _COMPONENT_AT, _END_AT = 3, 104, 105
_VERSION = "00401"
_GROUP_VERSION = "004010"
_NOT_ALLOWED = re.compile(r"[*~>^\r\n]")


def split(text: str) -> Iterator[str]:
    """The interchanges of a file, each from its ISA to before the next one."""
    starts = [found.start() for found in re.finditer(r"ISA(?=[^A-Za-z0-9])", text)]
    # ISA within a line of text is no header: a header comes first or after a segment's end.
    starts = [at for at in starts if at == 0 or text[:at].rstrip()[-1:] not in ("", "*")]
    for at, end in zip(starts, [*starts[1:], len(text)], strict=True):
        yield text[at:end]


def read(text: str) -> Interchange:
    """Read one interchange and hold every control total against what is there.

    Raises:
        BrokenInterchange: If one contradicts the content, or a segment is out of place.
    """
    segments = _segments(text)
    header, trailer = segments[0], segments[-1]
    if trailer.tag != "IEA":
        raise BrokenInterchange(trailer.position, trailer.tag, "the interchange has no end (IEA)")
    messages: list[Message] = []
    groups = 0
    position = 1
    while position < len(segments) - 1:
        position = _group(segments, position, messages)
        groups += 1
    check_count(trailer, 1, groups, "groups")
    check_reference(trailer, 2, header.text(13))
    return Interchange("x12", header.text(6), header.text(8), header.text(13), messages)


def _segments(text: str) -> list[Segment]:
    if len(text) < _HEADER_LENGTH or not text.startswith("ISA"):
        raise BrokenInterchange(1, "ISA", "the header is shorter than 106 characters")
    element, component, end = text[_ELEMENT_AT], text[_COMPONENT_AT], text[_END_AT]
    if element.isalnum() or end.isalnum():
        raise BrokenInterchange(1, "ISA", "the header is not 106 characters long")
    found: list[Segment] = []
    for number, raw in enumerate(text.split(end), 1):
        stripped = raw.strip("\r\n ")
        if stripped:
            tag, *elements = stripped.split(element)
            # The header's last element is the component separator itself.
            parts = [[one] if number == 1 else one.split(component) for one in elements]
            found.append(Segment(len(found) + 1, tag, parts))
    if len(found[0].elements) != 16:
        raise BrokenInterchange(1, "ISA", "the header has not 16 elements")
    return found


def _group(segments: Sequence[Segment], position: int, messages: list[Message]) -> int:
    """Read one functional group; gives the position after it."""
    header = segments[position]
    if header.tag != "GS":
        raise BrokenInterchange(header.position, header.tag, "a group (GS) should begin here")
    position += 1
    sets = 0
    while segments[position].tag != "GE":
        if position >= len(segments) - 1:
            last = segments[position]
            raise BrokenInterchange(last.position, last.tag, "the group has no end (GE)")
        position = _set(segments, position, header, messages)
        sets += 1
    trailer = segments[position]
    check_count(trailer, 1, sets, "sets")
    check_reference(trailer, 2, header.text(6))
    return position + 1


def _set(
    segments: Sequence[Segment], position: int, group: Segment, messages: list[Message]
) -> int:
    header = segments[position]
    if header.tag != "ST":
        raise BrokenInterchange(header.position, header.tag, "a set (ST) should begin here")
    end = position + 1
    while end < len(segments) and segments[end].tag not in ("SE", "ST", "GE", "IEA"):
        end += 1
    trailer = segments[end]
    if trailer.tag != "SE":
        raise BrokenInterchange(trailer.position, trailer.tag, "the set has no end (SE)")
    check_count(trailer, 1, end - position + 1, "segments")
    check_reference(trailer, 2, header.text(2))
    message = Message(
        header.needed(1),
        header.needed(2),
        segments[position + 1 : end],
        group.text(6),
        group.text(1),
    )
    _check_hash(message)
    messages.append(message)
    return end + 1


#: Where a line's quantity is, for the hash total of CTT02.
_QUANTITY_OF = {"PO1": 2, "IT1": 2, "SN1": 2}


def _check_hash(message: Message) -> None:
    """Hold the transaction totals against the lines: their number, and the sum of quantities."""
    totals = message.first("CTT")
    if totals is None:
        return
    lines = [one for one in message.segments if one.tag in _QUANTITY_OF]
    # Of a despatch advice the number of levels is told.
    levels = list(message.all("HL"))
    check_count(totals, 1, len(levels) or len(lines), "lines")
    if totals.text(2):
        quantities = (one.whole_number(_QUANTITY_OF[one.tag]) for one in lines)
        check_count(totals, 2, sum(quantities), "units in all lines")


# Out


def control_number(purchase_order_id: str, version: int) -> int:
    """The control number of an order's 850: the same whenever the same version is sent."""
    return identify("850", purchase_order_id, str(version)).int % 999_999_999 + 1


def is_accepted(answer: Interchange, control: int) -> bool:
    """Whether a 997 takes the group that we sent under a control number.

    Raises:
        BrokenInterchange: If it is no 997, or about another group.
    """
    for message in answer.messages:
        if message.kind == "997":
            about = message.one("AK1")
            if about.needed(2).lstrip("0") == str(control):
                return message.one("AK9").needed(1) in ("A", "E")
    raise BrokenInterchange(1, "ISA", f"no 997 about group {control}")


def purchase_order(order: Mapping[str, Any], us: str, control: int, at: datetime) -> str:
    """A purchase order as an 850.

    Args:
        order: ``purchase_order_id``, ``supplier_id``, ``node_id``, ``currency`` and ``lines``, each
            with ``purchase_order_line_id``, ``sku``, ``quantity``, ``unit_price`` (text) and
            ``due_at``; ``version`` where it is not the first, ``status`` where it is ``closed``.
        us: Our identity.
        control: Control number of the interchange, of its group and set.
        at: When it is sent.

    Raises:
        ValueError: If a text has a separator in it, which X12 cannot escape.
    """
    lines = order["lines"]
    units = sum(line["quantity"] for line in lines)
    # A later version replaces the order, as an original it would be a second one; or it cancels.
    purpose = "00" if order.get("version", 1) == 1 else "05"
    if order.get("status") == "closed":
        purpose = "01"
    body = [
        ["BEG", purpose, "SA", order["purchase_order_id"], "", f"{at:%Y%m%d}"],
        ["CUR", "BY", order["currency"]],
        ["N1", "ST", order["node_id"], "92", order["node_id"]],
    ]
    for line in lines:
        price = f"{Decimal(to_text(to_ten_thousandths(line['unit_price']))):f}"
        body.append(
            [
                "PO1",
                line["purchase_order_line_id"],
                str(line["quantity"]),
                "EA",
                price,
                "",
                "SK",
                line["sku"],
            ]
        )
        due = line["due_at"]
        day = due if isinstance(due, datetime) else datetime.fromisoformat(due)
        body.append(["DTM", "002", f"{day.astimezone(UTC):%Y%m%d}"])
    body.append(["CTT", str(len(lines)), str(units)])
    return _written("PO", us, order["supplier_id"], control, at, [("850", body)])


def acknowledgement(
    received: Interchange, us: str, accepted: Iterable[Message], control: int, at: datetime
) -> str:
    """A 997 for every group of an interchange: which sets were taken, and which were not.

    Args:
        received: What came; of one whose envelope is broken nothing can be acknowledged.
        us: Our identity.
        accepted: Sets that were taken.
        control: Our control number.
        at: When it is sent.
    """
    taken = {(one.group, one.reference) for one in accepted}
    groups: dict[str, list[Message]] = {}
    for message in received.messages:
        groups.setdefault(message.group, []).append(message)
    sets = []
    for group, messages in groups.items():
        body = [["AK1", messages[0].functional_code, group]]
        for message in messages:
            is_taken = (group, message.reference) in taken
            body.append(["AK2", message.kind, message.reference])
            # 5: one or more segments in error.
            body.append(["AK5", "A"] if is_taken else ["AK5", "R", "5"])
        good = sum((group, one.reference) in taken for one in messages)
        code = "A" if good == len(messages) else "P" if good else "R"
        count = str(len(messages))
        body.append(["AK9", code, count, count, str(good)])
        sets.append(("997", body))
    return _written("FA", us, received.sender, control, at, sets)


def _written(
    functional_code: str,
    sender: str,
    receiver: str,
    control: int,
    at: datetime,
    sets: Sequence[tuple[str, Sequence[Sequence[str]]]],
) -> str:
    number = f"{control:09d}"
    parties = ["ZZ", f"{sender:<15}", "ZZ", f"{receiver:<15}"]
    sent = [f"{at:%y%m%d}", f"{at:%H%M}"]
    nobody = ["00", " " * 10]
    group = [functional_code, sender, receiver, f"{at:%Y%m%d}", f"{at:%H%M}", str(control)]
    rows = [
        ["ISA", *nobody, *nobody, *parties, *sent, "U", _VERSION, number, "0", "P", ">"],
        ["GS", *group, "X", _GROUP_VERSION],
    ]
    for place, (kind, body) in enumerate(sets, 1):
        reference = f"{place:04d}"
        rows.append(["ST", kind, reference])
        rows += [list(row) for row in body]
        rows.append(["SE", str(len(body) + 2), reference])
    rows.append(["GE", str(len(sets)), str(control)])
    rows.append(["IEA", "1", number])
    for row in rows[1:]:
        for value in row:
            if _NOT_ALLOWED.search(value):
                raise ValueError(f"{row[0]}: {value!r} has a separator of X12 in it")
    if len(sender) > 15 or len(receiver) > 15:
        raise ValueError("an identity in X12 has 15 characters at most")
    return "".join("*".join(row) + "~\n" for row in rows)
