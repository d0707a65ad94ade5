"""What must hold at every instant, shown on the stored rows alone.

Each invariant is a few statements that give back the rows which break it, and nothing when it
holds. They read whole tables by sets, so a year is checked in seconds; what SQL cannot do (take a
decision again, name an id by its business key) is recomputed from what the rows themselves say.
Only here are facts compared with each other; the rules that keep them so live with their flows.
"""

from __future__ import annotations

from collections.abc import Iterable

import sqlalchemy as sa

from assets.errors import BadInput
from resources.operational_store.invariants.availability import S4
from resources.operational_store.invariants.completeness import P7
from resources.operational_store.invariants.consent import P3, P4
from resources.operational_store.invariants.decisions import P2
from resources.operational_store.invariants.idempotency import P1
from resources.operational_store.invariants.judging import (
    Invariant,
    InvariantResult,
    Violation,
    judge,
)
from resources.operational_store.invariants.liveness import P5
from resources.operational_store.invariants.money import M1, M2, M4
from resources.operational_store.invariants.oversell import S1
from resources.operational_store.invariants.purchasing import M6, M7, M8, S5
from resources.operational_store.invariants.reservations import S3
from resources.operational_store.invariants.stock_conservation import S2
from resources.operational_store.invariants.synchronisation import M11

__all__ = ["INVARIANTS", "InvariantResult", "Violation", "check"]

INVARIANTS: tuple[Invariant, ...] = (
    S1,
    S2,
    S3,
    S4,
    S5,
    M1,
    M2,
    M4,
    M6,
    M7,
    M8,
    M11,
    P1,
    P2,
    P3,
    P4,
    P5,
    P7,
)


def check(connection: sa.Connection, ids: Iterable[str] | None = None) -> list[InvariantResult]:
    """Check the named invariants, or all of them, each on what is committed when it starts.

    Raises:
        BadInput: If there is no invariant of a name.
    """
    known = {invariant.id: invariant for invariant in INVARIANTS}
    wanted = list(known) if ids is None else [name.upper() for name in ids]
    strangers = [name for name in wanted if name not in known]
    if strangers:
        raise BadInput(f"no invariant {', '.join(strangers)}; there are {', '.join(known)}")
    # Sorting a year's ledger in the default 16 MB would go through the disk.
    connection.execute(sa.text("select set_config('work_mem', '128MB', true)"))
    return [judge(connection, known[name]) for name in wanted]
