"""Published test vectors, each with its repository or page."""

from dataclasses import dataclass, field
from datetime import UTC, datetime

from translators.kit import (
    HmacBody,
    HmacFields,
    HmacKvHeader,
    HmacRequest,
    HmacTimestamped,
    PublicKey,
    Scheme,
    StandardWebhooks,
)  # fmt: skip
from webhooks.http.request import HttpRequest


@dataclass(frozen=True)
class Vector:
    name: str
    scheme: Scheme
    secret: str
    request: HttpRequest
    at: datetime = field(default_factory=lambda: datetime(2026, 1, 1, tzinfo=UTC))
    wrong_secrets: tuple[str, ...] = ()
    url: str = ""


def unix(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


GITHUB = HmacBody(header="X-Hub-Signature-256", prefix="sha256=")
JIRA = HmacBody(header="X-Hub-Signature", prefix="sha256=")
PLAIN = HmacBody(header="Plain-Request-Signature")
ADYEN_BODY = HmacBody(header="hmacsignature", encoding="base64", key="hex")
SLACK = HmacTimestamped(
    header="X-Slack-Signature", ts_header="X-Slack-Request-Timestamp", template="v0:{ts}:{body}", prefix="v0="
)
ZENDESK = HmacTimestamped(
    header="X-Zendesk-Webhook-Signature", ts_header="X-Zendesk-Webhook-Signature-Timestamp", ts_form="iso",
    template="{ts}{body}", encoding="base64",
)  # fmt: skip
STRIPE = HmacKvHeader(header="Stripe-Signature")
PADDLE = HmacKvHeader(
    header="Paddle-Signature", delimiter=";", ts_key="ts", sig_key="h1", template="{ts}:{body}", tolerance=5
)
RECURLY = HmacKvHeader(header="recurly-signature", positional=True, ts_form="auto")
SQUARE = HmacRequest(header="x-square-hmacsha256-signature", parts=("url", "body"))
HUBSPOT_3 = HmacRequest(
    header="X-HubSpot-Signature-v3",
    parts=("method", "url", "body", "ts"),
    ts_header="X-HubSpot-Request-Timestamp",
    decode_url=True,
)
HUBSPOT_2 = HmacRequest(
    header="X-HubSpot-Signature", parts=("secret", "method", "url", "body"), encoding="hex", plain=True
)
HUBSPOT_1 = HmacRequest(header="X-HubSpot-Signature", parts=("secret", "body"), encoding="hex", plain=True)
TWILIO = HmacRequest(
    header="X-Twilio-Signature", parts=("url", "form"), alg="sha1", port_variants=True, body_hash_param="bodySHA256"
)
ADYEN = HmacFields(
    items="notificationItems", sig_path="NotificationRequestItem.additionalData.hmacSignature", join=":", encoding="base64", key="hex",
    fields=tuple(
        f"NotificationRequestItem.{name}"
        for name in ("pspReference", "originalReference", "merchantAccountCode", "merchantReference", "amount.value",
                     "amount.currency", "eventCode", "success")
    ),
)  # fmt: skip
MAILGUN = HmacFields(
    sig_path="signature.signature", fields=("signature.timestamp", "signature.token"), ts_path="signature.timestamp",
    token_path="signature.token", strength="authenticated",
)  # fmt: skip
SENDGRID = PublicKey(
    kind="ecdsa-p256-sha256", header="X-Twilio-Email-Event-Webhook-Signature",
    ts_header="X-Twilio-Email-Event-Webhook-Timestamp", template="{ts}{body}",
)  # fmt: skip
FRESHCHAT = PublicKey(kind="rsa-pkcs1v15-sha256", header="X-Freshchat-Signature")

HUB = "yyyyyyyy-yyyy-yyyy-yyyy-yyyyyyyyyyyy"
HUB_URL = "https://www.example.com/webhook_uri"
HUB_BODY = b"{'example_field':'example_value'}"
TWILIO_FORM = "application/x-www-form-urlencoded"
TWILIO_BODY = b"CallSid=CA1234567890ABCDE&Digits=1234&From=%2B14158675309&To=%2B18005551212&Caller=%2B14158675309"
TWILIO_URL = "https://mycompany.com/myapp.php?foo=1&bar=2"
TWILIO_HASH = "0a1ff7634d9ab3b95db5c9a2dfe9416e41502b283a80c7cf19632632f96e6620"
SLACK_BODY = (
    b"token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V&channel_name=foobar"
    b"&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text=&response_url=https%3A%2F%2Fhooks.slack.com"
    b"%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN&trigger_id=398738663015.47445629121"
    b".803a0bc887a14d10d2c447fce8b6703c"
)
ADYEN_ITEM = (
    b'{"notificationItems": [{"NotificationRequestItem": {"pspReference": "7914073381342284", "originalReference": "",'
    b' "merchantAccountCode": "TestMerchant", "merchantReference": "TestPayment-1407325143704",'
    b' "amount": {"value": 1130, "currency": "EUR"}, "eventCode": "AUTHORISATION", "success": "true",'
    b' "additionalData": {"hmacSignature": "coqCmt/IZ4E3CzPvMY8zTjQVL5hYJUiBRg8UU+iCWo0="}}}]}'
)
SENDGRID_BODY = (
    b'[{"email":"hello@world.com","event":"dropped","reason":"Bounced Address",'
    b'"sg_event_id":"ZHJvcC0xMDk5NDkxOS1MUnpYbF9OSFN0T0doUTRrb2ZTbV9BLTA",'
    b'"sg_message_id":"LRzXl_NHStOGhQ4kofSm_A.filterdrecv-p3mdw1-756b745b58-kmzbl-18-5F5FC76C-9.0",'
    b'"smtp-id":"<LRzXl_NHStOGhQ4kofSm_A@ismtpd0039p1iad1.sendgrid.net>","timestamp":1600112492}]\r\n'
)
FRESHCHAT_KEY = (
    "-----BEGIN RSA PUBLIC KEY-----MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAuGJLF4hTTtxWogT6dNkGf3CEgLAR2mGJzlds5cNbrHFoJNFnmVhkRYGz"
    "LYxx4EtDiezNCZVHfyMI2AKuNSQW2fEdDatVIG+q3Zr/X9eeDl8kQOGy804J/fgCYDrN8RQu0n5Dh1inv4puca0wb29SCvoAwrWb33ehDBIvv6+rUKBdjtv2xTV65kNi"
    "VDo5VRCaYRVeE10osxeONgw55HVY4nczuxnR+dmc2282de6WHe5LXtr0ZBdJ8yttFOLIluZ/sNM5DIWZBkIWQhyT581tbA7bTpsIbrT/IMBlmioIILw8WGtI7zcmNkjU"
    "5dnq5HnlVKEDhj/Ug/dLiyno8+Vp7QIDAQAB-----END RSA PUBLIC KEY-----"
)
FRESHCHAT_BODY = (
    b'{"actor":{"actor_type":"user","actor_id":"882f3926-b292-414b-a411-96380db373cd"},"action":"message_create",'
    b'"action_time":"2019-06-21T17:43:20.875Z","data":{"message":{"message_parts":[{"text":{"content":"Test 2"}}],'
    b'"app_id":"55b190fa-5d3c-45c4-bc49-74ddcfcf53d7","actor_id":"882f3926-b292-414b-a411-96380db373cd",'
    b'"id":"7a454fde-c720-4c97-a61d-0ffe70449eb6","channel_id":"c8fddfaf-622a-4a0e-b060-4f3ccbeab606",'
    b'"conversation_id":"c327498e-f713-481e-8d83-0603e03d2521","message_type":"normal","actor_type":"user",'
    b'"created_time":"2019-06-21T17:43:20.866Z"}}}'
)
FRESHCHAT_SIGNATURE = (
    "AhrmypOSWoewHG6LmIRuWjxyokuMDmPklrSU9p0gpUNjdSRCJzvpL6rjuTi5poV/ZLzWRWNM7X9yWjT5m9YFPshYrvigcd1ph4Ot2xmaJGYoUNJHijQccE6oDtDIp6i/"
    "8oLRafHgObQnGukZWPbP9OE5EiKz/VcsMP0Wv7hawI/sfIviM0w+6fNOKXWi0jDBH9ap1mj5CqOUOojni7OD5iYmIrjV/h33dyNmbvAta9E+trzcEhYqxfHIN4Z8R2Fs"
    "atfRHWicoQ4PE5cQ8+UONVya8qr85nQ9w8N7Ql7yNg9fEViYG4/W/JnGEbPPEf8WrYtKzoVyuupDz4mVHdfKWg=="
)
ADYEN_PLATFORM = b"""
        {
            "type": "merchant.created",
            "environment": "test",
            "createdAt": "01-01-2024",
            "data": {
                "capabilities": {
                    "sendToTransferInstrument": {
                        "requested": true,
                        "requestedLevel": "notApplicable"
                    }
                },
                "companyId": "YOUR_COMPANY_ID",
                "merchantId": "YOUR_MERCHANT_ACCOUNT",
                "status": "PreActive"
            }
        }
        """
HUB_EVENT = (
    b'[{"eventId":1,"subscriptionId":12345,"portalId":62515,"occurredAt":1564113600000,'
    b'"subscriptionType":"contact.creation","attemptNumber":0,"objectId":123,"changeSource":"CRM","changeFlag":"NEW",'
    b'"appId":54321}]'
)
SQUARE_BODY = (
    b'{"merchant_id":"MLEFBHHSJGVHD","type":"webhooks.test_notification","event_id":"ac3ac95b-f97d-458c-a6e6-18981597e05f",'
    b'"created_at":"2022-07-13T20:30:59.037339943Z","data":{"type":"webhooks","id":"bc368e64-01aa-407e-b46e-3231809b1129"}}'
)


def sent(body: bytes, headers: dict[str, str], **more: object) -> HttpRequest:
    return HttpRequest(body=body, headers={name.lower(): value for name, value in headers.items()}, **more)  # type: ignore[arg-type]


def twilio(signature: str, body: bytes = TWILIO_BODY) -> HttpRequest:
    return sent(body, {"X-Twilio-Signature": signature, "Content-Type": TWILIO_FORM})


VECTORS = [
    # https://github.com/standard-webhooks/standard-webhooks (python library's tests)
    Vector(
        "standard webhooks", StandardWebhooks(), "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        sent(b'{"test": 2432232314}', {
            "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek", "webhook-timestamp": "1614265330",
            "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
        }), unix(1614265330),
    ),
    # https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries
    Vector(
        "github", GITHUB, "It's a Secret to Everybody",
        sent(b"Hello, World!", {"X-Hub-Signature-256": "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"}),
    ),
    # https://developer.atlassian.com/cloud/jira/platform/webhooks/
    Vector(
        "jira", JIRA, "It's a Secret to Everybody",
        sent(b"Hello World!", {"X-Hub-Signature": "sha256=a4771c39fbe90f317c7824e83ddef3caae9cb3d976c214ace1f2937e133263c9"}),
    ),
    # https://github.com/slackapi/python-slack-sdk tests/slack_sdk/signature/test_signature_verifier.py
    Vector(
        "slack", SLACK, "8f742231b10e8888abcd99yyyzzz85a5",
        sent(SLACK_BODY, {
            "X-Slack-Request-Timestamp": "1531420618",
            "X-Slack-Signature": "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503",
        }), unix(1531420618),
    ),
    # https://github.com/square/square-python-sdk tests/integration/test_webhooks_helper.py
    Vector(
        "square", SQUARE, "Ibxx_5AKakO-3qeNVR61Dw",
        sent(SQUARE_BODY, {"x-square-hmacsha256-signature": "GF4YkrJgGBDZ9NIYbNXBnMzqb2HoL4RW/S6vkZ9/2N4="}),
        url="https://webhook.site/679a4f3a-dcfa-49ee-bac5-9d0edad886b9",
    ),
    Vector(
        "square with odd characters", SQUARE, "signature-key",
        sent(b'{"data":{"type":"webhooks","id":">id<"}}',
             {"x-square-hmacsha256-signature": "Cxt7+aTi4rKgcA0bC4g9EHdVtLSDWdqccmL5MvihU4U="}),
        url="https://webhook.site/webhooks",
    ),
    # https://github.com/HubSpot/hubspot-api-python tests/spec/utils/test_signature.py
    Vector(
        "hubspot v3", HUBSPOT_3, HUB,
        sent(HUB_BODY, {"X-HubSpot-Signature-v3": "K36dawei4A+QBNolUOqo7s91KQDWQ5MXZ/QufNYuk/Y=",
                        "X-HubSpot-Request-Timestamp": "1693657560000"}), unix(1693657560), url=HUB_URL,
    ),
    Vector(
        "hubspot v2", HUBSPOT_2, HUB,
        sent(HUB_BODY, {"X-HubSpot-Signature": "4fe4e3a7d3cf09db53be39d0a58130e2aaba074ec123a9e355b876a689a1c383"}), url=HUB_URL,
    ),
    Vector(
        "hubspot v2 GET", HUBSPOT_2, HUB,
        sent(b"", {"X-HubSpot-Signature": "eee2dddcc73c94d699f5e395f4b9d454a069a6855fbfa152e91e88823087200e"}, method="GET"), url=HUB_URL,
    ),
    Vector(
        "hubspot v1", HUBSPOT_1, HUB,
        sent(HUB_BODY, {"X-HubSpot-Signature": "69fc6631a867edd4f9e9e627fc5c1148e3fbdd8b21837b6d2b8901c1fa57f750"}),
    ),
    # https://developers.hubspot.com/docs/faq/v1-request-validation
    Vector(
        "hubspot v1 of the docs", HUBSPOT_1, HUB,
        sent(HUB_EVENT, {"X-HubSpot-Signature": "232db2615f3d666fe21a8ec971ac7b5402d33b9a925784df3ca654d05f4817de"}),
    ),
    # https://github.com/twilio/twilio-python tests/unit/test_request_validator.py
    Vector("twilio", TWILIO, "12345", twilio("RSOYDt4T1cUTdK1PDd93/VVr8B8="), url=TWILIO_URL),
    Vector(
        "twilio duplicates", TWILIO, "12345",
        twilio("IK+Dwps556ElfBT0I3Rgjkr1wJU=", body=b"Sid=CA123&SidAccount=AC123&Digits=5678&Digits=1234&Digits=1234"),
        url=TWILIO_URL,
    ),
    Vector("twilio port 443", TWILIO, "12345", twilio("kvajT1Ptam85bY51eRf/AJRuM3w="), url="https://mycompany.com:443/myapp.php?foo=1&bar=2"),
    Vector("twilio without the port", TWILIO, "12345", twilio("kvajT1Ptam85bY51eRf/AJRuM3w="), url=TWILIO_URL),
    Vector("twilio http port 80", TWILIO, "12345", twilio("0ZXoZLH/DfblKGATFgpif+LLRf4="), url="http://mycompany.com/myapp.php?foo=1&bar=2"),
    Vector(
        "twilio json", TWILIO, "12345",
        sent(b'{"property": "value", "boolean": true}',
             {"X-Twilio-Signature": "a9nBmqA0ju/hNViExpshrM61xv4=", "Content-Type": "application/json"},
             query={"bodySHA256": TWILIO_HASH}),
        url=f"{TWILIO_URL}&bodySHA256={TWILIO_HASH}",
    ),
    # https://github.com/PaddleHQ/paddle-python-sdk tests/Unit/Notification/test_Verifier.py
    Vector(
        "paddle", PADDLE, "pdl_ntf_01hbpjmytsa32fhr36nqgc3kgb_WvRO0eL4Bj9rgYYIBZY6wZhG4EHy9jzh",
        sent(b"hello-world", {
            "Paddle-Signature": "ts=1696195954;h1=dummy;h1=d96299976a6eb066f484d7fde011ac56fc32b38fc9940bc419d6e537fdc6ef02"}),
        unix(1696195954),
        ("pdl_ntf_01hbpjmytsa32fhr36nqgc3kgb_TjIG2BXbm83HPXqNfziwe506sBEdqL/4",
         "pdl_ntf_01hbpjmytsa32fhr36nqgc3kgb_vB/yIOnTOCWIvpBadM5jzBZPHc7OmdSo"),
    ),
    # https://github.com/Adyen/adyen-python-api-library test/UtilTest.py
    Vector("adyen", ADYEN, "44782DEF547AAA06C910C43932B1EB0C71FC68D9D0C057550C48EC2ACF6BA056", sent(ADYEN_ITEM, {})),
    Vector(
        "adyen platform", ADYEN_BODY, "44782DEF547AAA06C910C43932B1EB0C71FC68D9D0C057550C48EC2ACF6BA056",
        sent(ADYEN_PLATFORM, {"hmacsignature": "fX74xUdztFmaXAn3IusMFFUBUSkLmDQUK0tm8xL6ZTU="}),
    ),
    # @team-plain/typescript-sdk src/tests/verify-plain-webhook.test.ts
    Vector(
        "plain", PLAIN, "secret",
        sent(b"hello-world", {"Plain-Request-Signature": "1bff4699de4fb5202a4b1e6cefd7b5fdfb02d19a67a1eb371dd417a45b0a47df"}),
    ),
    # https://github.com/sendgrid/sendgrid-python test/unit/test_eventwebhook.py
    Vector(
        "sendgrid", SENDGRID,
        "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE83T4O/n84iotIvIW4mdBgQ/7dAfSmpqIM8kF9mN1flpVKS3GRqe62gw+2fNNRaINXvVpiglSI8eNEc6wEA3F+g==",
        sent(SENDGRID_BODY, {
            "X-Twilio-Email-Event-Webhook-Timestamp": "1600112502",
            "X-Twilio-Email-Event-Webhook-Signature":
                "MEUCIGHQVtGj+Y3LkG9fLcxf3qfI10QysgDWmMOVmxG0u6ZUAiEAyBiXDWzM+uOe5W0JuG+luQAbPIqHh89M15TluLtEZtM=",
        }), unix(1600112502),
    ),
    # https://github.com/nyaruka/courier handlers/freshchat
    Vector("freshchat", FRESHCHAT, FRESHCHAT_KEY, sent(FRESHCHAT_BODY, {"X-Freshchat-Signature": FRESHCHAT_SIGNATURE})),
]  # fmt: skip
