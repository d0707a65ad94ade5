"""A supplier's file through the door: each interchange for itself, whole or not at all."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from assets.contracts.admission import Refusal, Submission
from assets.errors import BadInput
from resources.edi.documents import Scope
from resources.edi.interchange import BrokenInterchange, Message
from resources.edi.understanding import interchanges, understand
from resources.operational_store.door import Door
from resources.operational_store.store import OperationalStore

#: Bigger ones come in pieces; a despatch advice of a whole ship has a few megabytes.
LARGEST_FILE = 50 * 1024 * 1024
BROKEN = "broken_interchange"


@dataclass
class Taken:
    """What became of a file.

    Attributes:
        broken: (where, why) of interchanges that were set aside.
        refused: (where, why) of documents that the door did not take.
        answers: A 997 for each interchange of X12 that could be read.
    """

    interchanges: int = 0
    accepted: int = 0
    duplicates: int = 0
    broken: list[tuple[str, str]] = field(default_factory=list)
    refused: list[tuple[str, str]] = field(default_factory=list)
    answers: list[str] = field(default_factory=list)


def take(store: OperationalStore, path: Path, scope: Scope, us: str, at: datetime) -> Taken:
    """Bring a file of X12 or EDIFACT in.

    An interchange that is broken is quarantined, with its segment and reason; the others of the
    file go on. The same file again changes nothing.

    Args:
        store: The operational store.
        path: The file.
        scope: Whose business it is.
        us: Our identity in what is answered.
        at: When it is answered.

    Raises:
        BadInput: If it cannot be read, or holds neither X12 nor EDIFACT.
    """
    text = _text(path)
    taken = Taken()
    for number, (standard, content) in enumerate(interchanges(text, str(path)), 1):
        taken.interchanges += 1
        _take_one(store, f"{path.name}:{number}", standard, content, scope, us, at, taken)
    return taken


def _text(path: Path) -> str:
    try:
        if path.stat().st_size > LARGEST_FILE:
            raise BadInput(f"{path} is larger than {LARGEST_FILE // 1024 // 1024} MB")
        return path.read_text("latin-1")
    except OSError as error:
        raise BadInput(f"cannot read {path}: {error.strerror}") from error


def _take_one(
    store: OperationalStore,
    where: str,
    standard: str,
    content: str,
    scope: Scope,
    us: str,
    at: datetime,
    taken: Taken,
) -> None:
    # As it is posted to the gateway: the same interchange is the same, whichever way it comes.
    source = f"supplier_{standard}"
    try:
        understood = understand(standard, content, source, scope)
    except BrokenInterchange as broken:
        position = f"{where}, segment {broken.position} ({broken.tag})"
        taken.broken.append((position, broken.reason))
        refusal = Refusal(source, content.encode(), position, BROKEN, broken.reason)
        with store.transaction() as connection:
            Door().refuse(connection, [refusal])
        return
    good: list[Message] = []
    with store.transaction() as connection:
        receipts = Door().admit(
            connection,
            [
                Submission(source, event, f"{where}, set {message.reference}")
                for message, event in understood.events
            ],
        )
    for (message, _), receipt in zip(understood.events, receipts, strict=True):
        if receipt.outcome in ("accepted", "duplicate"):
            good.append(message)
            taken.accepted += receipt.outcome == "accepted"
            taken.duplicates += receipt.outcome == "duplicate"
        else:
            said = f"{receipt.reason} ({receipt.pointer})"
            taken.refused.append((f"{where}, set {message.reference}", said))
    answer = understood.answer(good, us, at)
    if answer is not None:
        taken.answers.append(answer)
