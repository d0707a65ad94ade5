"""What a receipt leaves open: more than is tolerated, or less than is let go."""

from __future__ import annotations


def tolerated_quantity(ordered: int, over_basis_points: int) -> int:
    """Units that may come of a line without anybody's word (each)."""
    return ordered + ordered * over_basis_points // 10_000


def backordered_quantity(ordered: int, there: int, under_basis_points: int) -> int:
    """Units that are still waited for, once something has come (each).

    Args:
        ordered: By the version in force.
        there: Accepted or on quality hold.
        under_basis_points: Less than ordered by so much ends the line; zero waits for every unit.
    """
    missing = ordered - there
    if missing <= 0 or missing * 10_000 <= ordered * under_basis_points:
        return 0
    return missing
