"""Event names that are ours to choose: Segment's spec has none for them. One name over all providers.

Noun and past-tense verb, Title Case (https://segment.com/docs/connections/spec/track/#event). Where the spec has a
name, the spec's is used: Order Completed, Order Refunded, Trial Started, Email Delivered, Live Chat Message Sent ...
Every name a built-in source sends stands either in the spec or here; a test holds us to it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

SUPPORT: Final[Mapping[str, str]] = {
    "Ticket Created": "A ticket was opened for the customer.",
    "Ticket Updated": "A ticket's fields changed; `changed` lists them.",
    "Ticket Assigned": "A ticket got an agent or a team (`assignee_id`, `team_id`).",
    "Ticket Replied": "A public reply was added; `author` is `customer` or `agent`. Never a private note or a bot.",
    "Ticket Status Changed": "A ticket moved to a status that is neither solved nor reopened.",
    "Ticket Priority Changed": "A ticket's priority changed.",
    "Ticket Solved": "A ticket was solved, resolved, closed or done.",
    "Ticket Reopened": "A solved ticket was opened again.",
    "Ticket Merged": "A ticket was merged into another (`merged_into`).",
    "Ticket Deleted": "A ticket was deleted.",
    "Ticket SLA Breached": "A ticket missed a service level.",
    "Satisfaction Rated": "The customer rated a ticket or conversation (`rating`, `score`).",
    "Live Chat Conversation Assigned": "A chat got an agent or a team.",
    "Live Chat Conversation Reopened": "An ended chat was opened again.",
    "Live Chat Conversation Snoozed": "A chat was put off.",
}

BILLING: Final[Mapping[str, str]] = {
    "Customer Created": "The provider made a customer record.",
    "Customer Deleted": "The customer record was deleted at the provider.",
    "Subscription Started": "A subscription began to run, in trial or paid.",
    "Subscription Updated": "A subscription changed in a way that no closer name tells.",
    "Subscription Plan Changed": "A subscription moved to another plan, price or quantity.",
    "Subscription Renewed": "A subscription entered its next period.",
    "Subscription Cancellation Scheduled": "A subscription will end at a date (`ends_at`).",
    "Subscription Cancellation Withdrawn": "A scheduled cancellation was taken back.",
    "Subscription Cancelled": "A subscription ended.",
    "Subscription Paused": "A subscription was paused.",
    "Subscription Resumed": "A paused subscription runs again.",
    "Subscription Past Due": "A subscription's payment is overdue.",
    "Trial Ending": "A trial ends soon.",
    "Trial Converted": "A trial became a paid subscription.",
    "Invoice Created": "A draft invoice was made.",
    "Invoice Finalized": "An invoice became final and payable.",
    "Invoice Sent": "An invoice was sent to the customer.",
    "Invoice Paid": "An invoice was paid.",
    "Invoice Payment Failed": "A payment of an invoice failed.",
    "Invoice Voided": "An invoice was declared void.",
    "Payment Succeeded": "A payment went through.",
    "Payment Failed": "A payment was declined or failed.",
    "Dispute Opened": "The customer disputed a charge.",
    "Dispute Updated": "A dispute changed.",
    "Dispute Closed": "A dispute was decided; `outcome` is `won`, `lost` or the provider's word.",
    "Credit Note Created": "A credit note was issued.",
    "Payout Paid": "The provider paid out to the merchant.",
    "Payout Failed": "A payout failed.",
}

SALES: Final[Mapping[str, str]] = {
    "Lead Created": "A lead was made.",
    "Lead Updated": "A lead changed.",
    "Lead Status Changed": "A lead moved to another status.",
    "Lead Converted": "A lead became a contact, account or opportunity.",
    "Contact Created": "A contact was made.",
    "Contact Updated": "A contact changed.",
    "Contact Deleted": "A contact was deleted.",
    "Opportunity Created": "An opportunity or deal was made.",
    "Opportunity Updated": "An opportunity or deal changed.",
    "Opportunity Stage Changed": "An opportunity or deal moved to another stage.",
    "Opportunity Won": "An opportunity or deal was won.",
    "Opportunity Lost": "An opportunity or deal was lost.",
    "Meeting Booked": "A meeting was booked.",
    "Meeting Cancelled": "A meeting was called off.",
    "Form Submitted": "A form was submitted.",
}

MESSAGING: Final[Mapping[str, str]] = {
    "Email Sent": "An e-mail was accepted for sending.",
    "Email Deferred": "A receiving server put an e-mail off.",
    "Email Dropped": "The provider did not send an e-mail (`reason`).",
    "Email Resubscribed": "A recipient subscribed again.",
    "Email Received": "An e-mail came in.",
    "SMS Sent": "A text message was handed to the carrier.",
    "SMS Delivered": "A text message arrived.",
    "SMS Failed": "A text message did not arrive (`error_code`).",
    "SMS Received": "A text message came in.",
    "SMS Read": "A message was read.",
}

VOCABULARY: Final[Mapping[str, str]] = {**SUPPORT, **BILLING, **SALES, **MESSAGING}
