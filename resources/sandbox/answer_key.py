"""The answer key: which faults were injected, and what a sound product makes of each.

It lies in the sandbox's own folder and is for the scorer alone. No request reads it, and nothing
that the sandbox says gives it away. What was written is never written again, so it is also the
sandbox's memory of the faults that strike once.
"""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Literal

import msgspec

from assets.commerce.identifiers import identify_text
from resources.sandbox.append_only import AppendOnlyFile

FILE = "answer_key.jsonl"
ABSORBED = "absorbed"


class Outcome(msgspec.Struct, frozen=True):
    """What is to become of a fault; ``code`` is the reason of a quarantine or the type of a case.

    Written as ``absorbed``, ``quarantined:missing_field`` or ``case:carrier_silence``.
    """

    kind: Literal["absorbed", "quarantined", "case"]
    code: str = ""

    @classmethod
    def parse(cls, text: str) -> Outcome:
        """The outcome that a text names.

        Raises:
            msgspec.ValidationError: If it is none.
        """
        kind, _, code = text.partition(":")
        return msgspec.convert({"kind": kind, "code": code}, cls)


class Drift(msgspec.Struct, frozen=True):
    """What snapshots show of a fault: units (each, signed) that are to get one reason.

    Another error may hide them for a day; what lasts for longer is seen on one of its days.

    Attributes:
        as_of: The first snapshot that shows them with this reason.
        last_as_of: The last one.
        reason_code: The right one.
        units: What the system states beyond what there is.
    """

    as_of: datetime
    last_as_of: datetime
    reason_code: str
    units: int


class Fault(msgspec.Struct, frozen=True, omit_defaults=True):
    """One fault that was injected.

    Attributes:
        kind: Which of `resources.sandbox.faults.CATALOGUE`.
        at: When it strikes, in the time of the retailer; of drift, when the last snapshot is told.
        partner: Whose fault it is.
        business_key: What the product calls its subject where it opens a case about it.
        reference: The event, command, shipment or order that was struck.
        expected: An `Outcome` as text.
        drift: What is to be found where it makes stock differ; the business key is then the
            system, the node or channel, and the SKU.
        over_at: When whoever is wrong has said what is right: its case is closed by then.
    """

    kind: str
    at: datetime
    partner: str
    business_key: str
    reference: str
    expected: str = ABSORBED
    fault_id: str = ""
    drift: Drift | None = None
    over_at: datetime | None = None


class AnswerKey:
    """The file as its sandbox writes it."""

    def __init__(self, folder: Path) -> None:
        self._file = AppendOnlyFile(folder / FILE)
        faults = map(msgspec.json.Decoder(Fault).decode, self._file.lines())
        self._written = {fault.fault_id: fault for fault in faults}

    def faults(self) -> list[Fault]:
        """What was injected so far, by this process or those before it."""
        return list(self._written.values())

    def write(self, fault: Fault) -> None:
        """Note a fault before it strikes; one that was noted before stays as it is."""
        identity = identify_text("fault", fault.kind, fault.partner, fault.reference)
        if identity in self._written:
            return
        noted = msgspec.structs.replace(fault, fault_id=identity)
        self._file.append(msgspec.json.encode(noted) + b"\n")
        self._written[identity] = noted

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()


def read(folder: Path) -> list[Fault] | None:
    """The faults of a sandbox's folder, ``None`` where no sandbox has worked."""
    path = folder / FILE
    if not path.exists():
        return None
    whole = (line for line in path.read_bytes().splitlines(keepends=True) if line.endswith(b"\n"))
    return list(map(msgspec.json.Decoder(Fault).decode, whole))
