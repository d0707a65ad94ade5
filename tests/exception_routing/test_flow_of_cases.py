"""The marts say of which flow a case is, by the types that there are."""

from __future__ import annotations

import re
from pathlib import Path

from assets.ports import CaseType

MODEL = Path(__file__).parents[2] / "dbt_project" / "models" / "core" / "fct_cases.sql"


def test_every_type_that_a_flow_is_said_to_have_is_one_and_of_one_flow_only() -> None:
    (flows,) = re.findall(r"{% set flows = {(.*?)} %}", MODEL.read_text(), re.DOTALL)
    named = [name for name in re.findall(r"'(\w+)'", flows) if name not in FLOWS]
    assert len(named) == len(set(named))
    assert set(named) <= set(CaseType)


FLOWS = {"inventory", "master_data", "platform"}
