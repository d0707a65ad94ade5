"""From a purchase order to goods on the shelf and an invoice that may be paid."""
