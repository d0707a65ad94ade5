"""Commands to partners who speak X12: an order goes as an 850, and its 997 says what became."""

from __future__ import annotations

from datetime import datetime

import httpx
import msgspec

from assets.errors import PartnerRejected, PartnerUnavailable
from resources.edi import x12
from resources.edi.interchange import BrokenInterchange
from resources.http import exchange
from resources.partners import Partner

CONTENT_TYPE = "application/edi-x12"
#: The one command that has a document.
_ORDER = "purchase_order.send"


def send_interchange(
    session: httpx.Client,
    partner: Partner,
    command_id: str,
    command_type: str,
    payload: bytes,
    at: datetime,
) -> bool:
    """Send a command as an interchange; gives whether its group was accepted.

    Raises:
        PartnerRejected: If it cannot be written, or is refused as a whole.
        PartnerUnavailable: If nothing that is understood comes back: whether it was taken is not
            known, and the same interchange is sent again.
    """
    if command_type != _ORDER:
        raise PartnerRejected(partner.code, f"X12 has no document for {command_type}")
    order = msgspec.json.decode(payload)
    control = x12.control_number(order["purchase_order_id"], order["version"])
    try:
        text = x12.purchase_order(order, partner.our_identity, control, at)
    except ValueError as error:
        raise PartnerRejected(partner.code, f"cannot be written as X12: {error}") from error
    headers = {"content-type": CONTENT_TYPE, "idempotency-key": command_id}
    url = partner.url("interchanges")
    request = session.build_request("POST", url, content=text.encode("ascii"), headers=headers)
    answer = exchange(session, partner.code, request).content
    try:
        return x12.is_accepted(x12.read(answer.decode("latin-1")), control)
    except BrokenInterchange as error:
        raise PartnerUnavailable(partner.code, f"answer not understood: {error.reason}") from error
