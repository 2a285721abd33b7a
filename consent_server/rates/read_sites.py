"""Several sites side by side: the same days of each, and what changed."""

from collections.abc import Sequence

from consent_server.rates.read import RatesReader
from consent_server.rates.rules_dashboard import Summary
from consent_server.rates.rules_filters import USUAL_DAYS, Span

# On one page.
PAGE = 10


def read_sites(reader: RatesReader, keys: Sequence[str], page: int) -> tuple[list[Summary], bool]:
    """These sites over the usual days, each up to its own today, and whether another page follows."""
    shown = keys[(page - 1) * PAGE : page * PAGE]
    return [_summary(reader, key) for key in shown], len(keys) > page * PAGE


def _summary(reader: RatesReader, key: str) -> Summary:
    with reader.site(key) as site:
        return site.summary(Span.ending(site.today, USUAL_DAYS))
