"""Suppliers' messages as they would write them."""

from __future__ import annotations

from collections.abc import Sequence

SENDER = "NORTHMILL"


def x12_set(kind: str, reference: str, *body: str) -> list[str]:
    return [f"ST*{kind}*{reference}", *body, f"SE*{len(body) + 2}*{reference}"]


def x12(
    *sets: Sequence[str],
    control: int = 905,
    code: str = "PR",
    sender: str = SENDER,
    ends: str = "~\n",
    groups: int = 1,
) -> str:
    rows = [
        f"ISA*00*{'':10}*00*{'':10}*ZZ*{sender:<15}*ZZ*{'OMNIFLOW':<15}*260302*1200*U*00401"
        f"*{control:09d}*0*P*>",
        f"GS*{code}*{sender}*OMNIFLOW*20260302*1200*{control}*X*004010",
        *(row for one in sets for row in one),
        f"GE*{len(sets)}*{control}",
        f"IEA*{groups}*{control:09d}",
    ]
    return "".join(row + ends for row in rows)


ACKNOWLEDGED = x12_set(
    "855",
    "0001",
    "BAK*00*AC*P1*20260302",
    "PO1*1*600*EA*2.00**SK*MUG",
    "ACK*IA*600*EA*067*20260309",
    "PO1*2*50*EA*4.00**SK*HAT",
    "ACK*IQ*40*EA*067*20260312",
    "CTT*2*650",
)
DESPATCHED = x12_set(
    "856",
    "0001",
    "BSN*00*D-77*20260304*0900",
    "HL*1**S",
    "DTM*017*20260306",
    "N1*ST*MIDLANDS*92*dc_midlands",
    "HL*2*1*O",
    "PRF*P1",
    "HL*3*2*I",
    "LIN**SK*MUG",
    "SN1*1*600*EA",
    "CTT*3*600",
)
INVOICED = x12_set(
    "810",
    "0001",
    "BIG*20260307*INV-9*20260302*P1",
    "CUR*SE*GBP",
    "IT1*1*600*EA*2.00**SK*MUG",
    "TDS*126000",
    "TXI*VA*50.00",
    "SAC*C*D240***1000",
    "CTT*1*600",
)


def edifact(*messages: Sequence[str], reference: str = "REF7", count: int | None = None) -> str:
    rows = [f"UNB+UNOC:3+{SENDER}:14+OMNIFLOW:14+260302:1200+{reference}"]
    rows += [row for one in messages for row in one]
    rows.append(f"UNZ+{len(messages) if count is None else count}+{reference}")
    return "UNA:+.? '" + "".join(row + "'" for row in rows)


def edifact_message(kind: str, reference: str, *body: str) -> list[str]:
    head = f"UNH+{reference}+{kind}:D:96A:UN"
    return [head, *body, f"UNT+{len(body) + 2}+{reference}"]


DESADV = edifact_message(
    "DESADV",
    "1",
    "BGM+351+D-78+9",
    "DTM+137:202603040900:203",
    "DTM+17:20260306:102",
    "RFF+ON:P1",
    f"NAD+SU+{SENDER}::92",
    "NAD+DP+dc_midlands::92",
    "CPS+1",
    "LIN+1++MUG:SA",
    "QTY+12:600",
    "CNT+2:1",
)
INVOIC = edifact_message(
    "INVOIC",
    "2",
    "BGM+380+INV-10+9",
    "DTM+137:20260307:102",
    "RFF+ON:P1",
    f"NAD+SU+{SENDER}::92",
    "CUX+2:GBP:4",
    "LIN+1++MUG:SA",
    "QTY+47:600",
    "PRI+AAA:2.00",
    "UNS+S",
    "MOA+77:1260",
    "MOA+124:50",
    "MOA+64:10",
    "CNT+2:1",
)
