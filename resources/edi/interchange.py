"""What X12 and EDIFACT have in common once their separators are gone: segments in envelopes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from assets.errors import RetailFlowError


class BrokenInterchange(RetailFlowError):
    """An interchange whose envelope or control totals contradict its content.

    Attributes:
        position: Of the segment in the interchange, from 1.
        tag: Of the segment.
        reason: What is wrong, for people.
    """

    def __init__(self, position: int, tag: str, reason: str) -> None:
        super().__init__(f"segment {position} ({tag}): {reason}")
        self.position = position
        self.tag = tag
        self.reason = reason


@dataclass(frozen=True)
class Segment:
    """One segment.

    Attributes:
        position: In its interchange, from 1.
        elements: Each a list of its components.
    """

    position: int
    tag: str
    elements: Sequence[Sequence[str]]

    def text(self, element: int, component: int = 1) -> str:
        """A component by its number from 1, or nothing where it is not there."""
        if element > len(self.elements) or component > len(self.elements[element - 1]):
            return ""
        return self.elements[element - 1][component - 1].strip()

    def needed(self, element: int, component: int = 1) -> str:
        """The same, where it has to be there.

        Raises:
            BrokenInterchange: If it is not.
        """
        found = self.text(element, component)
        if not found:
            raise BrokenInterchange(self.position, self.tag, f"element {element} is missing")
        return found

    def whole_number(self, element: int, component: int = 1) -> int:
        """A number without a fraction.

        Raises:
            BrokenInterchange: If it is not one.
        """
        found = self.needed(element, component)
        try:
            number = float(found)
        except ValueError:
            number = float("nan")
        if number != int(number) if number == number else True:
            said = f"element {element} is no whole number: {found[:20]}"
            raise BrokenInterchange(self.position, self.tag, said)
        return int(number)


@dataclass(frozen=True)
class Message:
    """One document between its header and its trailer.

    Attributes:
        kind: ``855``, ``856``, ``810``, ``DESADV`` or ``INVOIC``, or what else it says.
        group: Control number of its functional group; empty where there are none.
        functional_code: Of that group, as ``PR`` for 855.
    """

    kind: str
    reference: str
    segments: Sequence[Segment]
    group: str = ""
    functional_code: str = ""

    def all(self, tag: str) -> Iterator[Segment]:
        """Its segments of a tag."""
        return (segment for segment in self.segments if segment.tag == tag)

    def first(self, tag: str, qualifier: str | None = None) -> Segment | None:
        """The first segment of a tag, with a qualifier as its first element."""
        found = (
            segment
            for segment in self.all(tag)
            if qualifier is None or segment.text(1) == qualifier
        )
        return next(found, None)

    def one(self, tag: str, qualifier: str | None = None) -> Segment:
        """The same, where it has to be there.

        Raises:
            BrokenInterchange: If it is not.
        """
        found = self.first(tag, qualifier)
        if found is None:
            last = self.segments[-1]
            named = tag if qualifier is None else f"{tag} {qualifier}"
            raise BrokenInterchange(last.position, last.tag, f"{self.kind} without {named}")
        return found


@dataclass(frozen=True)
class Interchange:
    """An interchange whose envelope is sound.

    Attributes:
        standard: ``x12`` or ``edifact``.
        control_number: The sender's.
    """

    standard: str
    sender: str
    receiver: str
    control_number: str
    messages: Sequence[Message] = field(default_factory=list)


def check_count(segment: Segment, element: int, counted: int, what: str) -> None:
    """Hold a control total against what is there.

    Raises:
        BrokenInterchange: If they differ.
    """
    said = segment.whole_number(element)
    if said != counted:
        reason = f"it says {said} {what} and there are {counted}"
        raise BrokenInterchange(segment.position, segment.tag, reason)


def check_reference(segment: Segment, element: int, opened: str) -> None:
    """Hold a trailer's reference against its header's.

    Raises:
        BrokenInterchange: If they differ.
    """
    closed = segment.text(element)
    if closed != opened:
        reason = f"it closes {closed or 'nothing'} and {opened} is open"
        raise BrokenInterchange(segment.position, segment.tag, reason)
