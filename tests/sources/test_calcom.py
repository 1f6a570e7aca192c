"""Cal.com behaviour that the goldens do not cover."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from translators.calcom import calcom
from translators.kit import Delivery
from webhooks.translation.goldens import outcomes
from webhooks.translation.translate import Translated

BOOKING = json.loads((Path(__file__).parents[1] / "golden" / "calcom" / "BOOKING_CREATED.json").read_text())
NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


def booking_message(**attendee: Any) -> dict[str, Any]:
    body = json.loads(json.dumps(BOOKING))
    body["payload"]["attendees"][0] |= attendee
    body["payload"]["metadata"] = {}
    ((_, outcome),) = outcomes(calcom, Delivery(source="calcom", body=json.dumps(body).encode(), received_at=NOW))
    assert isinstance(outcome, Translated)
    return outcome.messages[0]


@pytest.mark.parametrize("email", ["15551234567@sms.cal.com", "15551234567@SMS.cal.com"])
def test_address_generated_for_a_phone_number_is_not_an_email_trait(email: str) -> None:
    message = booking_message(email=email, phoneNumber="+15551234567")
    traits = message["context"]["traits"]
    assert "email" not in traits
    assert traits["phone"] == "+15551234567"
    assert message["anonymousId"] == booking_message(email="15551234567@sms.cal.com")["anonymousId"]


def test_address_of_the_attendee_is_an_email_trait() -> None:
    assert booking_message(email="Ada@Example.com")["context"]["traits"]["email"] == "Ada@Example.com"
