"""The public data set "Online Retail" (and "Online Retail II"): invoice lines in, events out.

Each invoice is one event, whatever files its rows are in. Which one, in this order:

1. Rows with a code that is no goods (`Declaration.charge_codes`) are charges, never lines.
2. ``C`` invoices are returns. Quantities are positive; charges keep the sign of the money, as in
   an order: a negative one is given back to the customer, like the goods.
3. ``A`` invoices are corrections of the ledger, of the signed amount.
4. Invoices all of whose rows have no price, or all of whose quantities are negative, are
   corrections of stock: ``found`` or ``write_off``. If they touch no goods, they have no lines and
   the note names the code.
5. All others are orders; lines without a price are lines at 0; an order may be charges only.

Rows that look the same are all real. An event's id, lines and time come from the invoice and not
from where its rows stand, so renamed, split or shuffled files give the same bytes. A row that
cannot be right takes its whole invoice to quarantine; a file that cannot be right is refused whole.
"""
