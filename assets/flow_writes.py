"""What one batch of a flow will store and say, collected in memory and written as sets at the end.

Each flow adds the state that it keeps; facts, journal, process events, commands and cases are the
same for all of them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import ClassVar

from assets.decisions.process_log import ProcessLog
from assets.facts import FactRows
from assets.finance.journal import Journal
from assets.ports import About, Case, CaseType, Command, UnitOfWork


class FlowWrites:
    """Facts by table, and what goes out.

    Attributes:
        consent_of: What may wait for consent about a case of a type; when the case is over, so is
            the question.
        rows: Facts by table, each a tuple in the order of the table's columns.

    Args:
        unit_of_work: The transaction.
        columns: The columns of each table of facts, in the order in which tables are written.
    """

    consent_of: ClassVar[Mapping[str, Sequence[str]]] = {}

    def __init__(self, unit_of_work: UnitOfWork, columns: Mapping[str, Sequence[str]]) -> None:
        self.unit_of_work = unit_of_work
        self.rows = FactRows(columns)
        self.journal = Journal(unit_of_work.policies)
        self.process = ProcessLog()
        self._commands: list[Command] = []
        self._cases: list[Case] = []
        self._settled: dict[tuple[str, str], list[str]] = defaultdict(list)

    @cached_property
    def nodes(self) -> dict[str, tuple[str, str]]:
        """Kind and zone of each active node."""
        return self.unit_of_work.master_data.nodes()

    def tell(self, command: Command) -> None:
        """Tell a partner something; commands about one key keep their order."""
        self._commands.append(command)

    def open_case(self, case_type: CaseType, business_key: str, reason: str, about: About) -> None:
        """Ask a person; whom, routing knows."""
        self._cases.append(Case(case_type, business_key, reason, about))

    def close_case(self, case_type: str, business_key: str, resolution: str) -> None:
        """End the case of this type and key, where one is open: its cause is gone."""
        self._settled[case_type, resolution].append(business_key)

    def put_state(self) -> None:
        """Write the state that the flow keeps, after its facts and before it says anything."""

    def flush(self) -> None:
        """Write everything collected, as one statement a table, and begin anew."""
        unit_of_work = self.unit_of_work
        self.rows.flush(unit_of_work)
        self.journal.flush(unit_of_work)
        self.process.flush(unit_of_work)
        self.put_state()
        unit_of_work.send(self._commands)
        unit_of_work.open_cases(self._cases)
        for (case_type, resolution), business_keys in self._settled.items():
            unit_of_work.close_cases(case_type, business_keys, resolution)
            for subject_type in self.consent_of.get(case_type, ()):
                unit_of_work.withdraw_approvals(subject_type, business_keys, resolution)
        self._commands.clear()
        self._cases.clear()
        self._settled.clear()
