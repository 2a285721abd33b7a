"""Settings of timestamps: every gap is named, and an authority is never half set."""

from pathlib import Path

import pytest

from consent_server.core.errors import InvalidSettings
from consent_server.core.settings import Settings
from tests.support.timestamp_authority import Maker

URL, ROOTS, SECONDS = "CONSENT_TIMESTAMP_URL", "CONSENT_TIMESTAMP_ROOTS_FILE", "CONSENT_TIMESTAMP_SECONDS"


def read(tmp_path: Path, **changes: str) -> Settings:
    return Settings.from_env({"CONSENT_INSTANCE": str(tmp_path), **changes})


def faults(tmp_path: Path, **changes: str) -> dict[str, str]:
    with pytest.raises(InvalidSettings) as refused:
        read(tmp_path, **changes)
    return {fault.pointer: fault.detail for fault in refused.value.faults}


def test_nobody_is_asked_unless_it_is_set(tmp_path: Path) -> None:
    for settings in (read(tmp_path), read(tmp_path, **{URL: ""})):
        assert (settings.timestamp_url, settings.timestamp_roots, settings.timestamp_seconds) == (None, None, 3600)


def test_an_authority_and_its_roots(tmp_path: Path, maker: Maker) -> None:
    given = {URL: "https://tsa.example/tsr/", ROOTS: str(maker.roots), SECONDS: "600"}
    settings = read(tmp_path, **given)
    assert settings.timestamp_url == "https://tsa.example/tsr/"
    assert settings.timestamp_roots == maker.roots.read_bytes()
    assert settings.timestamp_seconds == 600
    # Roots alone: what was stamped before can still be checked.
    assert read(tmp_path, **{ROOTS: str(maker.roots)}).timestamp_roots


def test_an_authority_without_roots_is_a_gap(tmp_path: Path) -> None:
    assert "is required with CONSENT_TIMESTAMP_URL" in faults(tmp_path, **{URL: "https://tsa.example"})[ROOTS]


def test_roots_that_cannot_be_used_are_named(tmp_path: Path, maker: Maker) -> None:
    (tmp_path / "empty").touch()
    for path, says in (
        (tmp_path / "nowhere", "cannot be read: No such file"),
        (tmp_path, "cannot be read: Is a directory"),
        (tmp_path / "empty", "must hold certificates in PEM"),
        (maker.folder / "root.key", "must hold certificates in PEM"),
    ):
        found = faults(tmp_path, **{URL: "https://tsa.example", ROOTS: str(path)})
        assert list(found) == [ROOTS]
        assert says in found[ROOTS]


@pytest.mark.parametrize("url", ["tsa.example", "ftp://tsa.example", "https://", "http://u:p@h/", "http://h:x/"])
def test_an_address_that_is_none_is_named(tmp_path: Path, maker: Maker, url: str) -> None:
    assert list(faults(tmp_path, **{URL: url, ROOTS: str(maker.roots)})) == [URL]


@pytest.mark.parametrize("seconds", ["0", "-1", "1.5", "hourly"])
def test_a_time_that_is_none_is_named(tmp_path: Path, seconds: str) -> None:
    assert list(faults(tmp_path, **{SECONDS: seconds})) == [SECONDS]
