"""Settings: nothing needed in the embedded default, every gap named at once elsewhere (contract, section 7)."""

import os
from pathlib import Path

import pytest

from consent_server.core.errors import InvalidSettings
from consent_server.core.settings import Settings, replace_secret, write_once

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
        ("CONSENT_RATE_LIMIT_URL", "redis://127.0.0.1:many"), ("CONSENT_PUBLIC_URL", "https://"),
    ],
)  # fmt: skip
def test_a_wrong_value_is_named(name: str, value: str, tmp_path: Path) -> None:
    assert faults({"CONSENT_INSTANCE": str(tmp_path), name: value}) == {name}


@pytest.mark.parametrize("url", ["", "consent", "mysql://db/consent", "postgresql+psycopg2://db/consent", "sqlite://",
                                 "postgresql+psycopg://consent:TELLTALE@db:many/consent"])  # fmt: skip
def test_a_database_that_is_not_supported_is_named_without_its_password(url: str, tmp_path: Path) -> None:
    (tmp_path / "keys").write_text("{}")
    environ = {"CONSENT_SECRET_KEY": SECRET, "CONSENT_SIGNING_KEYS_FILE": str(tmp_path / "keys")}
    with pytest.raises(InvalidSettings) as refused:
        Settings.from_env(environ | {"CONSENT_DATABASE_URL": url})
    assert [fault.pointer for fault in refused.value.faults] == ["CONSENT_DATABASE_URL"]
    assert "TELLTALE" not in str(refused.value)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
def test_a_secret_that_root_replaces_stays_whose_it_was(tmp_path: Path) -> None:
    path, link = tmp_path / "secret", tmp_path / "link"
    write_once(path, "one")
    os.chown(path, 12345, 23456)
    path.chmod(0o440)
    link.symlink_to(path)
    replace_secret(link, "two")
    found = path.stat()
    assert (found.st_uid, found.st_gid, found.st_mode & 0o777) == (12345, 23456, 0o440)
    assert path.read_text() == link.read_text() == "two"
    assert link.is_symlink()
    assert {file.name for file in tmp_path.iterdir()} == {"secret", "link"}


def test_a_secret_is_written_once_and_replaced_whole(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "secret"
    for text in ("one", "two"):
        write_once(path, text)
        assert path.read_text() == "one"
    replace_secret(path, "three")
    assert path.read_text() == "three"
    assert path.stat().st_mode & 0o777 == 0o600
    assert [found.name for found in path.parent.iterdir()] == ["secret"]
