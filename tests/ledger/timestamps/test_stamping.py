"""What is stamped and when, and that nothing is kept which does not hold."""

from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError

from consent_server.core.context import Context
from consent_server.core.errors import TimestampRefused, UnknownSite
from consent_server.ledger import store as ledgers
from consent_server.ledger.check_timestamps import check_timestamps
from consent_server.ledger.request_timestamps import Stamped
from consent_server.ledger.rfc3161 import stamped_at
from consent_server.ledger.rows import TimestampRow
from tests.support.factories import ADS, Clock, site_file
from tests.support.timestamp_authority import Maker, TimestampAuthority, openssl

Stamp = Callable[..., list[Stamped]]
Seal = Callable[[], int]


def rows(services: Context) -> list[TimestampRow]:
    with services.database.reading() as session:
        return list(session.scalars(select(TimestampRow).order_by(TimestampRow.id)))


def kinds(stamped: list[Stamped]) -> list[str]:
    return [one.subject.kind for one in stamped]


@pytest.mark.on_both_databases
def test_everything_is_stamped_once(services: Context, notice: str, sealed: Seal, stamp: Stamp) -> None:
    sealed()
    done = stamp()
    assert kinds(done) == ["checkpoint", "notice", "notice", "widget"]
    assert notice in [one.digest.hex() for one in done]
    assert [(row.kind, row.digest, row.stamped_at) for row in rows(services)] == [
        (one.subject.kind, one.digest, one.stamped_at) for one in done
    ]
    assert stamp() == []


def test_what_a_checkpoint_is_stamped_by_is_its_note_as_stored(
    services: Context, sealed: Seal, stamp: Stamp, roots: bytes, clock: Clock
) -> None:
    size = sealed()
    first = stamp("shop")[0]
    with services.database.reading() as session:
        newest = ledgers.newest_checkpoint(session, first.subject.site_id or 0)
        assert newest is not None
        assert (first.subject.size, first.digest) == (size, sha256(newest.note.encode()).digest())
    (row, *_) = rows(services)
    assert stamped_at(row.reply, first.digest, roots) == first.stamped_at
    assert abs((first.stamped_at - clock()).total_seconds()) < 120


@pytest.mark.on_both_databases
def test_the_newest_checkpoint_at_most_as_often_as_is_set(sealed: Seal, stamp: Stamp, clock: Clock) -> None:
    sealed()
    stamp()
    sealed()
    clock.advance(minutes=30)
    assert stamp() == []
    sealed()
    clock.advance(minutes=40)
    (done,) = stamp()
    # Of the two that came meanwhile only the newest: it holds the other.
    assert (done.subject.kind, done.subject.size) == ("checkpoint", 3)
    clock.advance(days=1)
    assert stamp() == [], "without new records there is nothing new to stamp"


def test_a_notice_is_stamped_on_the_next_run(stamp: Stamp, apply_site: Callable[[str], str], notice: str) -> None:
    stamp()
    newer = apply_site(site_file(vendors=ADS))
    assert [one.digest.hex() for one in stamp() if one.subject.kind == "notice"] == [newer]
    apply_site(site_file())
    assert stamp() == [], "an older notice that comes back has its timestamp"


def test_one_site_by_itself(stamp: Stamp, notice: str, sealed: Seal) -> None:
    sealed()
    assert kinds(stamp("rival")) == ["notice", "widget"]
    assert kinds(stamp("shop")) == ["checkpoint", "notice"]
    with pytest.raises(UnknownSite):
        stamp("nobody")


def test_only_hashes_leave_the_house(authority: TimestampAuthority, stamp: Stamp, notice: str) -> None:
    done = stamp()
    assert len(authority.asked) == len(done)
    for query, one in zip(authority.asked, done, strict=True):
        assert one.digest in query
        assert len(query) < 80


def test_openssl_agrees(services: Context, sealed: Seal, stamp: Stamp, maker: Maker, kept: Path) -> None:
    sealed()
    stamp()
    for row in rows(services):
        (kept / "reply.tsr").write_bytes(row.reply)
        command = ["ts", "-verify", "-digest", row.digest.hex(), "-in", "reply.tsr", "-CAfile", str(maker.roots)]
        assert "Verification: OK" in openssl(kept, *command)


def refused(stamp: Stamp, services: Context, reason: str, **options: bytes) -> None:
    with pytest.raises(TimestampRefused, match=reason):
        stamp(**options)
    assert rows(services) == []


def test_other_roots_are_refused(services: Context, stamp: Stamp, notice: str, tmp_path: Path) -> None:
    other = Maker(tmp_path / "other", name="Another authority")
    refused(stamp, services, "is not valid: Error while verifying certificates", roots=other.roots.read_bytes())


def test_roots_of_the_same_name_are_refused(services: Context, stamp: Stamp, notice: str, tmp_path: Path) -> None:
    refused(stamp, services, "is not valid", roots=Maker(tmp_path / "namesake").roots.read_bytes())


def test_an_answer_about_something_else_is_refused(
    services: Context, authority: TimestampAuthority, stamp: Stamp, notice: str, maker: Maker
) -> None:
    def about_zeros(query: bytes) -> bytes:
        # The digest is the only 32 bytes of a query that come after these two.
        place = query.index(b"\x04\x20") + 2
        return maker.reply(query[:place] + bytes(32) + query[place + 32 :])

    authority.answer = about_zeros
    refused(stamp, services, "is not valid: Mismatch between messages")


def test_an_earlier_answer_is_not_taken_again(
    services: Context, authority: TimestampAuthority, stamp: Stamp, notice: str, sealed: Seal, maker: Maker
) -> None:
    stamp()
    before = len(rows(services))
    sealed()
    old = maker.reply(authority.asked[0])
    authority.answer = lambda _: old
    with pytest.raises(TimestampRefused, match="Nonce mismatch"):
        stamp()
    assert len(rows(services)) == before


def test_a_rejection_is_told_in_the_authoritys_words(
    services: Context, authority: TimestampAuthority, stamp: Stamp, notice: str, tmp_path: Path
) -> None:
    authority.answer = Maker(tmp_path / "choosy", digests="sha512").reply
    refused(stamp, services, "grants no timestamp: status 2, Message digest algorithm is not supported")


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"status": 500}, "it answers 500"),
        ({"content_type": "text/html"}, "with text/html"),
        ({"status": 302, "headers": {"Location": "http://127.0.0.1:1/"}}, "it answers 302"),
        ({"answer": lambda _: b""}, "not an RFC 3161 answer"),
        ({"answer": lambda _: b"<html>"}, "not an RFC 3161 answer"),
        ({"answer": lambda _: b"0" * 70_000}, "longer than 65536 bytes"),
    ],
)
def test_what_is_no_answer_is_refused(
    services: Context,
    authority: TimestampAuthority,
    stamp: Stamp,
    notice: str,
    changes: dict[str, object],
    reason: str,
) -> None:
    for name, value in changes.items():
        setattr(authority, name, value)
    refused(stamp, services, reason)


def test_an_authority_that_is_away_is_named(
    services: Context, authority: TimestampAuthority, stamp: Stamp, notice: str
) -> None:
    url = authority.url
    authority.close()
    refused(stamp, services, f"No timestamp from {url}: it cannot be reached")


def test_after_a_failure_the_next_run_goes_on_from_there(
    services: Context, authority: TimestampAuthority, stamp: Stamp, notice: str, maker: Maker
) -> None:
    authority.answer = lambda query: maker.reply(query) if len(authority.asked) == 1 else b"no"
    with pytest.raises(TimestampRefused):
        stamp()
    assert len(rows(services)) == 1
    assert len(authority.asked) == 2, "one that fails is not asked for the rest"
    authority.answer = maker.reply
    assert kinds(stamp()) == ["notice", "widget"]


@pytest.mark.on_both_databases
def test_the_database_keeps_them_as_they_are(services: Context, stamp: Stamp, notice: str) -> None:
    stamp()
    for statement in ("UPDATE timestamps SET stamped_at = 0", "DELETE FROM timestamps"):
        with pytest.raises(DBAPIError, match="are kept as they are"), services.database.transaction() as session:
            session.execute(text(statement))


@pytest.mark.on_both_databases
def test_stored_ones_are_checked_again(
    services: Context, sealed: Seal, stamp: Stamp, roots: bytes, tmp_path: Path
) -> None:
    sealed()
    stamp()
    report = check_timestamps(services.database, roots, "shop")
    assert (report.counts, report.faults) == ({"timestamps hold": 3}, [])
    report = check_timestamps(services.database, None, "shop")
    unchecked = "timestamps: not checked, CONSENT_TIMESTAMP_ROOTS_FILE is not set"
    assert (report.counts, report.faults) == ({unchecked: 3}, [])
    other = Maker(tmp_path / "other", name="Another authority").roots.read_bytes()
    faults = check_timestamps(services.database, other, "shop").faults
    assert len(faults) == 3
    assert all("is not valid" in fault for fault in faults)
