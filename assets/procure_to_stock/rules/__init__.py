"""What decides about invoices: how far they are off, and whether they came before. Pure."""
