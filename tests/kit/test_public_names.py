"""The public surface of the kit. A change of it is a change for every author of a source: it belongs into the CHANGELOG."""

from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import translators.kit

PATH = Path(__file__).parents[2] / "tools" / "kit_page.py"
NAMES = """
BLANK Batch CLEAR Call Clock Declaration Delivery Event ExternalId FormerId Head HmacBody HmacFields
HmacKvHeader HmacRequest HmacTimestamped Identity Item KitError Malformed Message Need Option Payload
PublicKey Refused Registered Registering Response Scheme SharedToken Skip Source StandardWebhooks
accept_account alias assigned author_of basic bearer choice_option digest exponent filled first_id form_call from_iso
from_millis from_minor from_rfc2822 from_seconds from_unix full_name group identify joined json_call
list_option moment name_traits opens_ticket page parse_form parse_json rating_fields raw_items raw_member
real_name reply screen share skip_other_modes template_object text_option ticket_event to_iso track
"""
MEMBERS = {
    "Delivery": "batch form is_list item members opening payload",
    "Event": "with_options",
    "Item": "body digest filled form",
    "Option": "of",
    "OptionalMembers": "decimal flag id integer iso lower millis money nonempty seconds text upper utc when",
    "Payload": """
        decimal each first flag get id integer iso maybe millis money object opt seconds select text
        texts texts_of when
    """,
    "Source": """
        context defaults guard handshake head head_at identity ignore manual_steps on redact registration
        skip_if split tracks
    """,
    "mail": "UNSUBSCRIBED_EVENT address addresses recipient tags_of",
    "metadata": "METADATA_FIELDS metadata_of own_data",
    "vocabulary": "BILLING COMMUNITY MESSAGING SALES SUPPORT VOCABULARY",
}


def test_public_names_are_the_listed_ones() -> None:
    assert sorted(translators.kit.__all__) == sorted(NAMES.split()), "list a new name here and on docs/kit.md"
    assert all(hasattr(translators.kit, name) for name in NAMES.split())


def test_public_members_and_modules_are_the_listed_ones() -> None:
    spec = spec_from_file_location("kit_page", PATH)
    assert spec is not None
    assert spec.loader is not None
    kit_page = module_from_spec(spec)
    spec.loader.exec_module(kit_page)
    listed = [f"{owner}.{name}" for owner, names in MEMBERS.items() for name in names.split()]
    assert [name for name in kit_page.surface() if "." in name] == sorted(listed), "list a new member here"


def test_a_star_import_brings_the_public_names_only() -> None:
    scope: dict[str, object] = {}
    exec("from translators.kit import *", scope)
    assert sorted(scope.keys() - {"__builtins__"}) == sorted(translators.kit.__all__)
