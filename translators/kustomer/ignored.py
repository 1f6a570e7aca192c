"""Ignored event types, with the reason."""

from translators.kustomer.source import kustomer

kustomer.ignore("kustomer.message.update", because="a later state of a message that was reported when it was written")
kustomer.ignore("kustomer.note.*", because="a private note, not a customer action")
kustomer.ignore("kustomer.draft.*", because="a message that was not sent yet")
kustomer.ignore("kustomer.user.*", "kustomer.team.*", because="about your agents, not a customer")
kustomer.ignore("kustomer.tag.*", because="your team's own labels")
