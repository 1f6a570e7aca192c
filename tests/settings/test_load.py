"""The environment and segue.toml become settings, or all errors are shown at once."""

import base64
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from translators.kit import HmacBody, HmacKvHeader, HmacRequest, Option, Source
from webhooks.errors import SettingsError
from webhooks.settings import EndpointSettings, Settings, load
from webhooks.sources.endpoints import bind

STRIPE = Source(
    "stripe",
    scheme=HmacKvHeader(header="Stripe-Signature"),
    options=[Option("livemode", "which", "live", ("live", "test", "both")), Option("types", "which", (), many=True)],
)
ZEN = Source(
    "zen",
    scheme={"url": HmacRequest(header="X", parts=("url", "body")), "body": HmacBody(header="X")},
)
SOURCES = {"stripe": STRIPE, "zen": ZEN}


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)


def settings(**environ):
    return load(environ, sources=SOURCES)


def faults(**environ):
    with pytest.raises(SettingsError) as caught:
        load(environ, sources=SOURCES)
    return caught.value.faults


def toml(tmp_path, text):
    (tmp_path / "segue.toml").write_text(text)


def test_without_settings_defaults_apply_and_no_endpoint_is_open() -> None:
    loaded = settings()
    assert (loaded.endpoints, loaded.namespace) == ({}, "default")
    assert loaded.segment == Settings().segment
    assert any("No endpoint is open" in warning for warning in loaded.warnings)


def test_a_source_has_an_endpoint_if_its_secret_is_set() -> None:
    loaded = settings(STRIPE_WEBHOOK_SECRET="whsec_1234567, whsec_7654321\nwhsec_1234567")
    assert list(loaded.endpoints) == ["stripe"]
    assert loaded.endpoints["stripe"].secrets == ("whsec_1234567", "whsec_7654321")


def test_an_empty_variable_is_not_set() -> None:
    assert settings(STRIPE_WEBHOOK_SECRET=" ", PORT="", SEGUE_DATABASE="").endpoints == {}


@pytest.mark.parametrize(
    ("name", "value", "fault"),
    [
        ("SEGMENT_REGION", "uk", "SEGMENT_REGION is 'uk': choose us or eu, or set SEGMENT_URL"),
        ("SEGMENT_URL", "ftp://x", "SEGMENT_URL is 'ftp://x': give a URL such as"),
        ("SEGMENT_URL", "http://", "SEGMENT_URL is 'http://': give a URL"),
        ("SEGMENT_URL", "http://a:b", "SEGMENT_URL is 'http://a:b': give a URL"),
        ("PORT", "http", "PORT is 'http': give a whole number from 1 to 65535"),
        ("PORT", "70000", "PORT is '70000': give a whole number from 1 to 65535"),
        ("SEGUE_SEGMENT_RATE", "nan", "SEGUE_SEGMENT_RATE is 'nan': give messages a second"),
        ("SEGUE_SEGMENT_RATE", "-1", "SEGUE_SEGMENT_RATE is '-1': give messages a second"),
        ("SEGUE_SEGMENT_GZIP", "maybe", "SEGUE_SEGMENT_GZIP is 'maybe': choose true or false"),
        ("SEGUE_MAX_BODY", "1TB", "SEGUE_MAX_BODY is '1TB': give a size from 1KiB to 64MiB"),
        ("SEGUE_RETENTION_DEAD", "9", "SEGUE_RETENTION_DEAD is '9': add the unit, such as 9d or 9h"),
        ("SEGUE_RETENTION_DEAD", "soon", "SEGUE_RETENTION_DEAD is 'soon': give a duration"),
        ("SEGUE_LEASE_SECONDS", "2h", "SEGUE_LEASE_SECONDS is '2h': give 1s to 1h"),
        ("SEGUE_WORKER_CLASS", "eventlet", "SEGUE_WORKER_CLASS is 'eventlet': choose gevent, gthread or sync"),
        ("SEGUE_NAMESPACE", "a b", "SEGUE_NAMESPACE is 'a b': give up to 64 letters"),
        ("SEGUE_DATABASE", "segue.db", "SEGUE_DATABASE is not a URL of PostgreSQL or of a SQLite file"),
        ("SEGUE_DATABASE", "sqlite:///:memory:", "SEGUE_DATABASE is in memory"),
    ],
)
def test_an_invalid_value_is_reported_with_its_problem_and_hint(name, value, fault) -> None:
    assert [message[: len(fault)] for message in faults(**{name: value})] == [fault]


def test_encryption_keys_are_base64_or_hexadecimal_and_plain_only_first() -> None:
    key, other = bytes(range(32)), bytes(range(1, 33))
    encoded = base64.b64encode(key).decode(), base64.urlsafe_b64encode(key).decode().rstrip("=")
    for text in (key.hex(), key.hex().upper(), *encoded):
        assert settings(SEGUE_ENCRYPTION_KEY=text).encryption_key == (key.hex(),)
    both = settings(SEGUE_ENCRYPTION_KEY=f"plain, {key.hex()} {other.hex()}").encryption_key
    assert both == ("plain", key.hex(), other.hex())


@pytest.mark.parametrize(
    ("value", "fault"),
    [
        ("my-pass-phrase!", "contains a word that is not a key: give 32 random bytes"),
        (bytes(range(32)).hex() + ",plain", "contains a word that is not a key"),
        (base64.b64encode(bytes(range(16))).decode(), "contains a key of 16 bytes"),
        ("00" * 32, "contains a key that is not random"),
        (f"{bytes(range(32)).hex()},{base64.b64encode(bytes(range(32))).decode()}", "contains a key twice"),
    ],
)
def test_an_invalid_encryption_key_is_reported_without_showing_it(value, fault) -> None:
    (message,) = faults(SEGUE_ENCRYPTION_KEY=value)
    assert message.startswith(f"SEGUE_ENCRYPTION_KEY {fault}")
    assert not any(word in message for word in value.split(",") if word != "plain")


def test_retention_below_three_days_is_refused_with_the_reason() -> None:
    (fault,) = faults(SEGUE_RETENTION_DELIVERED="71h")
    assert "give 72h to" in fault
    assert "retries" in fault
    assert settings(SEGUE_RETENTION_DELIVERED="72h").retention.delivered == timedelta(hours=72)


def test_all_errors_of_file_and_environment_are_shown_at_once(tmp_path: Path) -> None:
    toml(tmp_path, 'log_level = "loud"\n[web]\nprot = 1\n[endpoints.stripe]\nlivemod = "x"\n[nonsense]\n')
    messages = faults(
        PORT="x", SEGMENT_REGION="uk", STRIPE_WEBHOOK_SECRET="whsec_1234567", SEGUE_STRIPE_LIVEMODE="prod"
    )
    text = "\n".join(messages)
    for part in (
        "log_level in segue.toml is 'loud': choose debug",
        "web.prot in segue.toml is not a setting: did you mean port?",
        "endpoints.stripe.livemod in segue.toml is not a setting of Stripe: did you mean livemode?",
        "nonsense in segue.toml is not a setting",
        "PORT is 'x'",
        "SEGMENT_REGION is 'uk'",
        "SEGUE_STRIPE_LIVEMODE (endpoints.stripe.livemode) is 'prod': choose live, test or both",
    ):
        assert part in text
    assert len(messages) == 7


def test_an_unknown_segue_variable_is_an_error_with_the_nearest_name() -> None:
    assert faults(SEGUE_SEGMNT_RATE="1") == [
        "SEGUE_SEGMNT_RATE is not a setting of this version: did you mean SEGUE_SEGMENT_RATE?"
    ]
    assert "remove it" in faults(SEGUE_QQQQQQ="1")[0]


def test_a_misspelt_secret_is_a_warning_since_the_environment_is_shared() -> None:
    (warning,) = [text for text in settings(STRPIE_WEBHOOK_SECRET="whsec_1234567").warnings if "STRPIE" in text]
    assert "did you mean STRIPE_WEBHOOK_SECRET?" in warning


def test_the_environment_wins_over_the_file(tmp_path: Path) -> None:
    toml(tmp_path, '[web]\nport = 9000\nhost = "127.0.0.1"\n[segment]\nregion = "eu"\n')
    loaded = settings(PORT="9001")
    assert (loaded.web.port, loaded.web.host) == (9001, "127.0.0.1")
    assert loaded.segment.url == "https://events.eu1.segmentapis.com"
    assert loaded.config_file is not None


def test_a_configured_file_must_exist(tmp_path: Path) -> None:
    assert "cannot be read" in faults(SEGUE_CONFIG=str(tmp_path / "none.toml"))[0]
    (tmp_path / "bad.toml").write_text("a = ")
    assert "is not valid TOML" in faults(SEGUE_CONFIG=str(tmp_path / "bad.toml"))[0]
    (tmp_path / "latin.toml").write_bytes(b'a = "\xe9"')
    assert "is not UTF-8" in faults(SEGUE_CONFIG=str(tmp_path / "latin.toml"))[0]


def test_several_endpoints_of_one_provider(tmp_path: Path) -> None:
    toml(
        tmp_path,
        '[endpoints.stripe_eu]\nsource = "stripe"\nsecret_env = "EU_SECRET"\nlivemode = "test"\ntypes = ["a", "b"]\n'
        'write_key = "wk_eu"\n[endpoints.stripe_us]\nsource = "stripe"\nsecrets = ["whsec_us_123", "whsec_us_456"]\n',
    )
    loaded = settings(EU_SECRET="whsec_eu_123", SEGUE_STRIPE_EU_TOLERANCE="60", SEGMENT_WRITE_KEY="wk")
    eu, us = loaded.endpoints["stripe_eu"], loaded.endpoints["stripe_us"]
    assert (eu.secrets, eu.write_key, eu.tolerance) == (("whsec_eu_123",), "wk_eu", 60.0)
    assert us.secrets == ("whsec_us_123", "whsec_us_456")
    bound = bind(loaded, SOURCES)
    assert bound["stripe_eu"].options == {"livemode": "test", "types": ("a", "b")}
    assert bound["stripe_us"].options == {"livemode": "live", "types": ()}


def test_an_endpoint_without_a_secret_is_closed(tmp_path: Path) -> None:
    toml(tmp_path, '[endpoints.other]\nsource = "stripe"\n')
    loaded = settings()
    assert loaded.endpoints["other"].secrets == ()
    assert any("endpoints.other has no secret" in warning for warning in loaded.warnings)


def test_errors_of_endpoints(tmp_path: Path) -> None:
    toml(
        tmp_path,
        '[endpoints.a]\nsource = "strpe"\n[endpoints.b]\nsource = "stripe"\nsecret_env = "NOT_SET"\n'
        '[endpoints.c]\nsource = "stripe"\nscheme = "x"\n[endpoints.D]\nsource = "stripe"\n',
    )
    text = "\n".join(faults())
    assert "endpoints.a.source is 'strpe': did you mean stripe?" in text
    assert "names NOT_SET, which is not set" in text
    assert "SEGUE_C_SCHEME (endpoints.c.scheme) is 'x': choose default" in text
    assert "endpoints.D in segue.toml is not an endpoint" in text


def test_a_provider_that_signs_the_url_needs_the_public_url() -> None:
    secret = {"ZEN_WEBHOOK_SECRET": "abcdefgh"}
    assert "SEGUE_PUBLIC_URL is not set, and Zen signs the URL" in faults(**secret)[0]
    assert settings(**secret, SEGUE_ZEN_SCHEME="body").endpoints["zen"].scheme == "body"
    loaded = settings(**secret, SEGUE_PUBLIC_URL="https://hooks.example.com/")
    assert bind(loaded, SOURCES)["zen"].public_url == "https://hooks.example.com/webhooks/zen"
    own = settings(**secret, SEGUE_ZEN_PUBLIC_URL="https://other.example.com/z")
    assert bind(own, SOURCES)["zen"].public_url == "https://other.example.com/z"


def test_secrets_from_files(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("whsec_file_1\nwhsec_file_2\n")
    path = str(tmp_path / "secret")
    assert settings(STRIPE_WEBHOOK_SECRET_FILE=path).endpoints["stripe"].secrets == ("whsec_file_1", "whsec_file_2")
    assert "keep one of them" in faults(STRIPE_WEBHOOK_SECRET_FILE=path, STRIPE_WEBHOOK_SECRET="whsec_12345")[0]
    assert "cannot be read" in faults(SEGMENT_WRITE_KEY_FILE=str(tmp_path / "none"))[0]
    (tmp_path / "empty").write_text("\n")
    assert "is empty" in faults(SEGMENT_WRITE_KEY_FILE=str(tmp_path / "empty"))[0]
    (tmp_path / "binary").write_bytes(b"\xff\xfe")
    assert "not UTF-8" in faults(SEGMENT_WRITE_KEY_FILE=str(tmp_path / "binary"))[0]


def test_a_pem_key_is_not_split_even_with_escaped_line_breaks() -> None:
    pem = "-----BEGIN PUBLIC KEY-----\\nMIIB AAA\\n-----END PUBLIC KEY-----"
    secrets = settings(STRIPE_WEBHOOK_SECRET=f"{pem} other_secret").endpoints["stripe"].secrets
    assert secrets == (pem.replace("\\n", "\n"), "other_secret")


def test_the_default_namespace_is_derived_from_the_write_key() -> None:
    one, again, two = (settings(SEGMENT_WRITE_KEY=key).namespace for key in ("wk_1", "wk_1", "wk_2"))
    assert one == again != two
    assert "wk_1" not in one
    assert settings(SEGMENT_WRITE_KEY="wk_1", SEGUE_NAMESPACE="shop").namespace == "shop"


def test_herokus_postgres_url_is_accepted_and_its_password_hidden() -> None:
    loaded = settings(DATABASE_URL="postgres://user:hunter2@db:5432/x")
    assert loaded.database == "postgres://user:hunter2@db:5432/x"
    assert loaded.database_shown == "postgres://db:5432/x"
    assert "hunter2" not in repr(loaded)
    many = settings(DATABASE_URL="postgresql://u:hunter2@a:1,b:2/x?target_session_attrs=read-write")
    assert many.database_shown == "postgresql://a:1,b:2/x"


@pytest.mark.parametrize(
    "url", ["postgres://user:hunter2@db", "postgres://", "postgres://u:hunter2/x@db/x", "mysql://u:hunter2@db/x"]
)
def test_an_invalid_database_url_is_refused_and_never_shown(url) -> None:
    (fault,) = faults(DATABASE_URL=url)
    assert "give" in fault
    assert "hunter2" not in fault


def test_on_a_dyno_postgres_uses_tls_unless_its_url_sets_sslmode() -> None:
    assert settings(DYNO="web.1", DATABASE_URL="postgres://u:p@db/x").database.endswith("/x?sslmode=require")
    assert settings(DYNO="web.1", DATABASE_URL="postgres://u:p@db/x?a=b").database.endswith("?a=b&sslmode=require")
    assert settings(DYNO="web.1", DATABASE_URL="postgres://u:p@db/x?sslmode=verify-full").database.endswith(
        "=verify-full"
    )
    assert settings(DATABASE_URL="postgres://u:p@db/x").database.endswith("/x")


def test_segue_database_overrides_database_url() -> None:
    assert settings(DATABASE_URL="postgres://u:p@db/x", SEGUE_DATABASE="sqlite:////tmp/x.db").database.endswith("x.db")


def test_the_service_paths_are_removed_from_segment_url() -> None:
    for url in ("https://x.example", "https://x.example/", "https://x.example/v1", "https://x.example/v1/batch"):
        assert settings(SEGMENT_URL=url).segment.url == "https://x.example"


def test_settings_of_a_broken_plugin_are_ignored(tmp_path: Path) -> None:
    toml(tmp_path, '[endpoints.crm]\nsource = "crm"\nsecrets = ["abcdefgh"]\n')
    environ = {"SEGUE_CRM_DEPTH": "1", "STRIPE_WEBHOOK_SECRET": "whsec_1234567"}
    assert list(load(environ, sources=SOURCES, broken=["crm"]).endpoints) == ["stripe"]
    with pytest.raises(SettingsError):
        load(environ, sources=SOURCES)


def test_a_source_described_in_the_file(tmp_path: Path) -> None:
    described = '[sources.acme]\nscheme = { class = "HmacBody", header = "X-Acme" }\ntype = "type"\n'
    described += 'identity = { user_id = "who" }\nevents = { paid = "Paid" }\n'
    toml(tmp_path, described)
    loaded = settings(ACME_WEBHOOK_SECRET="abcdefgh")
    assert bind(loaded, SOURCES)["acme"].source is loaded.sources["acme"]
    toml(tmp_path, described.replace("acme", "stripe") + '[sources.bad]\nscheme = "x"\ntype = "t"\n')
    text = "\n".join(faults())
    assert "sources.stripe in segue.toml has the name of an installed source" in text
    assert "sources.bad.scheme is a text: write a table in segue.toml" in text
    assert "sources.bad.identity identifies no one" in text


@pytest.mark.parametrize("secret", ["sk_live_abcdefghij", "changeme", "qwert", "<your secret>"])
def test_a_wrong_looking_secret_is_a_warning_that_does_not_show_it(secret) -> None:
    warnings = [text for text in settings(STRIPE_WEBHOOK_SECRET=secret.replace(" ", "_")).warnings if "looks" in text]
    assert len(warnings) == 1
    assert secret not in warnings[0]


def test_http_segment_url_and_url_with_region_are_warnings() -> None:
    text = " ".join(settings(SEGMENT_URL="http://x.example", SEGMENT_REGION="eu").warnings)
    assert "clear text" in text
    assert "the URL wins" in text
    assert "clear text" not in " ".join(settings(SEGMENT_URL="http://127.0.0.1:9").warnings)


@given(
    st.text("abcdefghijklmnopqrstuvwxyz0123456789", min_size=12, max_size=40).map("q9{}".format),  # no word of a repr
    st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789", min_size=12, max_size=40).map("Q9{}".format),
)
def test_no_secret_or_write_key_is_ever_shown(secret, key) -> None:
    loaded = load(
        {"STRIPE_WEBHOOK_SECRET": secret, "SEGMENT_WRITE_KEY": key, "SEGUE_STRIPE_WRITE_KEY": key}, sources=SOURCES
    )
    shown = repr(loaded) + str(loaded) + repr(bind(loaded, SOURCES))
    assert secret not in shown
    assert key not in shown
    with pytest.raises(SettingsError) as caught:
        load({"SEGMENT_WRITE_KEY": f"{key} {secret}", "SEGMENT_URL": f"https://u:{secret}@x.example"}, sources=SOURCES)
    assert secret not in str(caught.value)
    assert key not in str(caught.value)


def test_bind_checks_settings_created_in_code() -> None:
    wrong = EndpointSettings(name="stripe", source="stripe", secrets=("x",), options={"livemode": "prod", "nope": "1"})
    with pytest.raises(SettingsError) as caught:
        bind(Settings(endpoints={"stripe": wrong}), SOURCES)
    assert len(caught.value.faults) == 2
