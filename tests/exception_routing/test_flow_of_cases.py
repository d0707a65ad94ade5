"""The marts say of which flow a case is, by the types that there are."""

from __future__ import annotations

import ast
import re
from pathlib import Path

from assets.ports import FLOWS, CaseType, flow_of

MODEL = Path(__file__).parents[2] / "dbt_project" / "models" / "core" / "fct_cases.sql"


def test_the_marts_know_the_same_types_of_each_flow_as_the_product() -> None:
    (said,) = re.findall(r"{% set flows = ({.*?}) %}", MODEL.read_text(), re.DOTALL)
    flows = {name: set(types) for name, types in ast.literal_eval(said).items()}
    assert flows == {name: {str(one) for one in types} for name, types in FLOWS.items()}


def test_a_type_is_of_one_flow_and_of_orders_where_nothing_is_said() -> None:
    named = [one for types in FLOWS.values() for one in types]
    assert len(named) == len(set(named))
    assert flow_of(CaseType.STOCK_DRIFT) == "inventory"
    assert flow_of(CaseType.PAYMENT_HELD) == "order_to_fulfillment"
