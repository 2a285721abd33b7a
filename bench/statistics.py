"""Measure how often the statistics of the rates err, and what they find: the table in docs/rates.md.

    python -m bench.statistics [--sites 60] [--only differences]

The sites are drawn (tests/support/simulated_site.py): four patterns of weekdays, days that vary by themselves by 0, 1
or 3 points with a lag-1 correlation of 0.3, volumes that vary by a quarter. One process, made nice; the whole takes an
hour of a processor, and fewer sites less. Files of this folder are run as modules: by its path each of them would find
this one in place of Python's own.
"""

import argparse
import os
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from math import log
from random import Random

from consent_server.rates.rules import Difference, Rate, Share, Totals, Trials, difference, wilson
from consent_server.rates.rules_alerts import BASELINE_DAYS, SILENCES, longest_silence, never_answered
from consent_server.rates.rules_band import KNOWN, moves
from consent_server.rates.rules_days import HISTORY_DAYS, day_to_day
from consent_server.rates.rules_drop import drops
from consent_server.rates.rules_noise import draw
from consent_server.rates.rules_odds import weigh
from tests.support.simulated_site import MONDAY, PATTERNS, Pattern, drawn, fallen, simulated, totals_of

# What the noise is in the way of.
TRUE = 0.6
SPREADS = (0.0, 0.01, 0.03)
YEAR, WEEK = 365, 7
DAY = timedelta(days=1)


def main() -> None:
    """Print Markdown tables."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    parser.add_argument("--sites", type=int, default=60, help="simulated sites for each cell and pattern")
    parser.add_argument("--only", choices=[section.__name__ for section in SECTIONS])
    options = parser.parse_args()
    os.nice(10)
    for section in SECTIONS:
        if options.only in (None, section.__name__):
            section(options.sites)


def _table(*heads: str) -> None:
    print(f"\n| {' | '.join(heads)} |\n|---{'|---:' * (len(heads) - 1)}|")


def _row(*cells: object) -> None:
    print(f"| {' | '.join(map(str, cells))} |", flush=True)


def _named(trials: int, spread: float) -> str:
    return f"{trials:,}, {100 * spread:.0f} points"


def _of(found: list[bool]) -> float:
    return 100 * sum(found) / len(found)


def _range(values: list[float], form: str = ".0f") -> str:
    """Over the four patterns: the least and the most."""
    least, most = f"{min(values):{form}}", f"{max(values):{form}}"
    return least if least == most else f"{least}-{most}"


# Two periods


def differences(sites: int) -> None:
    """How often two spans of a site where nothing happens differ, and how often the interval holds a true fall."""
    _table("trials a day, days vary by", "days", "by chance alone", "called different", "holds a fall of 3 points")
    for trials in (50, 500, 5_000, 50_000):
        for spread in SPREADS:
            for length in (7, 28):
                found = [_differ(pattern, trials, spread, length, sites) for pattern in PATTERNS.values()]
                cells = [_range([of[part] for of in found]) for part in range(3)]
                _row(
                    f"{trials:,}, {100 * spread:.0f} points",
                    f"{length} against {length}",
                    *(f"{cell} %" for cell in cells),
                )


def _differ(pattern: Pattern, trials: int, spread: float, length: int, sites: int) -> tuple[float, float, float]:
    random = Random(f"{pattern}{trials}{spread}{length}")
    chance, sure, holds = [], [], []
    for _ in range(sites):
        first = MONDAY + random.randrange(WEEK) * DAY
        site = simulated(random, HISTORY_DAYS, trials, spread, pattern, first)
        by_chance, by_days = _compared(site, length)
        chance.append(by_chance.sure)
        sure.append(by_days.sure)
        change = _compared(fallen(random, site, max(site) - (length - 1) * DAY, 0.03), length)[1]
        assert change.low is not None
        assert change.high is not None
        # The fall takes a share of those who accept, so it is 3 points where the level is 60 %.
        holds.append(change.low <= -0.03 * _level(pattern, length, first) <= change.high)
    return _of(chance), _of(sure), _of(holds)


def _level(pattern: Pattern, length: int, first: date) -> float:
    weekdays = [(first + day * DAY).weekday() for day in range(length)]
    volumes = [pattern.volumes[day] for day in weekdays]
    lifted = sum(volume * pattern.lifts[day] for volume, day in zip(volumes, weekdays, strict=True)) / sum(volumes)
    return 1 + lifted / 0.6


def _compared(site: dict[date, Trials], length: int) -> tuple[Difference, Difference]:
    keys = sorted(site)
    after, before = keys[-length:], keys[-2 * length : -length]
    rates = [_rate([site[day] for day in span]) for span in (after, before)]
    usual = day_to_day(site, after[0])
    return difference(*rates), difference(*rates, usual.swing(after, before) if usual else None)


def _rate(days: list[Trials]) -> Rate:
    successes, trials = sum(day.successes for day in days), sum(day.trials for day in days)
    return Rate(successes / trials, *wilson(successes, trials), "")


# A fall with a notice


def notices(sites: int) -> None:
    """How often the consent rate is said to have fallen with a notice."""
    falls = ((0.0, 0), (0.03, 0), (0.05, 0), (0.05, -4), (0.05, 3))
    heads = ("it does nothing", "3 points", "5 points", "5 points, 4 days before", "5 points, 3 days after")
    _table("choices a day, days vary by", *heads)
    for trials in (500, 5_000, 50_000):
        for spread in SPREADS:
            cells = [f"{_range(_often(trials, spread, *fall, sites))} %" for fall in falls]
            _row(_named(trials, spread), *cells)


def _often(trials: int, spread: float, fall: float, later: int, sites: int) -> list[float]:
    return [
        _of([_told(pattern, trials, spread, fall, later, number) for number in range(sites)])
        for pattern in PATTERNS.values()
    ]


def _told(pattern: Pattern, trials: int, spread: float, fall: float, later: int, number: int) -> bool:
    random = Random(f"{pattern}{trials}{spread}{number}")
    published = MONDAY + (HISTORY_DAYS + number % WEEK) * DAY
    site = simulated(random, HISTORY_DAYS + 2 * WEEK, trials, spread, pattern)
    site = fallen(random, site, published + later * DAY, fall) if fall else site
    days = {day: totals_of(counted) for day, counted in site.items()}
    return any(one.rate == "consent" for one in drops(days, [("new", published)], published + 6 * DAY))


# Alerts

FALLS = (0.03, 0.10, 0.20)


def alerts(sites: int) -> None:
    """False alarms a year, and how often a fall is told within a week of its first day."""
    heads = ("false alarms a year", "3 points less", "10 points", "20 points", "10 points told on day")
    _table("trials a day, days vary by", *heads)
    patterns = PATTERNS.values()
    for trials in (18, 60, 500, 3_000, 5_000, 50_000):
        for spread in SPREADS:
            false = [_false_alarms(pattern, trials, spread, max(sites // 4, 1)) for pattern in patterns]
            found = [[_days_until(pattern, trials, spread, fall, sites) for pattern in patterns] for fall in FALLS]
            often = [_range([_of([day is not None for day in of]) for of in by_pattern]) for by_pattern in found]
            days = sorted(day for of in found[1] for day in of if day is not None)
            cells = [f"{cell} %" for cell in often]
            _row(_named(trials, spread), _range(false, ".1f"), *cells, days[len(days) // 2] if days else "–")


def _told_on(site: dict[date, Trials], first: date, last: date) -> list[date]:
    """The days on which daily looks raise an alert, here in one go."""
    return sorted(moves(site, [first + number * DAY for number in range((last - first).days + 1)]))


def _false_alarms(pattern: Pattern, trials: int, spread: float, sites: int) -> float:
    random, found = Random(f"{pattern}{trials}{spread}"), 0
    for _ in range(sites):
        site = simulated(random, KNOWN.days + YEAR, trials, spread, pattern)
        found += len(_told_on(site, MONDAY + KNOWN, max(site)))
    return found / sites


def _days_until(pattern: Pattern, trials: int, spread: float, fall: float, sites: int) -> list[int | None]:
    random, found = Random(f"{pattern}{trials}{spread}{fall}"), []
    for number in range(sites):
        began = MONDAY + KNOWN + number % WEEK * DAY
        site = fallen(random, simulated(random, KNOWN.days + 2 * WEEK, trials, spread, pattern), began, fall)
        told = _told_on(site, began, began + 6 * DAY)
        found.append((told[0] - began).days + 1 if told else None)
    return found


# Experiments


@dataclass(frozen=True)
class Setting:
    """An experiment: views of both arms a day, their rates, and its days; `sizes` are of days that differ."""

    name: str
    views: tuple[int, int]
    rates: tuple[float, float]
    days: int = 40
    sizes: Callable[[int], float] = lambda _: 1.0


SETTINGS = (
    Setting("equal, 40 %, 200 views", (200, 200), (0.4, 0.4)),
    Setting("equal, 3 %, 200 views", (200, 200), (0.03, 0.03)),
    Setting("equal, 2 %, 500 views at 90/10", (450, 50), (0.02, 0.02)),
    Setting("equal, 90 %, 50 views", (50, 50), (0.9, 0.9)),
    Setting("40 to 43 %, 200 views, 60 days", (200, 200), (0.4, 0.43), 60),
    Setting("30 to 33 %, 250 views, 19 days", (250, 250), (0.3, 0.33), 19),
    Setting("2 to 5 %, 50 views at 90/10, 60 days", (45, 5), (0.02, 0.05), 60),
    Setting(
        "40 to 43 %, 200 views, on day 2 20,000", (100, 100), (0.4, 0.43), 21, lambda day: 100.0 if day == 1 else 1.0
    ),
)


def experiments(sites: int) -> None:
    """One rate of an experiment that is looked at daily, at a level of 5 %."""
    _table("rates and views a day and arm", "said to differ", "interval misses on some day")
    for setting in SETTINGS:
        random = Random(setting.name)
        found = [_experiment(random, setting) for _ in range(3 * sites)]
        _row(setting.name, *(f"{_of([of[part] for of in found]):.1f} %" for part in (0, 1)))


def _experiment(random: Random, setting: Setting) -> tuple[bool, bool]:
    days = []
    for day in range(setting.days):
        views = [round(of * setting.sizes(day)) for of in setting.views]
        a, b = (Trials(drawn(random, of, rate), of) for of, rate in zip(views, setting.rates, strict=True))
        days.append((a, b))
    found = weigh(days, 0.05)
    a, b = setting.rates
    true = log(b / (1 - b)) - log(a / (1 - a))
    return found.against > log(20), not found.low <= true <= found.high


# A banner that nobody answers


# Views of a program on a night, and whether the longest silence of the month is asked for.
PROGRAMS = ((0, 1), (60, 1), (60, 0))


def silences(sites: int) -> None:
    """Alerts a year of a banner that works, where a program loads 60 pages on one night in ten."""
    _table("views a day", "alerts a year without a program", "with one", "with one, by views alone")
    for views in (100, 200, 500):
        count = max(sites // 20, 1)
        rows = [
            [_silence_alerts(Random(number), views, *how) for number in range(count)]
            for how in ((0, 1), (60, 1), (60, 0))
        ]
        _row(views, *(f"{sum(row) / count:.1f}" for row in rows))


def _silence_alerts(random: Random, views: int, program: int, silent: int) -> int:
    """`silent` is 0 where the longest silence of the month is not asked for."""
    hours: list[Totals] = []
    alerts, since, raised = 0, 0, False
    for hour in range(YEAR * 24):
        shown = drawn(random, 2 * round(views / 16), 0.5) if 8 <= hour % 24 < 24 else 0
        decisions = drawn(random, shown, 0.6)
        shown += program * (hour % 24 == 3 and random.random() < 0.1)
        hours.append(Totals(shown=shown, decisions=decisions))
        since, raised = (0, False) if decisions else (since + shown, raised)
        if hour > BASELINE_DAYS * 24 and not raised and since >= 50:
            month = hours[-BASELINE_DAYS * 24 :]
            usual = Trials(sum(of.decisions for of in month), sum(of.shown for of in month))
            answered = max(at for at, of in enumerate(hours) if of.decisions) + 1
            longest = longest_silence(hours[max(answered - BASELINE_DAYS * 24, 0) : answered])
            raised = never_answered(since, 0, usual) and since > SILENCES * longest * silent
            alerts += raised
    return alerts


# Noise


def noise(sites: int) -> None:
    """How often the interval of a purpose's share, or of a rate in a split, holds a rate of 60 % through the noise."""
    _table("first choices a day, days", "share: holds it", "without noise's part", "split: holds it", "points each way")
    for trials in (10, 30, 100, 1_000):
        for days in (7, 28, 90):
            random = Random(f"noise{trials}{days}")
            found = [_noisy(random, trials, days) for _ in range(40 * sites)]
            held = [f"{_of([of[part] for of in found]):.0f} %" for part in range(3)]
            half = sum(of[3] for of in found) / len(found)
            _row(f"{trials:,}, {days}", *held, f"{100 * half:.1f}")


def _noisy(random: Random, trials: int, days: int) -> tuple[bool, bool, bool, float]:
    def noised(counted: int) -> int:
        return max(counted + sum(draw(random.randbytes) for _ in range(days)), 0)

    chosen = trials * days
    granted = drawn(random, chosen, TRUE)
    share = Share(min(noised(granted), chosen), chosen, chosen, draws=days)
    split = Totals(shown=2 * chosen, decisions=noised(chosen), accept_all=noised(granted), draws=days).rate("consent")
    by_chance = wilson(share.granted, chosen)
    assert share.rate.low is not None
    assert share.rate.high is not None
    assert split.low is not None
    assert split.high is not None
    holds = [
        low <= TRUE <= high for low, high in ((share.rate.low, share.rate.high), by_chance, (split.low, split.high))
    ]
    return holds[0], holds[1], holds[2], (split.high - split.low) / 2


SECTIONS = (differences, notices, alerts, experiments, silences, noise)

if __name__ == "__main__":
    main()
