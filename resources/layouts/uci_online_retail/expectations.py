"""What must be true of the rows of an Online Retail file before one of them becomes an event.

The rows are text, as they stand in the file. Rows that look the same are all real, so nothing here
is unique. The layout itself groups rows into invoices and says what an invoice cannot be.
"""

from __future__ import annotations

import pandas as pd
import pyarrow as pa

from assets.quality_gate import Suite, holds, matches, rows_between
from resources.layouts.uci_online_retail.declaration import declaration
from resources.layouts.uci_online_retail.values import NO_TIME, times

COLUMNS = (
    "InvoiceNo",
    "StockCode",
    "Description",
    "Quantity",
    "InvoiceDate",
    "UnitPrice",
    "CustomerID",
    "Country",
)
LARGEST_QUANTITY = 1_000_000
QUANTITY = r"^-?[0-9]{1,12}(?:\.0+)?$"
DATE = (
    r"^(?:[0-9]{4}-[0-9]{2}-[0-9]{2}[ T][0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.0+)?)?"
    r"|[0-9]{1,2}/[0-9]{1,2}/[0-9]{4} [0-9]{1,2}:[0-9]{2}(?::[0-9]{2})?)$"
)


def rows(table: pa.Table) -> pd.DataFrame:
    """The raw text columns without blanks around them; an empty text is a missing value."""
    frame: pd.DataFrame = table.select(list(COLUMNS)).to_pandas()
    for column in COLUMNS:
        stripped = frame[column].str.strip()
        frame[column] = stripped.mask(stripped == "")
    return frame


def _quantities(frame: pd.DataFrame) -> pd.Series[float]:
    """Missing where the text is no whole number, which is an expectation of its own."""
    quantities: pd.Series[float] = pd.to_numeric(
        frame["Quantity"].where(frame["Quantity"].str.fullmatch(QUANTITY[1:-1])), errors="coerce"
    ).astype("float64")
    return quantities


def _is_not_zero(frame: pd.DataFrame) -> pd.Series[bool]:
    return _quantities(frame) != 0


def _is_possible(frame: pd.DataFrame) -> pd.Series[bool]:
    return ~(_quantities(frame).abs() > LARGEST_QUANTITY)


def _is_a_time(frame: pd.DataFrame) -> pd.Series[bool]:
    texts = frame["InvoiceDate"]
    distinct = texts.unique().tolist()
    read = times(distinct)
    is_time = (read.month_first != NO_TIME) | (read.day_first != NO_TIME)
    real = {text for text, known in zip(distinct, is_time.tolist(), strict=True) if known}
    # A text of another shape is what `date_has_a_shape` says.
    return texts.isin(real) | ~texts.str.match(DATE)


def _starts(frame: pd.DataFrame, letter: str) -> pd.Series[bool]:
    return frame["InvoiceNo"].str.upper().str.startswith(letter)


FILE_SUITE = Suite(
    name="uci_online_retail_file",
    owner="order_desk",
    required=("InvoiceNo", "StockCode", "Quantity", "InvoiceDate", "UnitPrice", "Country"),
    optional=("Description", "CustomerID"),
    said=(
        rows_between("file_has_rows", 1, None, "the file has no rows"),
        matches(
            "invoice_number_has_a_shape",
            "InvoiceNo",
            r"^[A-Za-z]?[0-9]{1,20}$",
            "the invoice number is not digits after at most one letter",
        ),
        matches(
            "stock_code_has_a_shape",
            "StockCode",
            r"^[^\x00-\x1f]{1,64}$",
            "the stock code is too long or has control characters",
        ),
        matches("quantity_is_whole", "Quantity", QUANTITY, "the quantity is not a whole number"),
        holds("quantity_is_not_zero", ("Quantity",), _is_not_zero, "the quantity is zero"),
        holds(
            "quantity_is_possible",
            ("Quantity",),
            _is_possible,
            "the quantity is beyond a million",
        ),
        matches(
            "price_has_four_decimals_at_most",
            "UnitPrice",
            r"^-?[0-9]{1,14}(?:\.[0-9]{1,4}0*)?$",
            "the price is not a number of at most four decimals",
        ),
        holds(
            "only_bad_debt_is_negative",
            ("InvoiceNo", "UnitPrice"),
            lambda frame: ~frame["UnitPrice"].str.startswith("-") | _starts(frame, "A"),
            "the price is negative and the invoice corrects no debt",
        ),
        matches("date_has_a_shape", "InvoiceDate", DATE, "the date is not written as a local time"),
        holds("date_is_a_day", ("InvoiceDate",), _is_a_time, "the date is in no calendar"),
        holds(
            "country_is_known",
            ("Country",),
            lambda frame: frame["Country"].isin(list(declaration().countries)),
            "the layout does not know the country",
        ),
        matches(
            "customer_has_a_shape",
            "CustomerID",
            r"^[0-9]{1,20}(?:\.0+)?$",
            "the customer number is not a number",
            severity="warning",
        ),
        matches(
            "description_is_short",
            "Description",
            r"^[^\x00-\x1f]{1,500}$",
            "the description is longer than 500 or has control characters",
            severity="warning",
        ),
        holds(
            "cancellation_takes_back",
            ("InvoiceNo", "Quantity"),
            lambda frame: ~(_starts(frame, "C") & (_quantities(frame) > 0)),
            "a cancellation that sells more",
            severity="warning",
        ),
    ),
    blocks_by=("InvoiceNo",),
)
