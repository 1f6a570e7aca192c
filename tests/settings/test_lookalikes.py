"""Variables that look like settings, values with extra copied characters, and files that all users can read."""

from pathlib import Path

import pytest

from translators.kit import HmacKvHeader, Option, Source
from webhooks.errors import SettingsError
from webhooks.settings import load

SCHEME = HmacKvHeader(header="Stripe-Signature")
STRIPE = Source("stripe", scheme=SCHEME, options=[Option("livemode", "which", "live", ("live", "test", "both"))])
SLACK = Source("slack", scheme=SCHEME)
SOURCES = {"stripe": STRIPE, "slack": SLACK}
SECRET = "whsec_0123456789abcdef"
GOOD = {"STRIPE_WEBHOOK_SECRET": SECRET, "SEGMENT_WRITE_KEY": "wk_0123456789"}


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)


def warnings(**environ):
    return load(GOOD | environ, sources=SOURCES).warnings


def faults(**environ):
    with pytest.raises(SettingsError) as caught:
        load(GOOD | environ, sources=SOURCES)
    assert SECRET not in str(caught.value)
    return caught.value.faults


def test_a_valid_environment_gives_no_warning() -> None:
    assert warnings(PATH="/bin", HOME="/", STRIPE_API_KEY="sk_live_1", SLACK_CLIENT_SECRET="x" * 20, PORT="8000") == ()


@pytest.mark.parametrize(
    ("typed", "intended"),
    [
        ("STRIPE_WEBHOOK_SECERT", "STRIPE_WEBHOOK_SECRET"),
        ("STRIPE_WEBHOKO_SECRET", "STRIPE_WEBHOOK_SECRET"),
        ("STRPE_WEBHOOK_SECRET", "STRIPE_WEBHOOK_SECRET"),
        ("STRIPE_WEBHOOKS_SECRET", "STRIPE_WEBHOOK_SECRET"),
        ("STRIPE_WEBHOOK_SECRET_FLIE", "STRIPE_WEBHOOK_SECRET_FILE"),
        ("STRIPE_WEBHOOK_SECRET_OLD", "STRIPE_WEBHOOK_SECRET"),
        ("SLACK_SIGNING_SECRET", "SLACK_WEBHOOK_SECRET"),
        ("SLACK_SECRET", "SLACK_WEBHOOK_SECRET"),
        ("SEGMENT_WRITEKEY", "SEGMENT_WRITE_KEY"),
        ("SEGMENT_WRITE_KYE", "SEGMENT_WRITE_KEY"),
        ("SEGMENT_REGOIN", "SEGMENT_REGION"),
        ("SEGEU_NAMESPACE", "SEGUE_NAMESPACE"),
        ("SEQUE_DATABASE", "SEGUE_DATABASE"),
        ("DATABSE_URL", "DATABASE_URL"),
        ("WEB_CONCURENCY", "WEB_CONCURRENCY"),
    ],
)
def test_a_mistyped_variable_is_a_warning_with_the_right_name(typed, intended) -> None:
    (warning,) = warnings(**{typed: SECRET})
    assert warning.startswith(f"{typed} is set, but nothing reads it: did you mean {intended}?")
    assert SECRET not in warning


def test_a_variable_in_lower_case_is_a_warning() -> None:
    assert warnings(slack_webhook_secret=SECRET) == (
        "slack_webhook_secret is not read, because names are in capitals: write SLACK_WEBHOOK_SECRET",
    )


@pytest.mark.parametrize(
    "name",
    [
        "MY_SHOP_WEBHOOK_SECRET",
        "SESSION_SECRET",
        "DATABASE_PASSWORD",
        "STRIPE_SECRET_KEY",
        "SERVER_SOFTWARE",
        "SEGMENT",
        "PORTS",
    ],
)
def test_variables_of_other_programs_give_no_warning(name) -> None:
    assert warnings(**{name: "x" * 20}) == ()


def test_a_variable_named_in_the_file_gives_no_warning(tmp_path: Path) -> None:
    (tmp_path / "segue.toml").write_text('[endpoints.stripe]\nsecret_env = ["STRIPE_WEBHOOK_SECRET_OLD"]\n')
    assert warnings(STRIPE_WEBHOOK_SECRET_OLD="whsec_fedcba9876543210") == ()


@pytest.mark.parametrize("quotes", ['""', "''", "``", "\u201c\u201d", "\u2018\u2019"])
@pytest.mark.parametrize(
    "name", ["STRIPE_WEBHOOK_SECRET", "SEGMENT_WRITE_KEY", "SEGUE_NAMESPACE", "DATABASE_URL", "PORT"]
)
def test_a_value_in_quotes_is_an_error(name, quotes) -> None:
    value = {"DATABASE_URL": "postgres://u:p@db/x", "PORT": "8000"}.get(name, SECRET)
    (fault,) = faults(**{name: f" {quotes[0]}{value}{quotes[1]} "})
    assert fault.startswith(f"{name} is in quotes, which are part of the value here: remove them")


def test_quotes_in_a_secret_file_are_an_error(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text(f'"{SECRET}"\n')
    (fault,) = faults(SLACK_WEBHOOK_SECRET_FILE=str(tmp_path / "secret"))
    assert fault.startswith("the text in SLACK_WEBHOOK_SECRET_FILE is in quotes")


@pytest.mark.parametrize(
    ("secret", "message"),
    [
        (f'"{SECRET}', "begins or ends with a quote"),
        (f"{SECRET},{SECRET}x'", "(number 2 of 2) begins or ends with a quote"),
        (f"whsec_\u200b{SECRET}", "U+200B"),
        (f"\ufeff{SECRET}", "U+FEFF"),
    ],
)
def test_extra_copied_characters_in_a_secret_are_a_warning(secret, message) -> None:
    texts = warnings(SLACK_WEBHOOK_SECRET=secret)
    assert any(message in warning and warning.startswith("SLACK_WEBHOOK_SECRET") for warning in texts)
    assert SECRET not in "".join(texts)


def test_a_space_in_a_secret_of_the_file_is_a_warning(tmp_path: Path) -> None:
    (tmp_path / "segue.toml").write_text('[endpoints.slack]\nsecrets = ["whsec_0123 456789"]\n')
    (tmp_path / "segue.toml").chmod(0o600)
    assert "contains a space or a line break" in warnings()[0]


def test_a_pem_key_with_line_breaks_gives_no_warning() -> None:
    pem = "-----BEGIN PUBLIC KEY-----\nMFkw\n-----END PUBLIC KEY-----"
    assert warnings(SLACK_WEBHOOK_SECRET=pem) == ()


@pytest.mark.parametrize(
    ("url", "suggestion"),
    [
        ("https://api.segment.com", "https://api.segment.io"),
        ("https://api.segment.co", "https://api.segment.io"),
        ("https://api.segmnt.io", "https://api.segment.io"),
        ("https://segment.io", "https://api.segment.io"),
        ("https://app.segment.com", "https://api.segment.io"),
        ("https://api.segmentapis.com", "https://events.eu1.segmentapis.com"),
        ("https://events.eu2.segmentapis.com", "https://events.eu1.segmentapis.com"),
        ("https://events.eu1.segmentapi.com", "https://events.eu1.segmentapis.com"),
        ("https://api.segment.io.example.com", "https://api.segment.io"),
    ],
)
def test_a_url_that_looks_like_segments_is_a_warning(url, suggestion) -> None:
    (warning,) = warnings(SEGMENT_URL=url)
    assert "which looks like Segment's address but is not" in warning
    assert suggestion in warning


@pytest.mark.parametrize(
    "url",
    [
        "https://api.segment.io", "https://api.segment.io/v1", "https://api.segment.io/v1/batch/", "https://events.eu1.segmentapis.com",
        "http://127.0.0.1:9999", "https://segment.example.com", "https://cdp-proxy.example.com/segment",
    ],
)  # fmt: skip
def test_segments_own_urls_and_proxies_give_no_warning(url) -> None:
    assert warnings(SEGMENT_URL=url) == ()


def test_a_path_after_segments_own_url_is_a_warning() -> None:
    assert "give https://api.segment.io" in warnings(SEGMENT_URL="https://api.segment.io/v1/track")[0]


@pytest.mark.parametrize("key", ["sk_test_123456789", "rk_test_123456789", "test_123456789"])
def test_a_test_mode_key_of_a_live_endpoint_is_a_warning(key) -> None:
    (warning,) = warnings(STRIPE_API_KEY=key)
    assert "STRIPE_API_KEY is of test mode, and stripe delivers live events only" in warning
    assert "SEGUE_STRIPE_LIVEMODE=both" in warning
    assert warnings(STRIPE_API_KEY=key, SEGUE_STRIPE_LIVEMODE="both") == ()
    assert warnings(STRIPE_WEBHOOK_SECRET="whsec_test_0123456789") == ()


def test_a_byte_order_mark_in_segue_toml_and_secret_files_is_accepted(tmp_path: Path) -> None:
    (tmp_path / "segue.toml").write_bytes(b'\xef\xbb\xbfnamespace = "shop"\n')
    (tmp_path / "secret").write_bytes(b"\xef\xbb\xbf" + SECRET.encode() + b"\r\n")
    (tmp_path / "secret").chmod(0o600)
    loaded = load({"SLACK_WEBHOOK_SECRET_FILE": str(tmp_path / "secret")}, sources=SOURCES)
    assert loaded.namespace == "shop"
    assert loaded.endpoints["slack"].secrets == (SECRET,)


@pytest.mark.parametrize(
    "text",
    [
        f'[endpoints.slack]\nsecrets = ["{SECRET}x"]', '[segment]\nwrite_key = "wk_0123456789"', f'[metrics]\ntokens = ["{SECRET}"]',
        '[endpoints.stripe]\nwrite_key = "wk_0123456789"',
    ],
)  # fmt: skip
def test_a_segue_toml_with_secrets_readable_by_all_is_a_warning(tmp_path: Path, text) -> None:
    file = tmp_path / "segue.toml"
    file.write_text(text)
    file.chmod(0o644)
    assert any("can read segue.toml, which contains secrets: chmod 600 segue.toml" in warning for warning in warnings())
    file.chmod(0o640)
    assert warnings() == ()


def test_a_readable_segue_toml_without_secrets_gives_no_warning(tmp_path: Path) -> None:
    (tmp_path / "segue.toml").write_text('namespace = "shop"')
    (tmp_path / "segue.toml").chmod(0o644)
    assert warnings() == ()


@pytest.mark.parametrize(
    ("text", "contains_secrets"),
    [
        (f"export STRIPE_WEBHOOK_SECRET='{SECRET}'\n", True),
        ("\ufeffSEGMENT_WRITE_KEY=wk\n", True),
        ("A=1\n# X_SECRET=1\nSTRIPE_WEBHOOK_SECRET=\n", False),
    ],
)
def test_a_dotenv_with_secrets_readable_by_all_is_a_warning(tmp_path: Path, text, contains_secrets) -> None:
    file = tmp_path / ".env"
    file.write_text(text, encoding="utf-8")
    file.chmod(0o644)
    assert any("can read .env" in warning for warning in warnings()) == contains_secrets
    file.chmod(0o600)
    assert warnings() == ()


def test_a_secret_file_writable_by_all_is_a_warning(tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_text(f"{SECRET}x")
    file.chmod(0o666)
    assert f"can change {file}, which contains secrets" in warnings(SLACK_WEBHOOK_SECRET_FILE=str(file))[0]


def test_an_ipv6_host_may_be_in_brackets() -> None:
    assert load(GOOD | {"SEGUE_HOST": "[::1]"}, sources=SOURCES).web.host == "::1"


@pytest.mark.parametrize(
    ("value", "url"),
    [
        ("/data/segue.db", "sqlite:////data/segue.db"),
        ("segue.db", "sqlite:///segue.db"),
        ("./data/x", "sqlite:///./data/x"),
        ("sqlite://data/segue.db", "sqlite:///data/segue.db"),
    ],
)
def test_a_database_path_is_an_error_with_its_url(value, url) -> None:
    assert faults(SEGUE_DATABASE=value) == [
        f"SEGUE_DATABASE is not a URL of PostgreSQL or of a SQLite file: give {url}"
    ]


def test_a_database_with_a_password_is_never_shown() -> None:
    assert "hunter2" not in str(faults(SEGUE_DATABASE="user:hunter2@host/segue.db"))
