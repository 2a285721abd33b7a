"""Rates in the tidy form (Wickham 2014, J. Stat. Softw. 59(10)): a row is one measure of one subject of one key."""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from consent_server.rates.rules import (
    AGAIN_RATES,
    CONVERSIONS,
    GPC_RATES,
    RATES,
    REACH,
    SHARE,
    TOTALS,
    Rate,
    Ratio,
    Share,
    Totals,
)
from consent_server.rates.rules_report import Figures


class Measurement(NamedTuple):
    """One number of a row of the rates.

    `subject` is "site", "purpose" or "vendor", and `name` the key of the latter two. A count has its `value` alone; a
    rate its numerator, its denominator and the bounds of its 95 % interval too, and no value where the counts make no
    rate. Each count of it holds `draws` draws of noise.
    """

    key: str
    subject: str
    name: str
    measure: str
    numerator: int | None
    denominator: int | None
    value: float | int | None
    low: float | None
    high: float | None
    draws: int


def measurements(key: str, figures: Figures) -> Iterator[Measurement]:
    """All that is said of one row, each once: nothing is a sum of others."""
    totals = figures.totals
    for name in TOTALS:
        yield Measurement(key, "site", "", name, None, None, getattr(totals, name), None, None, totals.draws)
    for measure, ratio, rate in _rates(totals):
        yield _rate(key, "site", "", measure, ratio, totals, rate)
    for subject, shares in (("purpose", figures.purposes), ("vendor", figures.vendors)):
        yield from _shares(key, subject, shares)


def _rates(totals: Totals) -> Iterator[tuple[str, Ratio, Rate]]:
    # What withdrawals are measured by stands with the whole alone, and no row of this table is a whole.
    yield from ((f"{name}_rate", ratio, totals.rate(name)) for name, ratio in RATES.items() if name != "withdrawal")
    yield from ((f"{name}_again_rate", ratio, totals.rate_again(name)) for name, ratio in AGAIN_RATES.items())
    for name, ratio in GPC_RATES.items():
        yield "gpc_rate" if name == "share" else f"{name}_rate", ratio, totals.rate(name)


def _shares(key: str, subject: str, shares: Mapping[str, Share]) -> Iterator[Measurement]:
    for name, share in shares.items():
        yield _rate(key, subject, name, "granted_of_decisions", SHARE, share, share.rate)
        yield _rate(key, subject, name, "granted_of_shown", REACH, share, share.reach)
        if subject == "vendor":
            yield _rate(key, subject, name, "conversions_sent", CONVERSIONS, share, share.sending)


def _rate(
    key: str, subject: str, name: str, measure: str, ratio: Ratio, counted: Totals | Share, rate: Rate
) -> Measurement:
    numerator, denominator = ratio.trials(counted)
    return Measurement(
        key, subject, name, measure, numerator, denominator, rate.value, rate.low, rate.high, counted.draws
    )
