"""Product, price, node and customer: copies of what ERP and CRM own, so decisions need no call."""
