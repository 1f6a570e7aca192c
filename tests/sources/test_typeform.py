"""Typeform behaviour that the goldens do not cover."""

import base64
import hmac
import json
from datetime import UTC, datetime
from typing import Any

from support.outcomes import message_of
from support.unreadable import problem
from translators.kit import Delivery
from translators.typeform import typeform
from webhooks.http.request import HttpRequest
from webhooks.signatures import verify
from webhooks.translation.goldens import outcomes
from webhooks.translation.translate import Ignored, Translated

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


def delivery(**response: Any) -> Delivery:
    body = {
        "event_id": "01JEVENT",
        "event_type": "form_response",
        "form_response": {"form_id": "frm1", "token": "tok1", "submitted_at": "2026-10-05T09:04:30Z"} | response,
    }
    return Delivery(source="typeform", body=json.dumps(body).encode(), received_at=NOW, options=typeform.defaults())


def message(**response: Any) -> dict[str, Any]:
    ((_, outcome),) = outcomes(typeform, delivery(**response))
    assert isinstance(outcome, Translated)
    return outcome.messages[0]


def answer(type_: str, value: Any, ref: str) -> dict[str, Any]:
    return {"type": type_, type_: value, "field": {"id": f"id_{ref}", "ref": ref}}


def test_free_text_answers_are_not_sent_by_default() -> None:
    answers = [answer("text", "my diagnosis", "why"), answer("number", 3, "size")]
    assert message(answers=answers)["properties"]["answers"] == {"size": 3}


def test_a_form_without_answers_has_no_answers_property() -> None:
    assert "answers" not in message()["properties"]


def test_email_address_in_any_case_is_one_person() -> None:
    people = {
        message(answers=[answer("email", email, "email")])["anonymousId"] for email in ("A@b.example", "a@b.example")
    }
    assert len(people) == 1


def test_hidden_number_under_a_user_id_key_is_the_user_id() -> None:
    assert message(hidden={"user_id": 204})["userId"] == "204"


def test_a_delivery_without_an_id_is_malformed() -> None:
    raw = json.dumps({"event_type": "form_response", "form_response": {}}).encode()
    assert "event_id" in problem(typeform, Delivery(source="typeform", body=raw, received_at=NOW))


def test_signed_response_is_accepted_and_a_changed_one_refused() -> None:
    scheme, body = typeform.schemes["default"], delivery().body
    signature = base64.b64encode(hmac.digest(b"a secret", body, "sha256")).decode()
    headers = {"typeform-signature": f"sha256={signature}"}
    assert verify(scheme, HttpRequest(body=body, headers=headers), ["a secret"], now=NOW).ok
    assert not verify(scheme, HttpRequest(body=body + b" ", headers=headers), ["a secret"], now=NOW).ok


def test_typeforms_test_request_is_ignored() -> None:
    """Its answers, e-mail address and hidden fields are examples."""
    test = delivery(answers=[answer("email", "an_account@example.com", "mail")], hidden={"user_id": "hidden_value"})
    ((_, outcome),) = outcomes(typeform, test)
    assert isinstance(outcome, Ignored)


def response_with(hidden: dict[str, str]) -> dict[str, Any]:
    response = {"form_id": "f1", "token": "t1", "submitted_at": "2026-10-05T09:00:00.000000Z", "hidden": hidden}
    return {"event_id": "1", "event_type": "form_response", "form_response": response | {"answers": []}}


def test_hidden_field_with_a_placeholder_value_is_empty() -> None:
    message = message_of(typeform, response_with({"user_id": "xxxxx", "plan": "xxxxx"}), metadata_fields=("*",))
    assert "userId" not in message
    assert "metadata" not in message["properties"]


def test_hidden_field_with_a_dot_in_its_name_is_sent() -> None:
    message = message_of(typeform, response_with({"crm.id": "7"}), metadata_fields=("crm.id",))
    assert message["properties"]["metadata"] == {"crm.id": "7"}
