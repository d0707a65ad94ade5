"""One module or package per file layout: rows in, CloudEvents out, pure.

A layout never touches a database.
"""
