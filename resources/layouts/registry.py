"""Every file layout by name. The one list that the command line asks."""

from __future__ import annotations

from assets.errors import BadInput
from resources.layouts.adventureworks_purchasing.layout import AdventureworksPurchasing
from resources.layouts.cloudevents import CloudEvents
from resources.layouts.reading import Layout
from resources.layouts.shopify import Shopify
from resources.layouts.uci_online_retail.layout import UciOnlineRetail

_LAYOUTS: dict[str, Layout] = {
    layout.name: layout
    for layout in (UciOnlineRetail(), AdventureworksPurchasing(), CloudEvents(), Shopify())
}


def layout(name: str) -> Layout:
    """The layout of that name.

    Raises:
        BadInput: If there is none; it names those that there are.
    """
    try:
        return _LAYOUTS[name]
    except KeyError:
        raise BadInput(
            f"there is no layout {name!r}; there are: {', '.join(sorted(_LAYOUTS))}"
        ) from None
