from __future__ import annotations

import pytest

from assets.errors import BadInput
from resources.layouts.registry import layout


@pytest.mark.parametrize(
    "name", ["uci_online_retail", "adventureworks_purchasing", "cloudevents", "shopify"]
)
def test_a_layout_is_found_by_its_name(name: str) -> None:
    assert layout(name).name == name


def test_an_unknown_layout_is_bad_input_that_names_those_there_are() -> None:
    with pytest.raises(
        BadInput,
        match="no layout 'excel'; there are: adventureworks_purchasing, cloudevents, shopify, uci",
    ):
        layout("excel")
