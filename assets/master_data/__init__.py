"""Product, price, node and customer: copies of what ERP and CRM own, so that decisions need no call."""
