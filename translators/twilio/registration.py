"""Set the callback of a Messaging Service."""

from __future__ import annotations

from translators.kit import Need, Refused, Registered, Registering, basic, form_call, json_call
from translators.twilio.source import twilio


@twilio.registration(
    Need("account_sid", "TWILIO_ACCOUNT_SID", "the Account SID (AC...)", secret=False),
    Need("auth_token", "TWILIO_AUTH_TOKEN", "the Auth Token, which is what Twilio signs with"),
    Need("service_sid", "TWILIO_SERVICE_SID", "the Messaging Service (MG...) that you send with", secret=False),
    Need("incoming", "TWILIO_INCOMING", "yes, to receive incoming messages through this URL too", False, "no"),
)
def register(at: Registering) -> Registered:
    """Set the callback of a Messaging Service; refuse if it already has another URL.

    https://www.twilio.com/docs/messaging/api/service-resource#update-a-service-resource
    """
    url = f"https://messaging.twilio.com/v1/Services/{at.values['service_sid']}"
    headers = basic(at.values["account_sid"], at.values["auth_token"])
    service = yield json_call("GET", url, headers)
    callbacks = {"status_callback": "StatusCallback"}
    if at.values["incoming"] == "yes":
        callbacks["inbound_request_url"] = "InboundRequestUrl"
    for name, field in callbacks.items():
        url_now = service.opt.text(name) or at.url
        if url_now != at.url:
            raise Refused(f"{field} of the service is already {url_now}: clear it there, or register by hand")
    yield form_call(url, headers, [(field, at.url) for field in callbacks.values()])
    return at.values["auth_token"]
