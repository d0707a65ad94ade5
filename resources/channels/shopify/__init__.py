"""Shopify's API documents, translated to our events. Pure: files and webhooks both come here.

A document is what the Admin API answers, ``{"order": {…}}`` or ``{"orders": […]}``; a webhook's
bare object is the same after `named_by_topic`. Ids make the keys: the order number is Shopify's
order id, because fulfilments, refunds and transactions name an order by nothing else.

Unit prices in a shop whose prices exclude tax stay as they are and the tax is a charge, so that
lines and charges add up to ``total_price`` exactly; what the document itself cannot account for
(its parts do not add up) is the charge ``channel_difference``. In a return, a negative charge is
money given back, like the goods.

Personal data go nowhere but into the fields that the contracts class as personal.
"""
