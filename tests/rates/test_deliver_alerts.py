"""Alerts reach whoever wants to be told: signed, again until taken, given up after three days."""

import hashlib
import hmac
import json
import ssl
from base64 import b64decode, b64encode
from collections.abc import Iterator
from copy import copy
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from consent_server import worker
from consent_server.core import channels
from consent_server.core.channels import Channel, Channels, Mail, Webhook, webhook_key
from consent_server.rates import store_alerts as alerts
from consent_server.rates.deliver_alerts import Attempt, deliver_alerts
from consent_server.rates.read import RatesReader
from consent_server.rates.read_alerts import read_alert_figures
from tests.support.alerts import FALLEN, History, Receiver
from tests.support.factories import PUBLIC_URL, Clock
from tests.support.mail_server import MailServer
from tests.support.process import free_port

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
PEOPLE = ("ann@shop.example", "bob@shop.example")


def hook(url: str) -> Channels:
    return Channels(webhook=Webhook(url, webhook_key(SECRET)))


def tell(history: History, through: Channels) -> list[Attempt]:
    return list(deliver_alerts(history.services.database, through, PUBLIC_URL, history.clock))


def is_signed(headers: dict[str, str], body: bytes) -> bool:
    """As a receiver checks it, by the text of Standard Webhooks."""
    signed = b".".join([headers["webhook-id"].encode(), headers["webhook-timestamp"].encode(), body])
    expected = hmac.new(b64decode(SECRET.removeprefix("whsec_")), signed, hashlib.sha256).digest()
    return headers["webhook-signature"] == f"v1,{b64encode(expected).decode()}"


def test_the_signature_is_that_of_the_published_example() -> None:
    at = datetime.fromtimestamp(1614265330, UTC)
    headers = Webhook("", webhook_key(SECRET)).headers("msg_p5jXN8AQM9LWM0D4loKWxJek", at, b'{"test": 2432232314}')
    assert headers == {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }


@pytest.mark.on_both_databases
def test_each_alert_is_posted_once_and_signed(history: History, receiver: Receiver, clock: Clock) -> None:
    history.fall(Channel.WEBHOOK)
    clock.advance(seconds=30)
    told = tell(history, hook(receiver.url))
    assert [(one.site, one.channel, one.ok) for one in told] == [("shop", Channel.WEBHOOK, True)]
    assert all(is_signed(*message) for message in receiver.heard)
    headers, body = receiver.heard[0]
    assert headers["content-type"] == "application/json"
    assert headers["webhook-timestamp"] == str(int(clock().timestamp()))
    event = json.loads(body)
    text = event["data"].pop("text")
    assert text.startswith("The consent rate of 2026-11-22 is 16.7 %, outside its usual 33.8 to 66.2 %.")
    first = event["data"]["detail"]["rates"][0]
    assert [rate["rate"] for rate in event["data"]["detail"].pop("rates")] == [*FALLEN[:2], *reversed(FALLEN[2:])]
    assert first == {
        "rate": "consent", "value": 0.1667, "usual": 0.5, "low": 0.3384, "high": 0.6616, "z": -6.1883,
        "since": "2026-11-22", "slow": False,
    }  # fmt: skip
    assert event == {
        "type": "alert.outside_band",
        "timestamp": "2026-11-23T17:00:00.250Z",
        "data": {
            "site": "shop", "subject": "", "period": "2026-11-22", "detail": {"weeks": 8},
            "url": f"{PUBLIC_URL}/console/sites/shop/rates",
        },
    }  # fmt: skip
    clock.advance(days=2)
    assert tell(history, hook(receiver.url)) == []
    assert len(receiver.heard) == 1


def silent(history: History, *through: Channel) -> None:
    """One alert."""
    history.hour("2026-11-23T01", shown=500)
    assert history.watch(*through) == ["never_answered 2026-11-23"]


def fallen_and_silent(history: History, *through: Channel) -> None:
    """Two alerts."""
    history.fall(*through)
    history.hour("2026-11-23T01", shown=500)
    assert history.watch(*through) == ["never_answered 2026-11-22T12"]


@pytest.mark.on_both_databases
def test_what_is_not_taken_is_sent_again_later_each_time(history: History, receiver: Receiver, clock: Clock) -> None:
    silent(history, Channel.WEBHOOK)
    receiver.answers = [500, 301, 200]
    assert [one.detail for one in tell(history, hook(receiver.url))] == ["it answered 500"]
    clock.advance(seconds=59)
    assert tell(history, hook(receiver.url)) == []
    clock.advance(seconds=1)
    assert [one.detail for one in tell(history, hook(receiver.url))] == ["it answered 301"]
    clock.advance(seconds=119)
    assert tell(history, hook(receiver.url)) == []
    clock.advance(seconds=1)
    assert [one.ok for one in tell(history, hook(receiver.url))] == [True]
    clock.advance(days=1)
    assert tell(history, hook(receiver.url)) == []
    assert len(receiver.heard) == 3
    assert all(is_signed(*message) for message in receiver.heard)
    assert len({(headers["webhook-id"], body) for headers, body in receiver.heard}) == 1
    assert [int(headers["webhook-timestamp"]) - int(receiver.heard[0][0]["webhook-timestamp"])
            for headers, _ in receiver.heard] == [0, 60, 180]  # fmt: skip


def test_a_crash_between_sending_and_marking_sends_it_again(
    history: History, receiver: Receiver, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Crash(BaseException):
        pass

    def crash(*_: object) -> None:
        raise Crash

    silent(history, Channel.WEBHOOK)
    with monkeypatch.context() as patched:
        patched.setattr(alerts, "delivered", crash)
        with pytest.raises(Crash):
            tell(history, hook(receiver.url))
    assert len(receiver.heard) == 1
    # Nobody sends it meanwhile: the one who took it may still be waiting for an answer.
    assert tell(history, hook(receiver.url)) == []
    clock.advance(minutes=1)
    assert [one.ok for one in tell(history, hook(receiver.url))] == [True]
    assert receiver.heard[0][0]["webhook-id"] == receiver.heard[1][0]["webhook-id"]
    clock.advance(days=1)
    assert tell(history, hook(receiver.url)) == []


@pytest.mark.slow
@pytest.mark.on_both_databases
def test_after_three_days_it_is_given_up_and_said(history: History, clock: Clock) -> None:
    silent(history, Channel.WEBHOOK)
    nowhere = hook(f"http://127.0.0.1:{free_port()}/")
    began, attempts, told = clock(), list[timedelta](), list[Attempt]()
    while not told or not told[-1].given_up:
        found = tell(history, nowhere)
        attempts += [(clock() - began)] if found else []
        told += found
        clock.advance(minutes=1 if len(attempts) < 6 else 15)
        assert clock() - began < timedelta(days=4)
    assert all("cannot be reached" in one.detail for one in told)
    assert attempts[:6] == [timedelta(minutes=after) for after in (0, 1, 3, 7, 15, 31)]
    assert timedelta(days=2, hours=18) < attempts[-1] <= timedelta(days=3)
    assert len(attempts) == 20
    (shown,) = history.raised()
    assert shown.untold == ["webhook"]
    figures = read_alert_figures(history.services[RatesReader])
    assert figures.given_up == {Channel.WEBHOOK: 1, Channel.EMAIL: 0}
    clock.advance(days=1)
    assert tell(history, nowhere) == []


def test_one_that_does_not_answer_is_not_asked_for_every_alert(history: History, clock: Clock) -> None:
    fallen_and_silent(history, Channel.WEBHOOK)
    nowhere = hook(f"http://127.0.0.1:{free_port()}/")
    assert [len(tell(history, nowhere)) for _ in range(3)] == [1, 1, 0]


def test_a_webhook_that_fails_in_an_unforeseen_way_keeps_nothing_from_the_mail(
    history: History, mail: MailServer, clock: Clock
) -> None:
    silent(history, Channel.WEBHOOK, Channel.EMAIL)
    # A label of a name has 63 letters at most: no host is even asked.
    both = replace(mail_to(mail), webhook=hook(f"https://{'a' * 64}.example/").webhook)
    told = tell(history, both)
    assert [(one.channel, one.ok) for one in told] == [(Channel.WEBHOOK, False), (Channel.EMAIL, True)]
    assert told[0].detail.startswith("UnicodeError: ")
    assert len(mail.messages) == 1
    while not told[-1].given_up:
        clock.advance(hours=6)
        told = tell(history, both)
    (shown,) = history.raised()
    assert shown.untold == ["webhook"]
    assert len(mail.messages) == 1


@pytest.mark.on_both_databases
def test_alerts_of_before_a_channel_was_set_are_not_told(history: History, receiver: Receiver) -> None:
    silent(history)
    assert tell(history, hook(receiver.url)) == []


def mail_to(server: MailServer, tls: bool = False, user: str = "", password: str = "") -> Channels:
    return Channels(
        mail=Mail(channels.MailServer(server.host, server.port, tls, user, password), "alerts@shop.example", PEOPLE)
    )


@pytest.fixture
def mail() -> Iterator[MailServer]:
    with MailServer() as working:
        yield working


def test_one_mail_tells_all_of_a_fall(history: History, mail: MailServer, receiver: Receiver, clock: Clock) -> None:
    fallen_and_silent(history, Channel.WEBHOOK, Channel.EMAIL)
    both = replace(mail_to(mail), webhook=hook(receiver.url).webhook)
    told = tell(history, both)
    assert [(one.channel, one.ok) for one in told] == [(Channel.WEBHOOK, True)] * 2 + [(Channel.EMAIL, True)] * 2
    (message,) = mail.messages
    assert mail.envelopes == [("alerts@shop.example", list(PEOPLE))]
    assert mail.greetings == ["shop.example"]
    assert message["Subject"] == "Example Shop: consent rate and 3 more outside their usual band, and 1 more alert"
    assert (message["From"], message["To"]) == ("alerts@shop.example", ", ".join(PEOPLE))
    assert message["Date"] == "Mon, 23 Nov 2026 17:00:00 +0000"
    assert message["Message-ID"] == f"<{receiver.heard[0][0]['webhook-id']}@shop.example>"
    assert message["Auto-Submitted"] == "auto-generated"
    text = message.get_content()
    for words in ("The consent rate of 2026-11-22", "The opt-in rate of", "The analytics grant rate of",
                  "The advertising grant rate of", f"{PUBLIC_URL}/console/sites/shop/rates"):  # fmt: skip
        assert words in text
    clock.advance(days=1)
    assert tell(history, both) == []
    assert len(mail.messages) == 1


def test_a_mail_that_is_not_taken_is_sent_again(history: History, mail: MailServer, clock: Clock) -> None:
    silent(history, Channel.EMAIL)
    mail.refuse = "452 the disk is full"
    assert [one.detail for one in tell(history, mail_to(mail))] == ["it answered 452: the disk is full"]
    mail.refuse = ""
    assert tell(history, mail_to(mail)) == []
    clock.advance(minutes=1)
    assert [one.ok for one in tell(history, mail_to(mail))] == [True]
    assert mail.messages[0]["Subject"] == "Example Shop: the banner is shown and never answered"
    clock.advance(days=1)
    assert tell(history, mail_to(mail)) == []


def test_mail_that_nobody_can_take(history: History, mail: MailServer, clock: Clock) -> None:
    silent(history, Channel.EMAIL)
    of = mail_to(mail).mail
    assert of
    unknown = Channels(mail=replace(of, recipients=("nobody@shop.example",)))
    assert [one.detail for one in tell(history, unknown)] == ["it refuses mail for the recipients: 550 no such person"]
    clock.advance(hours=1)
    away = Channels(mail=replace(of, server=replace(of.server, port=free_port())))
    (told,) = tell(history, away)
    assert told.detail.startswith("the mail server cannot be used: ")
    clock.advance(hours=1)
    some = Channels(mail=replace(of, recipients=("nobody@shop.example", "ann@shop.example")))
    assert [one.ok for one in tell(history, some)] == [True]


@pytest.fixture
def certified(tmp_path: Path) -> Path:
    """A certificate of 127.0.0.2, where a mail server counts as one elsewhere, and its key."""
    key, name = ec.generate_private_key(ec.SECP256R1()), x509.Name([])
    began = datetime.now(UTC) - timedelta(hours=1)
    holder = x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.2"))])
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(began)
        .not_valid_after(began + timedelta(days=1))
        .add_extension(holder, critical=True)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, SHA256())
    )
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    path = tmp_path / "mail.pem"
    path.write_bytes(certificate.public_bytes(Encoding.PEM) + private)
    return path


@pytest.mark.parametrize("at_once", [True, False])
def test_a_password_goes_over_tls_alone(
    history: History, certified: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch, at_once: bool
) -> None:
    silent(history, Channel.EMAIL)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certified)
    with MailServer("127.0.0.2", context, at_once, ("us@er", "pa:ss")) as mail:
        to = mail_to(mail, at_once, "us@er", "pa:ss")
        (told,) = tell(history, to)  # nobody vouches for the certificate
        assert "certificate verify failed" in told.detail
        assert (mail.accounts, mail.messages) == ([], [])
        monkeypatch.setenv("SSL_CERT_FILE", str(certified))
        clock.advance(hours=1)
        (told,) = tell(history, mail_to(mail, at_once, "us@er", "wrong"))
        assert told.detail == "it answered 535: who is that?"
        clock.advance(hours=1)
        assert [one.ok for one in tell(history, to)] == [True]
        assert mail.accounts[-1] == (("us@er", "pa:ss"), True)
        assert len(mail.messages) == 1


def test_a_password_never_goes_in_the_clear(history: History, clock: Clock) -> None:
    silent(history, Channel.EMAIL)
    with MailServer("127.0.0.2", account=("user", "password")) as mail:
        (told,) = tell(history, mail_to(mail, user="user", password="password"))
        assert "a password is not sent in the clear" in told.detail
        assert mail.accounts == []
    with MailServer(account=("user", "password")) as local:
        clock.advance(hours=1)
        assert [one.ok for one in tell(history, mail_to(local, user="user", password="password"))] == [True]


def test_a_server_delivers_by_itself(history: History, receiver: Receiver) -> None:
    services = history.services
    ours = copy(services)
    ours.settings = replace(services.settings, alerts=hook(receiver.url))
    tasks = {task.name: task for task in worker.tasks(ours)}
    assert tasks["deliveries"].alone
    history.hour("2026-11-23T01", shown=500)
    tasks["alerts"].run(ours)
    tasks["deliveries"].run(ours)
    assert len(receiver.heard) == 1


def test_waits_grow_and_end() -> None:
    minutes = [channels.wait(attempts) / timedelta(minutes=1) for attempts in (1, 2, 3, 9, 10, 11, 12, 10**6)]
    assert minutes == [1, 2, 4, 256, 360, 360, 360, 360]
