"""The business: contracts, ledgers and flows. It knows no database, no HTTP and no file."""
