"""`segue register` with local stand-ins of the providers' APIs."""

import json
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import pytest
from click.testing import CliRunner, Result

from translators.kit import Call, Need
from webhooks.cli.main import main
from webhooks.cli.registrar import RegistrationFailed, sender
from webhooks.sources import plugins

SOURCES = plugins.load().sources
REGISTERED = sorted(name for name, source in SOURCES.items() if source.declared.registration is not None)
BY_HAND = sorted(name for name, source in SOURCES.items() if source.declared.manual_steps is not None)
CHOSEN = sorted(
    name for name, source in SOURCES.items() if (steps := source.declared.manual_steps) is not None and steps.chosen
)
PAGES = Path(__file__).parent.parent.parent / "docs" / "sources"
URL = "https://hooks.example.com/webhooks/"


@dataclass
class Asked:
    """One request as it came."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def form(self) -> list[tuple[str, str]]:
        return parse_qsl(self.body.decode())


@dataclass
class Api:
    """Records what it is asked; answers by method and path."""

    url: str = ""
    answers: dict[str, Any] = field(default_factory=dict)
    asked: list[Asked] = field(default_factory=list)

    def answer(self, path: str, value: Any, status: int = 200) -> None:
        self.answers[path] = (status, value)


@pytest.fixture
def api() -> Iterator[Api]:
    recorder = Api()

    class Handler(BaseHTTPRequestHandler):
        def answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            recorder.asked.append(Asked(self.command, self.path, dict(self.headers), body))
            status, value = recorder.answers.get(f"{self.command} {self.path}", (404, {"error": "no such path"}))
            raw = b"" if value is None else json.dumps(value).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(raw)))
            self.end_headers()
            self.wfile.write(raw)

        do_GET = do_POST = do_PUT = do_PATCH = answer

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        recorder.url = f"http://127.0.0.1:{server.server_port}"
        yield recorder
        server.shutdown()


def register(api: Api, name: str, *more: str) -> Result:
    return CliRunner().invoke(main, ["register", name, "--url", URL + name, "--api-base", api.url, *more])


def give(**values: str) -> list[str]:
    return [part for name, value in values.items() for part in ("--give", f"{name}={value}")]


@dataclass(frozen=True)
class Stand:
    """What an operator gives, what the provider's API answers, and what must come of it.

    `types` reads the event types out of what was asked; `is_expected` selects those that should be there.
    """

    values: dict[str, str]
    answers: dict[str, Any]
    types: Callable[[list[Asked]], list[str]]
    secret: str | Callable[[list[Asked]], str] = ""
    is_expected: Callable[[str], bool] = lambda _: True
    renamed: Callable[[str], list[str]] = lambda type_: [type_]


def last(path: str) -> Callable[[list[Asked]], Any]:
    """A member of the last request's JSON body, by dotted path."""

    def of(asked: list[Asked]) -> Any:
        value = asked[-1].json
        for step in path.split("."):
            value = value[int(step) if step.isdecimal() else step]
        return value

    return of


def fields(name: str) -> Callable[[list[Asked]], list[str]]:
    return lambda asked: [
        value for request in asked if request.body for key, value in request.form if key.startswith(name)
    ]


def events_of_slack(asked: list[Asked]) -> list[str]:
    return json.loads(dict(asked[-1].form)["manifest"])["settings"]["event_subscriptions"]["bot_events"]


SENDGRID = "/v3/user/webhooks/event/settings"
TWILIO = "/v1/Services/MG1"
ENS = "/platform/v1/ens-"
HUBSPOT = "/webhooks/v3/33"
HUB_KEY = "?hapikey=hub-key-long"
KEYS = ("eventType", "propertyName", "objectTypeId")
STANDS: dict[str, Stand] = {
    "stripe": Stand(
        {"api_key": "sk_test_long"},
        {"POST /v1/webhook_endpoints": {"id": "we_1", "secret": "whsec_fresh"}},
        fields("enabled_events[]"),
        "whsec_fresh",
        lambda type_: not type_.startswith(("v1.", "v2.")),
    ),
    "zendesk": Stand(
        {"subdomain": "acme", "email": "a@example.com", "api_token": "tok-zendesk"},
        {
            "POST /api/v2/webhooks": {"webhook": {"id": "01H"}},
            "GET /api/v2/webhooks/01H/signing_secret": {"signing_secret": {"algorithm": "SHA256", "secret": "zs"}},
        },
        lambda asked: asked[0].json["webhook"]["subscriptions"],
        "zs",
        lambda type_: not type_.startswith("trigger."),
        lambda type_: [f"zen:event-type:{type_}"],
    ),
    "paddle": Stand(
        {"api_key": "pdl_live_key"},
        {"POST /notification-settings": {"data": {"id": "ntfset_1", "endpoint_secret_key": "pdl_ntfset_k"}}},
        last("subscribed_events"),
        "pdl_ntfset_k",
    ),
    "chargebee": Stand(
        {"site": "acme", "api_key": "live_key_1"},
        {"POST /api/v2/webhook_endpoints": {"webhook_endpoint": {"id": "we_1"}}},
        fields("enabled_events["),
        lambda asked: "segue:" + dict(asked[0].form)["basic_auth_password"],
    ),
    "paypal": Stand(
        {"client_id": "AZDx-client", "client_secret": "EGnHDx-secret"},
        {
            "POST /v1/oauth2/token": {"access_token": "A21AA"},
            "POST /v1/notifications/webhooks": {"id": "0EH40505U7160970P"},
        },
        lambda asked: [event_type["name"] for event_type in asked[-1].json["event_types"]],
        "0EH40505U7160970P",
    ),
    "shopify": Stand(
        {"shop": "acme", "access_token": "shpat_token"},
        {
            "POST /admin/api/2026-07/graphql.json": {
                "data": {"webhookSubscriptionCreate": {"webhookSubscription": {"id": "1"}, "userErrors": []}}
            }
        },
        lambda asked: [request.json["variables"]["topic"] for request in asked],
        renamed=lambda type_: [type_.replace("/", "_").upper()],
    ),
    "sendgrid": Stand(
        {"api_key": "SG.long-key"},
        {
            f"POST {SENDGRID}": {"id": "w1", "enabled": True},
            f"PATCH {SENDGRID}/signed/w1": {"id": "w1", "public_key": "MFkwEwYH"},
        },
        lambda asked: [name for name, value in asked[0].json.items() if value is True and name != "enabled"],
        "MFkwEwYH",
        renamed=lambda type_: ["spam_report" if type_ == "spamreport" else type_],
    ),
    "postmark": Stand(
        {"server_token": "server-token", "message_stream": "mine"},
        {"POST /webhooks": {"ID": 1234567}},
        lambda asked: [name for name, value in asked[0].json["Triggers"].items() if value["Enabled"]],
        lambda asked: "segue:" + asked[0].json["HttpAuth"]["Password"],
    ),
    "resend": Stand(
        {"api_key": "re_long_key"},
        {"POST /webhooks": {"object": "webhook", "id": "4dd3", "signing_secret": "whsec_r"}},
        last("events"),
        "whsec_r",
    ),
    "jira": Stand(
        {"site": "acme.atlassian.net", "email": "a@example.com", "api_token": "jira-token"},
        {"POST /rest/webhooks/1.0/webhook": {"self": "https://acme.atlassian.net/rest/webhooks/1.0/webhook/72"}},
        last("events"),
        last("secret"),
        lambda type_: not type_.startswith("rule."),
    ),
    "linear": Stand(
        {"api_key": "lin_api_long_key"},
        {"POST /graphql": {"data": {"webhookCreate": {"success": True, "webhook": {"id": "w-1"}}}}},
        last("variables.input.resourceTypes"),
        last("variables.input.secret"),
        lambda type_: not type_.startswith("OAuthApp"),
        lambda type_: [type_.partition(".")[0]],
    ),
    "kustomer": Stand(
        {"organization": "acme", "api_key": "kustomer-key"},
        {"POST /v1/outbound-webhooks": {"data": {"id": "w1", "attributes": {"token": "whk-token-1"}}}},
        last("events"),
        "whk-token-1",
    ),
    "hubspot": Stand(
        {"app_id": "33", "developer_api_key": "hub-key-long"},
        {
            f"PUT {HUBSPOT}/settings{HUB_KEY}": {"targetUrl": URL + "hubspot"},
            f"GET {HUBSPOT}/subscriptions{HUB_KEY}": {"results": []},
            f"POST {HUBSPOT}/subscriptions{HUB_KEY}": {"id": "1"},
        },
        lambda asked: [request.json["eventType"] for request in asked if request.method == "POST"],
        renamed=lambda type_: [type_.replace("lead.", "object.")],
    ),
    "github": Stand(
        {"token": "ghp_long", "target": "acme/shop"},
        {"POST /repos/acme/shop/hooks": {"id": 1}},
        last("events"),
        last("config.secret"),
        lambda type_: not type_.startswith(("installation", "marketplace_purchase")),
        lambda type_: [type_.partition(".")[0]],
    ),
    "typeform": Stand(
        {"token": "tfp_long_token", "form_id": "u6nXL7"},
        {"PUT /forms/u6nXL7/webhooks/segue": {"id": "1"}},
        last("event_types"),
        last("secret"),
    ),
    "calcom": Stand(
        {"api_key": "cal_live_long"},
        {"POST /v2/webhooks": {"status": "success", "data": {"id": "1"}}},
        last("triggers"),
        last("secret"),
    ),
    "calendly": Stand(
        {"token": "eyJ-long-token"},
        {
            "GET /users/me": {"resource": {"uri": "https://u/1", "current_organization": "https://o/1"}},
            "POST /webhook_subscriptions": {"resource": {"uri": "https://s/1"}},
        },
        last("events"),
        last("signing_key"),
    ),
    "helpscout": Stand(
        {"app_id": "app-1", "app_secret": "app-secret-1"},
        {"POST /v2/oauth2/token": {"access_token": "t"}, "POST /v2/webhooks": None},
        last("events"),
        last("secret"),
        lambda type_: not type_.startswith(("organization.", "convo.ai-")),
    ),
    "mailgun": Stand(
        {"api_key": "key-mailgun", "domain": "mg.example.com"},
        {
            "POST /v3/domains/mg.example.com/webhooks": {"message": "Webhook has been created"},
            "GET /v5/accounts/http_signing_key": {"message": "success", "http_signing_key": "signing-1"},
        },
        fields("id"),
        "signing-1",
        lambda type_: type_ != "rejected",
        lambda type_: ["permanent_fail", "temporary_fail"] if type_ == "failed" else [type_],
    ),
    "revenuecat": Stand(
        {"api_key": "sk_revenuecat", "project_id": "proj1"},
        {"POST /v2/projects/proj1/integrations/webhooks": {"id": "wh_1"}},
        last("event_types"),
        last("authorization_header"),
        renamed=lambda type_: [type_.lower()],
    ),
    "square": Stand(
        {"access_token": "EAAA-square"},
        {"POST /v2/webhooks/subscriptions": {"subscription": {"id": "wbhk_1", "signature_key": "sq-key"}}},
        last("subscription.event_types"),
        "sq-key",
    ),
    "adyen": Stand(
        {"api_key": "AQE-adyen-key", "merchant": "AcmeCOM"},
        {
            "POST /v3/merchants/AcmeCOM/webhooks": {"id": "S2-1"},
            "POST /v3/merchants/AcmeCOM/webhooks/S2-1/generateHmac": {"hmacKey": "44AB"},
        },
        lambda asked: asked[0].json["additionalSettings"]["includeEventCodes"],
        "44AB",
    ),
    "gorgias": Stand(
        {"domain": "acme", "email": "a@example.com", "api_key": "gorgias-key"},
        {"POST /api/integrations": {"id": 5}},
        lambda asked: [trigger for request in asked for trigger in request.json["http"]["triggers"]],
        last("http.headers.X-Segue-Token"),
    ),
    "chatwoot": Stand(
        {"server_url": "https://chat.example.com/", "account_id": "3", "access_token": "chatwoot-token"},
        {"POST /api/v1/accounts/3/webhooks": {"payload": {"webhook": {"id": 5, "secret": "cw-secret"}}}},
        last("subscriptions"),
        "cw-secret",
    ),
    "plain": Stand(
        {"api_key": "plainApiKey_long"},
        {
            "POST /graphql/v1": {
                "data": {
                    "createWebhookTarget": {"webhookTarget": {"id": "whTarget_1"}, "error": None},
                    "workspaceHmac": {"hmacSecret": "plain-secret"},
                }
            }
        },
        lambda asked: [subscription["eventType"] for subscription in asked[0].json["variables"]["input"]["eventSubscriptions"]],
        "plain-secret",
    ),
    "slack": Stand(
        {"config_token": "xoxe.long", "app_id": "A1"},
        {
            "POST /api/apps.manifest.export": {
                "ok": True,
                "manifest": {
                    "display_information": {"name": "Acme"},
                    "features": {"unfurl_domains": ["acme.example"]},
                    "oauth_config": {"scopes": {"bot": ["chat:write"]}},
                },
            },
            "POST /api/apps.manifest.update": {"ok": True},
        },
        events_of_slack,
        "",
        lambda type_: "." not in type_ and type_ not in {
            "block_actions", "message_action", "shortcut", "slash_command", "view_submission"
        },
        lambda type_: ["message.channels" if type_ == "message" else type_],
    ),
    "twilio": Stand(
        {"account_sid": "AC1", "auth_token": "twilio-token", "service_sid": "MG1"},
        {f"GET {TWILIO}": {"status_callback": None}, f"POST {TWILIO}": {"sid": "MG1"}},
        lambda _: ["the statuses have no types of their own"],
        "twilio-token",
        lambda _: False,
    ),
    "salesforce": Stand(
        {"instance_url": "https://acme.my.salesforce.com", "access_token": "00D!long", "username": "a@example.com"},
        {"POST /services/data/v61.0/tooling/sobjects/WorkflowOutboundMessage": {"id": "04k1", "success": True}},
        lambda asked: [request.json["FullName"].partition(".")[0] for request in asked],
        lambda asked: asked[0].json["Metadata"]["endpointUrl"].rpartition("/")[2],
        lambda type_: "*" not in type_,
    ),
    "salesforce_marketing_cloud": Stand(
        {"subdomain": "mc1", "access_token": "ens-token", "callback_id": "cb-1", "verification_key": "vk-long-key"},
        {f"POST {ENS}verify": None, f"POST {ENS}subscriptions": [{"subscriptionId": "s1"}]},
        last("0.eventCategoryTypes"),
    ),
}  # fmt: skip


def stand_in(api: Api, name: str, *more: str) -> Result:
    for path, value in STANDS[name].answers.items():
        api.answer(path, value)
    return register(api, name, *give(**STANDS[name].values), *more)


def needs(name: str) -> Sequence[Need]:
    registration = SOURCES[name].declared.registration
    assert registration is not None
    return registration.needs


def test_every_registration_has_a_stand_in() -> None:
    assert set(STANDS) >= set(REGISTERED)


@pytest.mark.parametrize("name", sorted(STANDS))
def test_each_api_gets_exactly_the_translated_types(api: Api, name: str) -> None:
    stand = STANDS[name]
    done = stand_in(api, name)
    assert done.exit_code == 0, done.output
    assert [f"{request.method} {request.path}" for request in api.asked][-1] == list(stand.answers)[-1]
    asked = "\n".join(request.body.decode() for request in api.asked)
    text = asked + "".join(str(request.form) for request in api.asked)
    assert URL + name in text or name == "salesforce_marketing_cloud", "the second run names no URL"
    expected = {
        name for type_ in SOURCES[name].declared.handlers if stand.is_expected(type_) for name in stand.renamed(type_)
    }
    if expected:
        assert set(stand.types(api.asked)) == expected
    secret = stand.secret if isinstance(stand.secret, str) else stand.secret(api.asked)
    assert (f"{name.upper()}_WEBHOOK_SECRET={secret}" in done.output) == bool(secret)
    values = [stand.values[need.name] for need in needs(name) if need.secret and need.name in stand.values]
    assert not [value for value in values if value != secret and value in done.output]


@pytest.mark.parametrize("name", sorted(STANDS))
def test_a_dry_run_shows_every_request_without_secrets_and_sends_nothing(api: Api, name: str, tmp_path: Path) -> None:
    stand = STANDS[name]
    env = tmp_path / ".env"
    done = stand_in(api, name, "--dry-run", "--save", str(env))
    assert done.exit_code == 0, done.output
    assert api.asked == []
    assert not env.exists()
    assert done.output.count("https://") >= len(stand.answers)
    for need in needs(name):
        assert f"--give {need.name}=" in done.output
        if need.secret and need.name in stand.values:
            assert stand.values[need.name] not in done.output


@pytest.mark.parametrize("name", sorted(STANDS))
def test_the_secret_can_be_saved_instead_of_shown(api: Api, name: str, tmp_path: Path) -> None:
    env = tmp_path / ".env"
    env.write_text("A=1\n")
    done = stand_in(api, name, "--save", str(env))
    assert done.exit_code == 0, done.output
    stand = STANDS[name]
    secret = stand.secret if isinstance(stand.secret, str) else stand.secret(api.asked)
    if secret:
        assert secret not in done.output
        assert env.read_text() == f"A=1\n{name.upper()}_WEBHOOK_SECRET={secret}\n"
    else:
        assert env.read_text() == "A=1\n"


@pytest.mark.parametrize("name", sorted(SOURCES))
def test_every_source_registers_or_has_manual_steps(name: str) -> None:
    source = SOURCES[name]
    assert source.declared.registration is not None or source.declared.manual_steps is not None, (
        "declare a registration, or by_hand steps"
    )
    if source.declared.manual_steps is not None:
        assert any("{url}" in step for step in source.declared.manual_steps.steps)
        assert bool(source.declared.manual_steps.chosen) == any(
            "{secret}" in step for step in source.declared.manual_steps.steps
        )


@pytest.mark.parametrize("name", REGISTERED)
def test_source_page_names_the_register_command_and_its_needs(name: str) -> None:
    page = (PAGES / f"{name}.md").read_text()
    assert f"segue register {name}" in page
    missing = [need.env for need in needs(name) if need.default is None and f"`{need.env}`" not in page]
    assert missing == []


@pytest.mark.parametrize("name", sorted(SOURCES))
def test_manual_steps_show_url_and_secret(name: str, tmp_path: Path) -> None:
    env = tmp_path / ".env"
    command = ["register", name, "--url", URL + name, "--by-hand"]
    done = CliRunner().invoke(main, command)
    assert done.exit_code == 0, done.output
    assert URL + name in done.output
    assert f"{name.upper()}_WEBHOOK_SECRET" in done.output
    assert "{" not in done.output
    dry = CliRunner().invoke(main, [*command, "--dry-run", "--save", str(env)])
    assert "No secret was created" in dry.output
    assert not env.exists()


@pytest.mark.parametrize("name", CHOSEN)
def test_secret_chosen_by_segue_is_generated_and_saved(name: str, tmp_path: Path) -> None:
    env = tmp_path / ".env"
    command = ["register", name, "--url", URL + name, "--by-hand"]
    printed = CliRunner().invoke(main, command).output
    secret = printed.partition(f"{name.upper()}_WEBHOOK_SECRET=")[2].split()[0]
    assert printed.count(secret) >= 2, "the step shows what to paste"
    saved = CliRunner().invoke(main, [*command, "--save", str(env)]).output
    kept = env.read_text().strip().partition("=")[2]
    assert len(kept) >= 43
    assert kept not in saved
    assert kept != secret


def test_secret_of_the_provider_is_asked_for_at_a_terminal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    env = tmp_path / ".env"
    command = ["register", "intercom", "--url", URL + "intercom", "--save", str(env)]
    assert "Nothing was written" in CliRunner().invoke(main, command, input="from-the-console\n").output
    monkeypatch.setattr("webhooks.cli.register._at_a_terminal", lambda: True)
    done = CliRunner().invoke(main, command, input="from-the-console\n")
    assert env.read_text() == "INTERCOM_WEBHOOK_SECRET=from-the-console\n"
    assert "from-the-console" not in done.output


def test_previous_secret_stays_valid_after_save(api: Api, tmp_path: Path) -> None:
    env = tmp_path / ".env"
    env.write_text("A=1\nexport STRIPE_WEBHOOK_SECRET='old one'\nB='two\nlines'\n")
    env.chmod(0o640)
    done = stand_in(api, "stripe", "--save", str(env))
    assert "stays valid" in done.output
    assert env.read_text() == "A=1\nB='two\nlines'\nSTRIPE_WEBHOOK_SECRET='whsec_fresh,old one'\n"
    assert env.stat().st_mode & 0o777 == 0o640
    again = stand_in(api, "stripe", "--save", str(env))
    assert "stays valid" not in again.output.replace("The previous secret in", "", 0)
    assert env.read_text().count("whsec_fresh") == 1


def test_missing_needs_of_the_api_are_listed(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("STRIPE_API_KEY", raising=False)
    done = register(api, "stripe")
    assert done.exit_code == 1
    assert "STRIPE_API_KEY" in done.output
    monkeypatch.setenv("STRIPE_API_KEY", "sk_env")
    api.answer("POST /v1/webhook_endpoints", {"secret": "whsec_fresh"})
    assert register(api, "stripe").exit_code == 0


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        ((401, {"error": {"message": "Invalid API Key sk_test_long"}}), "answered 401"),
        ((200, {"id": "we_1"}), "undocumented response"),
    ],
)
def test_refusal_is_shown_in_the_providers_words(api: Api, answer: Any, says: str) -> None:
    api.answers["POST /v1/webhook_endpoints"] = answer
    done = register(api, "stripe", *give(api_key="sk_test_long"))
    assert done.exit_code == 1
    assert says in done.output
    assert "sk_test_long" not in done.output


def test_unreachable_api_is_a_failure() -> None:
    done = register(Api(url="http://127.0.0.1:1"), "stripe", *give(api_key="sk_test_1"))
    assert done.exit_code == 1
    assert "cannot be reached" in done.output


def test_requests_before_a_failure_are_counted(api: Api) -> None:
    api.answer("POST /v3/user/webhooks/event/settings", {"id": "w1"})
    done = register(api, "sendgrid", *give(api_key="SG.long"))
    assert done.exit_code == 1
    assert "1 of the requests succeeded" in done.output


def test_refusal_with_status_200_is_recognised(api: Api) -> None:
    error = {"message": "Event Subscription requires a Request URL", "pointer": "/settings"}
    api.answer("POST /api/apps.manifest.export", {"ok": False, "error": "invalid_manifest", "errors": [error]})
    done = register(api, "slack", *give(**STANDS["slack"].values))
    assert done.exit_code == 1
    assert "invalid_manifest Event Subscription requires a Request URL" in done.output
    shopify = "POST /admin/api/2026-07/graphql.json"
    api.answer(shopify, {"data": {"webhookSubscriptionCreate": {"userErrors": [{"message": "Address is invalid"}]}}})
    done = register(api, "shopify", *give(**STANDS["shopify"].values))
    assert done.exit_code == 1
    assert "checkouts/create: Address is invalid" in done.output
    refused = {"data": {"createWebhookTarget": {"webhookTarget": None, "error": {"message": "Too many targets"}}}}
    for answer, says in (
        (refused, "Too many targets"),
        ({"errors": [{"message": "Insufficient permissions"}]}, "Insufficient permissions"),
    ):
        api.answer("POST /graphql/v1", answer)
        done = register(api, "plain", *give(**STANDS["plain"].values))
        assert done.exit_code == 1
        assert says in done.output


def test_key_without_access_to_the_secret_still_registers(api: Api) -> None:
    target = {"createWebhookTarget": {"webhookTarget": {"id": "whTarget_1"}, "error": None}, "workspaceHmac": None}
    api.answer("POST /graphql/v1", {"data": target})
    done = register(api, "plain", *give(**STANDS["plain"].values))
    assert done.exit_code == 0
    assert "Request signing" in done.output

    api.answer("POST /graphql", {"errors": [{"message": "Only admins may create webhooks"}]})
    done = register(api, "linear", *give(**STANDS["linear"].values))
    assert done.exit_code == 1
    assert "Only admins may create webhooks" in done.output


def test_jira_registers_all_issues_or_a_query(api: Api) -> None:
    stand_in(api, "jira")
    assert api.asked[-1].json["filters"] == {}
    assert not api.asked[-1].json["excludeBody"]
    stand_in(api, "jira", *give(jql="project = HELP", site="https://jira.example.com/jira/"))
    assert api.asked[-1].json["filters"] == {"issue-related-events-section": "project = HELP"}
    assert api.asked[-1].path == "/jira/rest/webhooks/1.0/webhook"


def test_linear_registers_all_public_teams_or_one(api: Api) -> None:
    stand_in(api, "linear")
    assert api.asked[-1].headers["Authorization"] == "lin_api_long_key"
    everything = api.asked[-1].json["variables"]["input"]
    stand_in(api, "linear", *give(team="HLP"))
    one = api.asked[-1].json["variables"]["input"]
    assert (everything["allPublicTeams"], everything.get("teamId")) == (True, None)
    assert (one.get("allPublicTeams"), one["teamId"]) == (None, "HLP")


def test_topics_of_an_earlier_run_are_accepted(api: Api) -> None:
    error = {"message": "Address for this topic has already been taken"}
    shopify = "POST /admin/api/2026-07/graphql.json"
    api.answer(shopify, {"data": {"webhookSubscriptionCreate": {"userErrors": [error]}}})
    assert register(api, "shopify", *give(**STANDS["shopify"].values)).exit_code == 0


@pytest.mark.parametrize(
    ("name", "path", "answer"),
    [
        ("twilio", f"GET {TWILIO}", {"status_callback": "https://other.example/hook"}),
        (
            "slack",
            "POST /api/apps.manifest.export",
            {
                "ok": True,
                "manifest": {"settings": {"event_subscriptions": {"request_url": "https://other.example/hook"}}},
            },
        ),
    ],
)
def test_webhook_with_another_url_is_not_changed(api: Api, name: str, path: str, answer: Any) -> None:
    api.answer(path, answer)
    done = register(api, name, *give(**STANDS[name].values))
    assert done.exit_code == 1
    assert "https://other.example/hook" in done.output
    assert len(api.asked) == 1


def test_slack_keeps_existing_settings_of_the_app(api: Api) -> None:
    stand_in(api, "slack")
    manifest = json.loads(dict(api.asked[-1].form)["manifest"])
    assert manifest["display_information"] == {"name": "Acme"}
    assert {"chat:write", "channels:history", "links:read"} <= set(manifest["oauth_config"]["scopes"]["bot"])
    assert "interactivity" not in manifest["settings"]


def test_slack_links_need_a_domain_of_the_app(api: Api) -> None:
    stand_in(api, "slack")
    api.answer("POST /api/apps.manifest.export", {"ok": True, "manifest": {}})
    register(api, "slack", *give(**STANDS["slack"].values))
    manifest = json.loads(dict(api.asked[-1].form)["manifest"])
    assert "link_shared" not in manifest["settings"]["event_subscriptions"]["bot_events"]
    assert "links:read" not in manifest["oauth_config"]["scopes"]["bot"]


def test_marketing_cloud_is_registered_in_two_runs(api: Api) -> None:
    api.answer(f"POST {ENS}callbacks", [{"callbackId": "cb-1", "signatureKey": "ens-key"}])
    values = {"subdomain": "mc1", "access_token": "ens-token"}
    first = register(api, "salesforce_marketing_cloud", *give(**values))
    assert "SALESFORCE_MARKETING_CLOUD_WEBHOOK_SECRET=ens-key" in first.output
    assert "--give verification_key" in first.output
    half = register(api, "salesforce_marketing_cloud", *give(**values, callback_id="cb-1"))
    assert half.exit_code == 1
    second = stand_in(api, "salesforce_marketing_cloud")
    assert second.output.splitlines()[-1] == "Registered."


def test_calendly_user_scope_has_no_organisation_events(api: Api) -> None:
    stand_in(api, "calendly", *give(scope="user"))
    body = api.asked[-1].json
    assert body["user"] == "https://u/1"
    assert not [type_ for type_ in body["events"] if type_.startswith(("routing_form", "contact."))]


def test_hubspot_adds_only_missing_subscriptions(api: Api) -> None:
    there = [
        {"id": "7", "eventType": "contact.creation", "active": True},
        {"id": "8", "eventType": "contact.propertyChange", "propertyName": "email", "active": False},
        {"id": "9", "eventType": "object.creation", "objectTypeId": "0-136", "active": True},
    ]
    api.answer(f"GET {HUBSPOT}/settings{HUB_KEY}", {"targetUrl": URL + "hubspot"})
    api.answer(f"PATCH {HUBSPOT}/subscriptions/8{HUB_KEY}", {"id": "8"})
    stand = STANDS["hubspot"]
    for asked, value in (stand.answers | {f"GET {HUBSPOT}/subscriptions{HUB_KEY}": {"results": there}}).items():
        api.answer(asked, value)
    done = register(api, "hubspot", *give(**stand.values, properties="contact.user_id deal.arr"))
    assert done.exit_code == 0, done.output
    assert not [request for request in api.asked if request.method == "PUT"]
    assert [request.json for request in api.asked if request.method == "PATCH"] == [{"active": True}]
    made = [tuple(request.json.get(name) for name in KEYS) for request in api.asked if request.method == "POST"]
    assert len(made) == len(set(made))
    assert not {tuple(one.get(name) for name in KEYS) for one in there} & set(made)
    assert ("contact.propertyChange", "user_id", None) in made
    assert ("deal.propertyChange", "arr", None) in made


def test_hubspot_app_with_another_url_is_not_changed(api: Api) -> None:
    api.answer(f"GET {HUBSPOT}/settings{HUB_KEY}", {"targetUrl": "https://other.example.com/hook"})
    done = stand_in(api, "hubspot")
    assert done.exit_code == 1
    assert "https://other.example.com/hook" in done.output
    assert [request.method for request in api.asked] == ["GET"]


def test_github_registers_an_organisation(api: Api) -> None:
    api.answer("POST /orgs/acme/hooks", {"id": 1})
    assert register(api, "github", *give(token="ghp_long", target="acme")).exit_code == 0


def test_salesforce_sends_custom_fields(api: Api) -> None:
    stand_in(api, "salesforce", *give(fields="Contact.User_Id__c"))
    metadata = {request.json["FullName"]: request.json["Metadata"] for request in api.asked}
    assert "User_Id__c" in metadata["Contact.Segue_Contact"]["fields"]
    assert "User_Id__c" not in metadata["Lead.Segue_Lead"]["fields"]
    assert not any(fields["includeSessionId"] for fields in metadata.values())
    done = stand_in(api, "salesforce", *give(fields="Order.Total__c"))
    assert done.exit_code == 1
    assert "Order.Total__c" in done.output


def test_gorgias_template_matches_its_page(api: Api) -> None:
    """Each trigger has an integration of its own, since a template cannot tell which of them fired."""
    stand_in(api, "gorgias")
    page = json.loads((PAGES / "gorgias.md").read_text().partition("```json")[2].partition("```")[0])
    for request in api.asked:
        form, triggers = request.json["http"]["form"], request.json["http"]["triggers"]
        assert list(triggers) == [form["type"]]
        whole = {name: page[name] for name in page if name != "message" or form["type"] == "ticket-message-created"}
        assert form == whole | {"type": form["type"]}


@pytest.mark.parametrize(
    ("name", "where"),
    [("paddle", "sandbox-api.paddle.com"), ("paypal", "sandbox"), ("square", "sandbox"), ("adyen", "management-test")],
)
def test_sandbox_has_its_own_api_address(api: Api, name: str, where: str) -> None:
    word = "test" if name == "adyen" else "sandbox"
    assert where not in stand_in(api, name, "--dry-run").output.partition("Nothing was sent")[0]
    assert where in stand_in(api, name, "--dry-run", *give(environment=word)).output.partition("Nothing was sent")[0]


def test_only_narrows_the_types(api: Api) -> None:
    stand_in(api, "stripe", "--only", "invoice.*", "--only", "charge.failed")
    types = fields("enabled_events[]")(api.asked)
    assert "charge.failed" in types
    assert all(type_.startswith("invoice.") or type_ == "charge.failed" for type_ in types)
    done = stand_in(api, "stripe", "--only", "invoce.*")
    assert done.exit_code == 1
    assert "segue sources stripe" in done.output


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["nothing", "--url", URL], "No source"),
        (["stripe", "--url", "http://plain.example/x"], "not an https address"),
        (["stripe", "--url", "hooks.example.com"], "not an https address"),
        (["stripe"], "SEGUE_PUBLIC_URL"),
        (["stripe", "--url", URL + "stripe", "--give", "colour=red"], "is not needed"),
        (["intercom", "--url", URL + "intercom", "--give", "colour=red"], "by hand"),
    ],
)
def test_register_refuses_wrong_arguments_with_a_hint(arguments: list[str], says: str) -> None:
    done = CliRunner().invoke(main, ["register", *arguments])
    assert done.exit_code == 1
    assert says in done.output


def test_url_comes_from_the_settings_and_another_one_is_a_warning(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEGUE_PUBLIC_URL", "https://hooks.example.com")
    done = CliRunner().invoke(main, ["register", "intercom"])
    assert URL + "intercom" in done.output
    assert "warn" not in done.output
    other = CliRunner().invoke(main, ["register", "intercom", "--url", "https://elsewhere.example.com/hook"])
    assert "/webhooks/intercom" in other.output
    assert "https://hooks.example.com/webhooks/intercom" in other.output


def test_an_endpoint_of_another_name_gets_its_own_variable(
    api: Api, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "segue.toml").write_text('[endpoints.stripe_test]\nsource = "stripe"\n')
    monkeypatch.chdir(tmp_path)
    api.answer("POST /v1/webhook_endpoints", {"secret": "whsec_fresh"})
    done = register(api, "stripe_test", *give(api_key="sk_test_1"))
    assert "STRIPE_TEST_WEBHOOK_SECRET=whsec_fresh" in done.output


def test_saving_to_a_world_readable_file_is_a_warning(tmp_path: Path) -> None:
    env = tmp_path / ".env"
    command = ["register", "freshdesk", "--url", f"{URL}freshdesk", "--by-hand", "--save", str(env)]
    assert "chmod" not in CliRunner().invoke(main, command).output
    env.write_bytes(b"\xef\xbb\xbf" + env.read_bytes())
    env.chmod(0o644)
    assert f"chmod 600 {env}" in CliRunner().invoke(main, command).output
    assert env.read_text().count("FRESHDESK_WEBHOOK_SECRET") == 1


def test_call_goes_to_the_sources_own_address_without_an_api_base(api: Api) -> None:
    api.answer("POST /hooks?page=1", {"id": "h1"})
    send = sender(SOURCES["github"], hidden=())
    assert send(Call("POST", f"{api.url}/hooks?page=1", {}, b"{}")).text("id") == "h1"
    assert api.asked[0].body == b"{}"
    assert send(Call("GET", f"{api.url}/gone", absent=True)).text("id", None) is None
    with pytest.raises(RegistrationFailed, match=r"GitHub answered 404: .*no such path"):
        send(Call("GET", f"{api.url}/gone"))
