"""The gateway: signed webhooks in, governed answers out. An ASGI app that is given everything.

What belongs here is HTTP: signatures, limits, content modes, status codes, and putting the posts
that arrive together into one transaction. What an event must be is said by the contracts, and
what becomes of it by the door; both come in as parameters.
"""
