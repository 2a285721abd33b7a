"""Settings: nothing needed in the embedded default, every gap named at once elsewhere (contract, section 7)."""

from pathlib import Path

import pytest

from consent_server.core.errors import InvalidSettings
from consent_server.core.keys import KeySource, new_key_set
from consent_server.core.settings import Settings, remember_address
from tests.support.served import GunicornConf

POSTGRESQL = {"CONSENT_DATABASE_URL": "postgresql+psycopg://db/consent"}
SECRET = "0123456789abcdef0123456789abcdef"


def faults(environ: dict[str, str]) -> set[str]:
    with pytest.raises(InvalidSettings) as refused:
        Settings.from_env(environ)
    for fault in refused.value.faults:
        assert fault.pointer in str(refused.value), "who only sees the exception must learn what is missing"
    return {fault.pointer for fault in refused.value.faults}


def test_the_embedded_default_needs_nothing_and_keeps_its_secret(tmp_path: Path) -> None:
    environ = {"CONSENT_INSTANCE": str(tmp_path / "new")}
    settings = Settings.from_env(environ)
    assert settings.database_url == f"sqlite:///{tmp_path / 'new' / 'consent.sqlite3'}"
    assert settings.public_url == "http://127.0.0.1:8000"
    assert settings.trusted_proxies == 0
    assert len(settings.secret_key) >= 32
    assert Settings.from_env(environ) == settings
    file = tmp_path / "new" / "secret-key"
    assert file.stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "new").stat().st_mode & 0o777 == 0o700
    assert Settings.from_env(environ | {"PORT": "9000"}).public_url == "http://127.0.0.1:9000"


def test_commands_know_where_the_server_listens_that_was_started_last(tmp_path: Path) -> None:
    environ = {"CONSENT_INSTANCE": str(tmp_path)}
    remember_address(Settings.from_env(environ | {"PORT": "8630"}))
    assert Settings.from_env(environ).public_url == "http://127.0.0.1:8630"
    assert Settings.from_env(environ | {"PORT": "9000"}).public_url == "http://127.0.0.1:9000"
    set_by = environ | {"CONSENT_PUBLIC_URL": "https://shop.example/_consent"}
    assert Settings.from_env(set_by).public_url == "https://shop.example/_consent"


def test_with_another_database_every_gap_is_named_at_once(tmp_path: Path) -> None:
    environ = POSTGRESQL | {"CONSENT_INSTANCE": str(tmp_path)}
    assert faults(environ) == {"CONSENT_SECRET_KEY", "CONSENT_SIGNING_KEYS"}
    wrong = environ | {"CONSENT_PUBLIC_URL": "consent.example", "CONSENT_TRUSTED_PROXIES": "-1"}
    assert faults(wrong) == {
        "CONSENT_SECRET_KEY", "CONSENT_SIGNING_KEYS", "CONSENT_PUBLIC_URL", "CONSENT_TRUSTED_PROXIES",
    }  # fmt: skip
    assert list(tmp_path.iterdir()) == []


def test_secrets_from_files(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text(f"{SECRET}\n")
    (tmp_path / "keys").write_text("{}")
    files = {
        "CONSENT_SECRET_KEY_FILE": str(tmp_path / "secret"), "CONSENT_SIGNING_KEYS_FILE": str(tmp_path / "keys"),
    }  # fmt: skip
    settings = Settings.from_env(POSTGRESQL | files)
    assert settings.secret_key == SECRET
    assert settings.signing_keys_file == tmp_path / "keys"


def test_an_at_sign_in_a_password_is_to_be_encoded(tmp_path: Path) -> None:
    (tmp_path / "keys").write_text("{}")
    environ = {"CONSENT_SECRET_KEY": SECRET, "CONSENT_SIGNING_KEYS_FILE": str(tmp_path / "keys")}
    with pytest.raises(InvalidSettings, match="%40"):
        Settings.from_env(environ | {"CONSENT_DATABASE_URL": "postgresql://consent:pa@ss@db/consent"})
    Settings.from_env(environ | {"CONSENT_DATABASE_URL": "postgresql://consent:pa%40ss@db/consent"})


def test_files_are_read_with_a_byte_order_mark(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text(f"{SECRET}\r\n", "utf-8-sig")
    (tmp_path / "keys").write_text(new_key_set(), "utf-8-sig")
    (tmp_path / "witnesses").write_text("# none yet\r\n", "utf-8-sig")
    files = {
        "CONSENT_SECRET_KEY_FILE": str(tmp_path / "secret"), "CONSENT_SIGNING_KEYS_FILE": str(tmp_path / "keys"),
        "CONSENT_WITNESSES_FILE": str(tmp_path / "witnesses"),
    }  # fmt: skip
    settings = Settings.from_env({"CONSENT_INSTANCE": str(tmp_path)} | files)
    assert (settings.secret_key, settings.witnesses) == (SECRET, ())
    KeySource(settings).ring.require_private()


def test_a_file_that_is_not_there_is_a_gap(tmp_path: Path) -> None:
    nowhere = str(tmp_path / "nothing")
    assert "CONSENT_SECRET_KEY_FILE" in faults({"CONSENT_SECRET_KEY_FILE": nowhere})
    # Keys that each server makes for itself would be keys that no two servers share.
    secret = POSTGRESQL | {"CONSENT_SECRET_KEY": SECRET}
    assert faults(secret | {"CONSENT_SIGNING_KEYS_FILE": nowhere}) == {"CONSENT_SIGNING_KEYS_FILE"}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("CONSENT_SECRET_KEY", "short"), ("CONSENT_PUBLIC_URL", "ftp://x"), ("CONSENT_TRUSTED_PROXIES", "\u0661"),
        ("CONSENT_TRUSTED_PROXIES", "1.5"), ("CONSENT_RATE_LIMIT", "often"), ("CONSENT_SIGNING_KEYS", "{}"),
        ("CONSENT_RATE_LIMIT_URL", "elsewhere"), ("CONSENT_RATE_LIMIT_URL", "memcached://127.0.0.1"),
        ("CONSENT_RATE_LIMIT_URL", "redis://127.0.0.1:many"),
        ("CONSENT_RATE_LIMIT_URL", "redis://:12/34@127.0.0.1"),
        ("CONSENT_RATE_LIMIT_URL", "redis://:1#4@127.0.0.1"),
        ("CONSENT_PUBLIC_URL", "https://"),
        ("CONSENT_PUBLIC_URL", "https://shop.example?site=1"),
    ],
)  # fmt: skip
def test_a_wrong_value_is_named(name: str, value: str, tmp_path: Path) -> None:
    assert faults({"CONSENT_INSTANCE": str(tmp_path), name: value}) == {name}


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("https://shop.example/#x", "fragment"),
        ("https://consent:TELLTALE@shop.example", "password"), ("https://shop.example/a b", "%20"),
        ("https://shop.example/caf\u00e9", "%C3%A9"), ("https://shop.example:99999", "port"),
        ("https://shop.example:", "port"), ("https://shop.example:0", "port"), ("https://shop..example", "host name"),
        ("https://caf\u00e9.example", "xn--caf-dma.example"), ("https://[::1", "host"), ("https://[1::2::3]", "host"),
        ("https://1.2.3", "IPv4"), ("https://shop.example/a\"b", "%22"), ("https://shop.example\n", "%0A"),
        ("https://shop.example/%zz", "%25"), ("https://shop.example/../x", "path"), ("https:///x", "host"),
        (" https://shop.example", "start"), ("https://shop.example/\u202e", "%E2%80%AE"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("name", ["CONSENT_PUBLIC_URL", "CONSENT_ALERT_WEBHOOK", "CONSENT_TIMESTAMP_URL"])
def test_an_address_is_refused_with_the_reason(name: str, url: str, says: str, tmp_path: Path) -> None:
    with pytest.raises(InvalidSettings) as refused:
        Settings.from_env({"CONSENT_INSTANCE": str(tmp_path), name: url})
    (detail,) = (fault.detail for fault in refused.value.faults if fault.pointer == name)
    assert says in detail
    assert "TELLTALE" not in str(refused.value)


@pytest.mark.parametrize(
    "url",
    ["https://shop.example/_consent", "http://[::1]:8000", "https://192.0.2.1:8443", "https://XN--CAF-DMA.example",
     "https://shop.example/caf%C3%A9/", "http://consent_server:8000"],
)  # fmt: skip
def test_an_address_is_taken(url: str, tmp_path: Path) -> None:
    settings = Settings.from_env({"CONSENT_INSTANCE": str(tmp_path), "CONSENT_PUBLIC_URL": url})
    assert settings.public_url == url.rstrip("/")


@pytest.mark.parametrize(
    ("host", "url"),
    [("0.0.0.0", "http://127.0.0.1:9000"), ("::", "http://127.0.0.1:9000"), ("::1", "http://[::1]:9000"),
     ("[::1]", "http://[::1]:9000"), ("192.0.2.7", "http://192.0.2.7:9000"), ("laptop", "http://127.0.0.1:9000")],
)  # fmt: skip
def test_the_address_of_its_own_is_one_that_it_listens_on(host: str, url: str, tmp_path: Path) -> None:
    environ = {"CONSENT_INSTANCE": str(tmp_path), "HOST": host, "PORT": "9000"}
    assert Settings.from_env(environ).public_url == url


@pytest.mark.parametrize("url", ["", "consent", "mysql://db/consent", "postgresql+psycopg2://db/consent", "sqlite://",
                                 "postgresql+psycopg://consent:TELLTALE@db:many/consent",
                                 "postgresql+psycopg://consent:pa@TELLTALE@db/consent",
                                 "postgresql+psycopg://consent:12/@TELLTALE@db/consent"])  # fmt: skip
def test_a_database_that_is_not_supported_is_named_without_its_password(url: str, tmp_path: Path) -> None:
    (tmp_path / "keys").write_text("{}")
    environ = {"CONSENT_SECRET_KEY": SECRET, "CONSENT_SIGNING_KEYS_FILE": str(tmp_path / "keys")}
    with pytest.raises(InvalidSettings) as refused:
        Settings.from_env(environ | {"CONSENT_DATABASE_URL": url})
    assert [fault.pointer for fault in refused.value.faults] == ["CONSENT_DATABASE_URL"]
    assert "TELLTALE" not in str(refused.value)


@pytest.mark.parametrize(
    ("public", "consoles", "taken"),
    [
        ("https://shop.example/_consent", "https://consent.intern.example", True),
        ("https://shop.example/_consent", "https://shop.example:8443/", True),
        ("https://shop.example/_consent", "https://shop.example/consoles", False),
        ("https://shop.example", "https://SHOP.example:443", False),
        ("https://shop.example", "shop.example:8443", False),
        ("https://shop.example", "https://user@other.example", False),
        (None, "http://127.0.0.1:8000", False),
        (None, "http://127.0.0.2:8000", True),
    ],
)
def test_the_consoles_have_a_host_or_a_port_of_their_own(
    tmp_path: Path, public: str | None, consoles: str, taken: bool
) -> None:
    environ = {"CONSENT_INSTANCE": str(tmp_path), "CONSENT_CONSOLE_URL": consoles}
    environ |= {"CONSENT_PUBLIC_URL": public} if public else {}
    if taken:
        assert Settings.from_env(environ).sign_in_url == consoles.rstrip("/")
    else:
        assert faults(environ) == {"CONSENT_CONSOLE_URL"}


@pytest.mark.parametrize(
    ("host", "bind"),
    [("::", "[::]:9000"), ("[::1]", "[::1]:9000"), ("0.0.0.0", "0.0.0.0:9000"), ("localhost", "localhost:9000")],
)
def test_gunicorn_listens_on_addresses_of_either_kind(
    host: str, bind: str, monkeypatch: pytest.MonkeyPatch, gunicorn_conf: GunicornConf
) -> None:
    monkeypatch.setenv("HOST", host)
    monkeypatch.setenv("PORT", "9000")
    assert gunicorn_conf()["bind"] == bind


@pytest.mark.parametrize("contact", ["security@shop.example", "mailto:a b@c", "mailto:a@b\nExpires: never", "http://x"])
def test_whom_to_tell_of_a_hole_is_an_address_on_one_line(tmp_path: Path, contact: str) -> None:
    environ = {"CONSENT_INSTANCE": str(tmp_path), "CONSENT_SECURITY_CONTACT": contact}
    assert faults(environ) == {"CONSENT_SECURITY_CONTACT"}
