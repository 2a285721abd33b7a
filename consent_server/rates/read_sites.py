"""Several sites side by side: the same days of each, and what changed."""

from collections.abc import Sequence
from dataclasses import replace

from consent_server.rates.read import RatesReader
from consent_server.rates.rules_dashboard import Rates
from consent_server.rates.rules_filters import USUAL_DAYS, Filters, Span

# On one page: each is read as its own page reads it, without its splits.
PAGE = 10


def read_sites(reader: RatesReader, keys: Sequence[str], page: int) -> tuple[list[Rates], bool]:
    """The rates of these sites over the usual days, each up to its own today, and whether another page follows."""
    shown = keys[(page - 1) * PAGE : page * PAGE]
    return [_rates(reader, key) for key in shown], len(keys) > page * PAGE


def _rates(reader: RatesReader, key: str) -> Rates:
    with reader.site(key) as site:
        filters = Filters(Span.ending(site.today, USUAL_DAYS))
        return site.rates(replace(filters, other=filters.span.before))
