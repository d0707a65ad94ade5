"""Whose a case is, how urgent, by when, and what happens when nobody sees to it: for every flow."""
