"""Settings of alerts: every gap is named, a channel is never half set, and no secret is repeated."""

from pathlib import Path

import pytest

from consent_server.core.channels import Channel, MailServer
from consent_server.core.errors import InvalidSettings
from consent_server.core.settings import Settings

HOOK = {
    "CONSENT_ALERT_WEBHOOK": "https://chat.example/hook?team=1",
    "CONSENT_ALERT_SECRET": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
}
MAIL = {
    "CONSENT_ALERT_EMAILS": "ann@shop.example, bob@shop.example",
    "CONSENT_ALERT_SENDER": "alerts@shop.example",
    "CONSENT_SMTP_URL": "smtp://us%40er:TELL%2FTALE@mail.example",
}


def read(tmp_path: Path, **given: str) -> Settings:
    return Settings.from_env({"CONSENT_INSTANCE": str(tmp_path), **given})


def faults(tmp_path: Path, **given: str) -> dict[str, str]:
    with pytest.raises(InvalidSettings) as refused:
        read(tmp_path, **given)
    assert "TELL" not in str(refused.value)
    return {fault.pointer: fault.detail for fault in refused.value.faults}


def test_nobody_is_told_unless_it_is_set(tmp_path: Path) -> None:
    assert list(read(tmp_path).alerts.names) == []


def test_both_channels(tmp_path: Path) -> None:
    settings = read(tmp_path, **HOOK, **MAIL)
    assert list(settings.alerts.names) == [Channel.WEBHOOK, Channel.EMAIL]
    assert settings.alerts.webhook
    assert settings.alerts.mail
    assert settings.alerts.webhook.url == HOOK["CONSENT_ALERT_WEBHOOK"]
    assert len(settings.alerts.webhook.key) == 24
    assert settings.alerts.mail.server == MailServer("mail.example", 587, False, "us@er", "TELL/TALE")
    assert settings.alerts.mail.recipients == ("ann@shop.example", "bob@shop.example")
    assert "TALE" not in repr(settings)
    assert repr(settings.alerts.webhook.key) not in repr(settings)


def test_secrets_from_files_count_first(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("whsec_" + "A" * 44 + "\n")
    (tmp_path / "smtp").write_text("smtps://mail.example\n")
    files = {"CONSENT_ALERT_SECRET_FILE": str(tmp_path / "secret"), "CONSENT_SMTP_URL_FILE": str(tmp_path / "smtp")}
    settings = read(tmp_path, **HOOK, **MAIL, **files)
    assert settings.alerts.webhook
    assert settings.alerts.mail
    assert len(settings.alerts.webhook.key) == 33
    assert settings.alerts.mail.server == MailServer("mail.example", 465, True, "", "")


def test_what_lacks_is_named_at_once(tmp_path: Path) -> None:
    url, people = HOOK["CONSENT_ALERT_WEBHOOK"], MAIL["CONSENT_ALERT_EMAILS"]
    found = faults(tmp_path, CONSENT_ALERT_WEBHOOK=url, CONSENT_ALERT_EMAILS=people)
    assert found.keys() == {"CONSENT_ALERT_SECRET", "CONSENT_ALERT_SENDER", "CONSENT_SMTP_URL"}
    assert "CONSENT_ALERT_SECRET_FILE" in found["CONSENT_ALERT_SECRET"]
    assert "CONSENT_SMTP_URL_FILE" in found["CONSENT_SMTP_URL"]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("CONSENT_ALERT_WEBHOOK", "chat.example"), ("CONSENT_ALERT_WEBHOOK", "https://u:TELLTALE@chat.example"),
        ("CONSENT_ALERT_SECRET", "TELLTALE"), ("CONSENT_ALERT_SECRET", "whsec_TELL"),
        ("CONSENT_ALERT_SECRET", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"), ("CONSENT_ALERT_SECRET", "whsec_" + "A" * 88),
        ("CONSENT_ALERT_EMAILS", "ann"), ("CONSENT_ALERT_EMAILS", "ann@shop.example bob@shop.example"),
        ("CONSENT_ALERT_EMAILS", "Ann <ann@shop.example>"), ("CONSENT_ALERT_SENDER", "a@b.example, c@d.example"),
        ("CONSENT_ALERT_SENDER", "alerts"), ("CONSENT_ALERT_SENDER", ""), ("CONSENT_SMTP_URL", "mail.example:25"),
        ("CONSENT_SMTP_URL", "https://mail.example"), ("CONSENT_SMTP_URL", "smtp://TELL@mail.example"),
        ("CONSENT_SMTP_URL", "smtp://u:TELL@mail.example:many"), ("CONSENT_SMTP_URL", "smtp://u:TELL@mail.example:0"),
        ("CONSENT_SMTP_URL", "smtp://u:TELL%0a@mail.example"), ("CONSENT_SMTP_URL", "smtp://"),
    ],
)  # fmt: skip
def test_a_wrong_value_is_named(tmp_path: Path, name: str, value: str) -> None:
    assert list(faults(tmp_path, **HOOK | MAIL | {name: value})) == [name]
