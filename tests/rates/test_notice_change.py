"""What a new notice changed: in words, in what visitors answered since, and in pictures."""

from datetime import timedelta

import pytest
from flask import Flask

from consent_server.core.context import Context
from consent_server.core.errors import UnknownNotice
from consent_server.rates.read import RatesReader
from consent_server.rates.read_change import read_change
from tests.support.factories import ADS, ANALYTICS, Clock, site_file
from tests.support.people import CAST, Person
from tests.support.rates_page import RATES, a_day, api, count, text_of
from tests.support.sites import Apply

CHANGE = f"{RATES}/notice"


def fallen(services: Context, apply_site: Apply, old: str, clock: Clock) -> str:
    """The hash of a notice of a week ago, which fewer accept than the one before."""
    clock.advance(days=21)
    new, begins = apply_site(site_file(vendors=f"{ANALYTICS}{ADS}")), clock().date()
    clock.advance(days=7)
    for ago in range(1, 28):
        day = clock().date() - timedelta(days=ago)
        later = day >= begins
        count(services, new if later else old, day.isoformat(), a_day(200, 60, 80) if later else a_day(200, 90, 50))
    return new


def signed_in(app: Flask) -> Person:
    marketer = Person(app, "max")
    marketer.accept(marketer.invited(*CAST["max"]))
    return marketer


def test_it_says_what_changed_and_what_was_answered_since(
    app: Flask, services: Context, apply_site: Apply, notice: str, clock: Clock
) -> None:
    new = fallen(services, apply_site, notice, clock)
    found = read_change(services[RatesReader], "shop", new)
    assert (found.new.notice, found.before and found.before.notice) == (new, notice)
    assert [str(one) for one in found.differences] == ["- Meta pixel (advertising)"]
    assert {effect.rate: effect.fell for effect in found.effects} == {
        "interaction": False, "consent": True, "opt_in": True,
    }  # fmt: skip
    consent = next(effect for effect in found.effects if effect.rate == "consent")
    assert consent.change.value == pytest.approx(60 / 140 - 90 / 140)
    marketer = signed_in(app)
    page = marketer.open(f"{CHANGE}?notice={new}")
    words = text_of(page.text)
    for told in ("- Meta pixel (advertising)", "Consent rate 21.4 points lower", "would look alike"):
        assert told in words
    # Both banners, run by their archived code, since no picture was taken of them.
    for shown in (notice, new):
        assert f'src="/v1/notices/{shown}/preview?widget=' in page.text
    assert "frame-src 'self'" in page.headers["Content-Security-Policy"]
    # The same sentence stands on the rates' page, and leads here from there and from the axis.
    rates = marketer.open(RATES).text
    assert rates.count(f'href="{CHANGE}?notice={new}"') >= 3
    assert api(marketer)["drops"][0]["notice"] == new


def test_a_notice_of_today_is_too_new_to_tell(
    app: Flask, services: Context, apply_site: Apply, notice: str, clock: Clock
) -> None:
    clock.advance(days=14)
    for ago in range(1, 14):
        count(services, notice, (clock().date() - timedelta(days=ago)).isoformat(), a_day(200, 90, 50))
    apply_site(site_file(vendors=f"{ANALYTICS}{ADS}"))
    count(services, notice, clock().date().isoformat(), a_day(200, 90, 50))
    assert read_change(services[RatesReader], "shop", None).effects == []
    assert "Too little is counted to tell." in text_of(signed_in(app).open(CHANGE).text)


def test_the_first_notice_has_none_before_it_and_another_site_s_is_none(
    marketer: Person, services: Context, published: str
) -> None:
    first = read_change(services[RatesReader], "shop", published)
    assert (first.before, first.differences, first.effects) == (None, (), ())
    assert "first notice of this site" in text_of(marketer.open(CHANGE).text)
    with pytest.raises(UnknownNotice):
        read_change(services[RatesReader], "shop", "0" * 64)
    assert marketer.open(f"{CHANGE}?notice={'0' * 64}").status_code == 404
    assert marketer.open(f"{CHANGE}?notice=x").status_code == 400
