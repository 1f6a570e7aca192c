"""Shopify -> Segment. https://shopify.dev/docs/api/webhooks

The topic and the time are headers. `orders/paid` carries the revenue; `orders/create` may never be paid.

source.py         signature, keys, times, identity, test orders
orders.py         orders, refunds, checkouts, disputes
amounts.py        an order's amounts without its inclusive tax, a refund in the shop's currency
customers.py      customer records
registration.py   one subscription a topic, by the Admin API
ignored.py        ignored topics, each with its reason
"""

from translators.shopify import customers, ignored, orders, registration
from translators.shopify.source import shopify

__all__ = ["customers", "ignored", "orders", "registration", "shopify"]
