"""`segue register stripe`: create the endpoint by Stripe's API. https://docs.stripe.com/api/webhook_endpoints/create"""

from __future__ import annotations

from translators.kit import Need, Registered, Registering, bearer, form_call
from translators.stripe.source import stripe


@stripe.registration(
    Need("api_key", "STRIPE_API_KEY", "a secret or restricted key that may write webhook endpoints (sk_... or rk_...)")
)
def register(at: Registering) -> Registered:
    """Create an endpoint for exactly the snapshot types that we translate. Only the response has its secret."""
    types = [type_ for type_ in at.types if not type_.startswith(("v1.", "v2."))]
    fields = [("url", at.url), ("description", "Segue"), *(("enabled_events[]", type_) for type_ in types)]
    answer = yield form_call("https://api.stripe.com/v1/webhook_endpoints", bearer(at.values["api_key"]), fields)
    return answer.text("secret")
