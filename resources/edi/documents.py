"""What a set or message says, as one of our events: 855, 856, 810, DESADV and INVOIC."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from assets.commerce.identifiers import identify
from resources.edi.interchange import BrokenInterchange, Interchange, Message, Segment

#: What an 855 says of a line (ACK01).
_LINE_STATUS = {
    "IA": "accepted",
    "IB": "changed",
    "IC": "changed",
    "ID": "changed",
    "IP": "changed",
    "IQ": "changed",
    "IR": "rejected",
    "R1": "rejected",
}
_FREIGHT = ("D240", "G821")
_CENTS = Decimal(100)


@dataclass(frozen=True)
class Scope:
    """Whose business a supplier's message is: the envelope says nothing of it."""

    legal_entity: str
    brand: str
    region: str
    channel: str


def event_of(
    interchange: Interchange, message: Message, source: str, scope: Scope
) -> dict[str, Any]:
    """The CloudEvent of a message, with an id of its own: the same again is the same event.

    Raises:
        BrokenInterchange: If the message lacks something, or is of a kind that nobody takes.
    """
    translate = _KINDS.get((interchange.standard, message.kind))
    if translate is None:
        first = message.segments[0] if message.segments else Segment(1, "ST", [])
        raise BrokenInterchange(first.position, first.tag, f"nobody takes a {message.kind}")
    event_type, subject, occurred_at, data = translate(interchange, message)
    key = (
        interchange.standard,
        interchange.sender,
        interchange.control_number,
        message.group,
        message.reference,
    )
    return {
        "specversion": "1.0",
        "id": str(identify("edi", *key)),
        "source": source,
        "type": event_type,
        "subject": subject,
        "time": occurred_at.isoformat(),
        "legalentity": scope.legal_entity,
        "brand": scope.brand,
        "region": scope.region,
        "channel": scope.channel,
        "correlationid": str(identify("edi", subject)),
        "data": data,
    }


Told = tuple[str, str, datetime, dict[str, Any]]


def _day(segment: Segment, text: str, clock: str = "") -> datetime:
    """A date as both standards write it, UTC; without a time it is noon."""
    digits = text[:12]
    if len(digits) == 8:
        digits += clock[:4] if len(clock) >= 4 else "1200"
    try:
        return datetime.strptime(digits, "%Y%m%d%H%M").replace(tzinfo=UTC)
    except ValueError as error:
        raise BrokenInterchange(segment.position, segment.tag, f"no date: {text[:20]}") from error


def _amount(segment: Segment, text: str, is_cents: bool = False) -> Decimal:
    try:
        value = Decimal(text)
    except InvalidOperation as error:
        raise BrokenInterchange(segment.position, segment.tag, f"no amount: {text[:20]}") from error
    return value / _CENTS if is_cents else value


def _plain(value: Decimal) -> str:
    return f"{value.normalize():f}"


def _rate(currency: Segment) -> dict[str, str]:
    """The rate of the day, where there is one: CUR03 of X12 and 5402 of CUX are both third."""
    text = currency.text(3)
    return {"exchange_rate": _plain(_amount(currency, text))} if text else {}


# X12


def _acknowledgement_855(interchange: Interchange, message: Message) -> Told:
    head = message.one("BAK")
    order = head.needed(3)
    at = _day(head, head.needed(4))
    lines: list[dict[str, Any]] = []
    for segment in message.segments:
        if segment.tag == "PO1":
            lines.append(
                {
                    "purchase_order_line_id": segment.needed(1),
                    "status": "accepted",
                    "quantity": segment.whole_number(2),
                }
            )
        elif segment.tag == "ACK":
            if not lines:
                raise BrokenInterchange(segment.position, "ACK", "it is of no line (PO1)")
            code = segment.needed(1)
            if code not in _LINE_STATUS:
                raise BrokenInterchange(segment.position, "ACK", f"unknown status {code}")
            line = lines[-1]
            line["status"] = _LINE_STATUS[code]
            if line["status"] == "rejected":
                line["quantity"] = 0
            elif segment.text(2):
                line["quantity"] = segment.whole_number(2)
            if segment.text(5):
                line["promised_at"] = _day(segment, segment.text(5)).isoformat()
    data = {
        "document_number": f"{order}/{interchange.control_number}/{message.reference}",
        "purchase_order_id": order,
        "supplier_id": interchange.sender,
        "lines": lines,
    }
    return "retail.purchase_order.acknowledged.v1", order, at, data


def _despatch_856(interchange: Interchange, message: Message) -> Told:
    head = message.one("BSN")
    order = message.one("PRF").needed(1)
    place = message.one("N1", "ST")
    expected = message.one("DTM", "017")
    lines: list[dict[str, Any]] = []
    for number, shipped in enumerate(message.all("SN1"), 1):
        lines.append(
            {
                "line_number": number,
                "purchase_order_line_id": shipped.needed(1),
                "quantity": shipped.whole_number(2),
            }
        )
    data = {
        "document_number": head.needed(2),
        "purchase_order_id": order,
        "supplier_id": interchange.sender,
        "node_id": place.needed(4),
        "expected_at": _day(expected, expected.needed(2), expected.text(3)).isoformat(),
        "lines": lines,
    }
    at = _day(head, head.needed(3), head.text(4))
    return "retail.goods.despatched.v1", order, at, data


def _invoice_810(interchange: Interchange, message: Message) -> Told:
    head = message.one("BIG")
    order = head.text(4) or None
    currency = message.one("CUR")
    lines: list[dict[str, Any]] = []
    for number, line in enumerate(message.all("IT1"), 1):
        lines.append(
            {
                "line_number": number,
                **({"purchase_order_line_id": line.text(1)} if line.text(1) else {}),
                "quantity": line.whole_number(2),
                "unit_price": _plain(_amount(line, line.needed(4))),
            }
        )
    freight = sum(
        (
            _amount(one, one.needed(5), is_cents=True)
            for one in message.all("SAC")
            if one.text(1) == "C" and one.text(2) in _FREIGHT
        ),
        Decimal(0),
    )
    tax = sum((_amount(one, one.needed(2)) for one in message.all("TXI")), Decimal(0))
    total = message.one("TDS")
    # A credit memo is told by the kind of transaction.
    kind = "credit_note" if head.text(7) in ("CR", "CN") else "invoice"
    data = {
        "invoice_number": head.needed(2),
        "kind": kind,
        "supplier_id": interchange.sender,
        **({"purchase_order_id": order} if order else {}),
        "currency": currency.needed(2),
        **_rate(currency),
        "freight_amount": _plain(freight),
        "tax_amount": _plain(tax),
        "total_amount": _plain(_amount(total, total.needed(1), is_cents=True)),
        "lines": lines,
    }
    at = _day(head, head.needed(1))
    return "retail.supplier_invoice.received.v1", head.needed(2), at, data


# EDIFACT


def _moment(message: Message, qualifier: str) -> datetime:
    found = next((one for one in message.all("DTM") if one.text(1) == qualifier), None)
    if found is None:
        last = message.segments[-1]
        raise BrokenInterchange(last.position, last.tag, f"{message.kind} without DTM {qualifier}")
    return _day(found, found.needed(1, 2))


def _reference(message: Message, qualifier: str) -> str | None:
    found = (one.text(1, 2) for one in message.all("RFF") if one.text(1) == qualifier)
    return next(found, None)


def _lines(message: Message, quantity_qualifier: str) -> list[dict[str, Any]]:
    """Each line with what stands between it and the next one."""
    lines: list[dict[str, Any]] = []
    for segment in message.segments:
        if segment.tag == "LIN":
            lines.append(
                {"line_number": len(lines) + 1, "purchase_order_line_id": segment.needed(1)}
            )
        elif segment.tag == "UNS":
            break
        elif lines and segment.tag == "QTY" and segment.text(1) == quantity_qualifier:
            one = Segment(segment.position, segment.tag, [[segment.text(1, 2)]])
            lines[-1]["quantity"] = one.whole_number(1)
        elif lines and segment.tag == "PRI":
            lines[-1]["unit_price"] = _plain(_amount(segment, segment.needed(1, 2)))
    for line in lines:
        if "quantity" not in line:
            last = message.segments[-1]
            said = f"line {line['purchase_order_line_id']} has no quantity ({quantity_qualifier})"
            raise BrokenInterchange(last.position, last.tag, said)
    return lines


def _needed_reference(message: Message, qualifier: str) -> str:
    found = _reference(message, qualifier)
    if not found:
        last = message.segments[-1]
        raise BrokenInterchange(last.position, last.tag, f"{message.kind} without RFF {qualifier}")
    return found


def _despatch_desadv(interchange: Interchange, message: Message) -> Told:
    order = _needed_reference(message, "ON")
    place = message.one("NAD", "DP")
    lines = [
        {name: value for name, value in line.items() if name != "unit_price"}
        for line in _lines(message, "12")
    ]
    data = {
        "document_number": message.one("BGM").needed(2),
        "purchase_order_id": order,
        "supplier_id": interchange.sender,
        "node_id": place.needed(2),
        "expected_at": _moment(message, "17").isoformat(),
        "lines": lines,
    }
    return "retail.goods.despatched.v1", order, _moment(message, "137"), data


def _invoice_invoic(interchange: Interchange, message: Message) -> Told:
    head = message.one("BGM")
    currency = message.one("CUX")
    amounts = {
        one.text(1): _amount(one, one.needed(1, 2))
        for one in message.all("MOA")
        if one.text(1) in ("77", "9", "124", "64")
    }
    total = amounts.get("77", amounts.get("9"))
    if total is None:
        raise BrokenInterchange(head.position, head.tag, "INVOIC without its total (MOA 77)")
    order = _reference(message, "ON")
    data = {
        "invoice_number": head.needed(2),
        "kind": "credit_note" if head.text(1) == "381" else "invoice",
        "supplier_id": interchange.sender,
        **({"purchase_order_id": order} if order else {}),
        "currency": currency.needed(1, 2),
        **_rate(currency),
        "freight_amount": _plain(amounts.get("64", Decimal(0))),
        "tax_amount": _plain(amounts.get("124", Decimal(0))),
        "total_amount": _plain(total),
        "lines": _lines(message, "47"),
    }
    at = _moment(message, "137")
    return "retail.supplier_invoice.received.v1", head.needed(2), at, data


_KINDS: Mapping[tuple[str, str], Callable[[Interchange, Message], Told]] = {
    ("x12", "855"): _acknowledgement_855,
    ("x12", "856"): _despatch_856,
    ("x12", "810"): _invoice_810,
    ("edifact", "DESADV"): _despatch_desadv,
    ("edifact", "INVOIC"): _invoice_invoic,
}
