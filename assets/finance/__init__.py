"""Double entry: what every flow posts, balanced by construction and again by the database."""
