"""Typeform's signature, event ids, identity and messages."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Final

from translators.kit import (
    Event,
    FormerId,
    Head,
    HmacBody,
    Identity,
    Item,
    Payload,
    Source,
    choice_option,
    digest,
)
from translators.kit.metadata import METADATA_FIELDS, metadata_of, own_data

ANSWERS: Final = choice_option(
    "answers",
    "which answers are sent: those of closed questions (choice, number, rating, yes or no, date), all, or none",
    ("closed", "all", "none"),
    "closed",
)

typeform = Source(
    "typeform",
    title="Typeform",
    docs="https://www.typeform.com/developers/webhooks/",
    secret_help="the secret you gave the webhook (your form > Connect > Webhooks > Edit, or the Webhooks API)",
    scheme=HmacBody(header="Typeform-Signature", encoding="base64", prefix="sha256="),
    options=[ANSWERS, METADATA_FIELDS],
)

_CLOSED: Final = {"choice", "choices", "number", "boolean", "date"}
_PEOPLE: Final = {"email", "phone_number"}
_TEST: Final = "an_account@example.com"  # the answer of the test request to every e-mail question
_NOT_FILLED: Final = {"", "xxxxx"}  # the value of a hidden field in a link that was copied and not filled


@typeform.head
def head(item: Item) -> Head:
    """Use form and response token as key, for a partial response (which has no time) also a digest of its answers.

    Each webhook of a form sends its own `event_id`.
    """
    body = item.body
    type_, response = body.text("event_type"), body.object("form_response")
    token, at = response.id("token", ""), response.opt.iso("submitted_at")
    if not token:
        return Head(id=body.id("event_id"), type=type_, occurred_at=at)
    key = f"{type_}:{response.id('form_id', '')}:{token}"
    if type_ != "form_response":
        key = f"{key}:{digest(response.get('answers'), response.get('hidden'))}"
    return Head(id=key, type=type_, occurred_at=at, former_ids=(FormerId(body.id("event_id", "")),))


@typeform.skip_if
def skip_test_request(event: Event) -> str | None:
    """Skip Typeform's test request: it is signed, but its answers and hidden fields are examples."""
    is_test = _first(event.body.object("form_response"), "email") == _TEST
    return "Typeform's own test request" if is_test else None


@typeform.identity
def respondent(event: Event) -> Identity:
    """Use the user id in a hidden field, else the first e-mail address in the answers, else the response."""
    response = event.body.object("form_response")
    email, phone = _first(response, "email"), _first(response, "phone_number")
    return Identity(
        metadata=({name: str(value) for name, value in _hidden(response).items()},),
        anonymous=("email", email.lower()) if email else ("response", response.id("token")),
        traits={"email": email, "phone": phone},
    )


def _hidden(response: Payload) -> dict[str, str | int]:
    """Return the hidden fields that the link filled. https://www.typeform.com/help/a/using-hidden-fields-360052676612/"""
    members = own_data(response, "hidden").items()
    return {name: value for name, value in members if type(value) in (str, int) and value not in _NOT_FILLED}


def _first(response: Payload, kind: str) -> str | None:
    values = (answer.text(kind).strip() for answer in response.each("answers") if answer.get("type") == kind)
    return next((value for value in values if value), None)


def _answers(response: Payload, setting: str) -> dict[str, Any] | None:
    """Return `{ref: answer}`. The ref is the name that you can give a question; without one it is the question's id."""
    if setting == "none":
        return None
    refs = {field.id("id"): field.id("ref", "") for field in response.each("definition.fields")}
    answers: dict[str, Any] = {}
    for answer in response.each("answers"):
        kind = answer.text("type")
        if kind not in _CLOSED and (setting != "all" or kind in _PEOPLE):
            continue
        field_id = answer.id("field.id")
        value = _value(answer, kind)
        if value is not None:
            answers[answer.id("field.ref", refs.get(field_id) or field_id)] = value
    return answers or None


def _value(answer: Payload, kind: str) -> Any:
    if kind == "choice":
        return answer.first("choice.label", "choice.other")
    if kind == "choices":
        labels = [label for label in answer.maybe("choices").maybe("labels").value or [] if isinstance(label, str)]
        other = answer.opt.text("choices.other")
        return [*labels, other] if other else labels
    value = answer.get(kind)
    return value if isinstance(value, str | int | Decimal) else None


@typeform.tracks({"form_response": "Form Submitted", "form_response_partial": "Form Abandoned"})
def form(event: Event) -> dict[str, Any]:
    """Return a response; a partial one was not completed and has the answers so far."""
    response = event.body.object("form_response")
    return {
        **response.select("form_id:id!", form_name="definition.title:text", response_id="token:id!"),
        **response.select("landed_at:iso", "calculated.score:decimal"),
        "ending": response.first("ending.ref:id", "ending.id:id"),
        "answers": _answers(response, ANSWERS.of(event)),
        "metadata": metadata_of(event, _hidden(response)),
    }
