"""What a translator imports, all of it: `from translators.kit import Source, Head, track, ...`."""

from translators.kit.errors import Declaration, KitError, Malformed, Refused, Skip
from translators.kit.event import Clock, Delivery, Event, FormerId, Head, Item, parse_form
from translators.kit.identity import ExternalId, Identity, first_id
from translators.kit.keys import digest, joined
from translators.kit.members import Batch, raw_items, raw_member
from translators.kit.message import CLEAR, Message, alias, group, identify, page, screen, track
from translators.kit.money import exponent, from_minor, share
from translators.kit.options import Option, choice_option, list_option, text_option
from translators.kit.parsing import parse_json
from translators.kit.payload import Payload
from translators.kit.registration import Call, Need, Registered, Registering, basic, bearer, form_call, json_call
from translators.kit.rules import accept_account, skip_other_modes, ticket_event
from translators.kit.schemes import (
    HmacBody,
    HmacFields,
    HmacKvHeader,
    HmacRequest,
    HmacTimestamped,
    PublicKey,
    Scheme,
    SharedToken,
    StandardWebhooks,
)
from translators.kit.source import Response, Source
from translators.kit.support import (
    assigned,
    author_of,
    full_name,
    name_traits,
    opens_ticket,
    rating_fields,
    real_name,
    reply,
)
from translators.kit.template import BLANK, filled, moment, template_object
from translators.kit.times import from_iso, from_millis, from_rfc2822, from_seconds, from_unix, to_iso

__all__ = [
    "BLANK",
    "CLEAR",
    "Batch",
    "Call",
    "Clock",
    "Declaration",
    "Delivery",
    "Event",
    "ExternalId",
    "FormerId",
    "Head",
    "HmacBody",
    "HmacFields",
    "HmacKvHeader",
    "HmacRequest",
    "HmacTimestamped",
    "Identity",
    "Item",
    "KitError",
    "Malformed",
    "Message",
    "Need",
    "Option",
    "Payload",
    "PublicKey",
    "Refused",
    "Registered",
    "Registering",
    "Response",
    "Scheme",
    "SharedToken",
    "Skip",
    "Source",
    "StandardWebhooks",
    "accept_account",
    "alias",
    "assigned",
    "author_of",
    "basic",
    "bearer",
    "choice_option",
    "digest",
    "exponent",
    "filled",
    "first_id",
    "form_call",
    "from_iso",
    "from_millis",
    "from_minor",
    "from_rfc2822",
    "from_seconds",
    "from_unix",
    "full_name",
    "group",
    "identify",
    "joined",
    "json_call",
    "list_option",
    "moment",
    "name_traits",
    "opens_ticket",
    "page",
    "parse_form",
    "parse_json",
    "rating_fields",
    "raw_items",
    "raw_member",
    "real_name",
    "reply",
    "screen",
    "share",
    "skip_other_modes",
    "template_object",
    "text_option",
    "ticket_event",
    "to_iso",
    "track",
]
