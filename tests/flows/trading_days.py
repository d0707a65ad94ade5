"""Ten made trading days of a small retailer, as files of Online Retail, the same in every run."""

from __future__ import annotations

import random
from datetime import datetime, timedelta
from pathlib import Path

from tests.layouts.made_files import row, write

#: A Monday before Easter: the days go over a weekend and over a change of the clocks.
FIRST_DAY = datetime(2011, 3, 21)  # noqa: DTZ001  local time, as the files have it
DAYS = 10
INVOICES_A_DAY = 15
SKUS = [f"{number}{letter}" for number in range(22001, 22031) for letter in ("", "A")]


def trading_days() -> list[list[list[str]]]:
    """By day, the rows: orders, and now and then a return, a stock correction or postage alone."""
    chance = random.Random("ten trading days")
    invoice = 540_000
    days = []
    for day in range(DAYS):
        rows: list[list[str]] = []
        for number in range(INVOICES_A_DAY):
            invoice += 1
            at = FIRST_DAY + timedelta(days=day, hours=8, minutes=37 * number)
            customer = chance.choice(["", "12345.0", "17850.0", "13047.0"])
            country = chance.choice(["United Kingdom", "United Kingdom", "France", "Norway"])
            said = {"at": f"{at:%Y-%m-%d %H:%M:%S}", "customer": customer, "country": country}
            kind = "order" if number % 5 else chance.choice(["return", "write_off", "order"])
            for sku in chance.sample(SKUS, chance.randint(1, 6)):
                units = chance.choice([1, 2, 6, 12, 48])
                price = f"{chance.randint(25, 995) / 100:.2f}"
                if kind == "return":
                    rows.append(row(f"C{invoice}", sku, -units, price, **said))
                elif kind == "write_off":
                    rows.append(row(str(invoice), sku, -units, "0.0", **said))
                else:
                    rows.append(row(str(invoice), sku, units, price, **said))
            if kind == "order" and not number % 3:
                rows.append(row(str(invoice), "POST", 1, "18.00", description="POSTAGE", **said))
        # Two rows that look the same are both real.
        rows.append(rows[-1])
        days.append(rows)
    return days


def one_file(folder: Path) -> Path:
    """All days in one file."""
    folder.mkdir()
    write(folder / "days.csv", *[row for rows in trading_days() for row in rows])
    return folder


def otherwise(folder: Path) -> Path:
    """The same rows in other files: renamed, some packed, invoices split, everything shuffled."""
    folder.mkdir()
    rows = [row for rows in trading_days() for row in rows]
    random.Random("shuffled").shuffle(rows)
    for number, name in enumerate(("z.csv", "a.csv.gz", "März 2011.CSV", "no_ending")):
        write(folder / name, *rows[number::4])
    return folder
