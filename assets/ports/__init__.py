"""What the flows need of the world, as Protocols; `resources` implements them.

Money crosses these ports as integers in ten-thousandths, ids as text of their UUID, time as aware
UTC datetimes. Columns are plain sequences of equal length, so a port writes sets, never rows.
"""

from __future__ import annotations

from assets.ports.approvals import (
    ApprovalRequest,
    Approvals,
    Consent,
    Delegation,
    Person,
    StoredRequest,
)
from assets.ports.cases import (
    FLOWS,
    NOTHING_KNOWN,
    SEVERITIES,
    About,
    Case,
    CaseRoute,
    Cases,
    CaseType,
    RunningCase,
    ServiceTime,
    Severity,
    UnroutedCase,
    flow_of,
)
from assets.ports.columns import Columns
from assets.ports.master_data import CONTACT, Components, MasterData, ProductTerms
from assets.ports.messages import Command, Inbox, InboxEvent, Scope, Tally
from assets.ports.notifications import Notice, Occasion
from assets.ports.orders import (
    AllocatedLine,
    BundleView,
    FulfilmentOrderView,
    Orders,
    OrderView,
    ParcelView,
)
from assets.ports.pickups import Pickups, PickupView
from assets.ports.playbooks import Action, Outcome, Playbook, Remedy, StartedBy, TroubledCase
from assets.ports.purchasing import (
    ApplicantView,
    Hold,
    InvoiceLineView,
    InvoiceView,
    LineVersion,
    OrderLineView,
    Purchasing,
    RequisitionLine,
    SupplierView,
)
from assets.ports.stock import Count, LostLine, Reservation, Stock, StockPosition
from assets.ports.supply import InboundSupply, PooledLine, Supply
from assets.ports.synchronisation import Proposal, Synchronisation
from assets.ports.unit_of_work import Clock, PolicyBook, UnitOfWork

__all__ = [
    "CONTACT",
    "FLOWS",
    "NOTHING_KNOWN",
    "SEVERITIES",
    "About",
    "Action",
    "AllocatedLine",
    "ApplicantView",
    "ApprovalRequest",
    "Approvals",
    "BundleView",
    "Case",
    "CaseRoute",
    "CaseType",
    "Cases",
    "Clock",
    "Columns",
    "Command",
    "Components",
    "Consent",
    "Count",
    "Delegation",
    "FulfilmentOrderView",
    "Hold",
    "InboundSupply",
    "Inbox",
    "InboxEvent",
    "InvoiceLineView",
    "InvoiceView",
    "LineVersion",
    "LostLine",
    "MasterData",
    "Notice",
    "Occasion",
    "OrderLineView",
    "OrderView",
    "Orders",
    "Outcome",
    "ParcelView",
    "Person",
    "PickupView",
    "Pickups",
    "Playbook",
    "PolicyBook",
    "PooledLine",
    "ProductTerms",
    "Proposal",
    "Purchasing",
    "Remedy",
    "RequisitionLine",
    "Reservation",
    "RunningCase",
    "Scope",
    "ServiceTime",
    "Severity",
    "StartedBy",
    "Stock",
    "StockPosition",
    "StoredRequest",
    "SupplierView",
    "Supply",
    "Synchronisation",
    "Tally",
    "TroubledCase",
    "UnitOfWork",
    "UnroutedCase",
    "flow_of",
]
