"""Everything that a marketer looks at on one page, of one moment."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from consent_server.domain.drop import WEEK, Drop, drops
from consent_server.domain.rates import Totals
from consent_server.domain.report import Count, Figures, Report, figures, report
from consent_server.domain.site import Site
from consent_server.storage.session import Database
from consent_server.usecases.read_rates import By, Publication, SiteCounts, Span, monday

SPLITS = (By.DEVICE, By.LANGUAGE, By.COUNTRY)


@dataclass(frozen=True, slots=True)
class Dashboard:
    """The figures of a span, its whole in `series.whole`; `before` are those of as many days before.

    `publications` are those within the span, `known` every notice of the site with its first day, oldest
    first. `purposes` and `vendors` are what people call them, by key. `first_day` is the first on which
    anything was counted, None when nothing ever was.
    """

    site: Site
    span: Span
    by: By
    notice: str | None
    series: Report
    before: Figures
    splits: Mapping[By, Report]
    publications: Sequence[Publication]
    known: Mapping[str, str]
    drops: Sequence[Drop]
    purposes: Mapping[str, str]
    vendors: Mapping[str, str]
    first_day: str | None


def read_dashboard(database: Database, key: str, span: Span, by: By, notice: str | None = None) -> Dashboard:
    """`by` is one of ALONG; with `notice` (hash) only what was counted under it. Raises UnknownSite."""
    with database.snapshot() as session:
        site = SiteCounts(session, key)
        # One reading for the days, for those before, and for the week before a notice of the first day.
        longer = Span(min(span.before.first, span.first - timedelta(days=WEEK)), span.last)
        days = site.counts(longer, By.DAY, notice)
        inside, before = _within(days, span), _within(days, span.before)
        published = site.publications()
        splits = {one: site.report(span, one, notice) for one in SPLITS}
        splits[By.NOTICE] = report((count._replace(key=count.notice) for count in inside), site.asked)
        known = {one.notice: one.at[:10] for one in reversed([*published, *site.arms()])}
        rows = site.counts(span, by, notice) if by is By.HOUR else inside
        if by is By.WEEK:
            rows = [count._replace(key=monday(count.key)) for count in inside]
        return Dashboard(
            site=site.stored.site,
            span=span,
            by=by,
            notice=notice,
            series=report(rows, site.asked),
            before=figures(before, site.asked),
            splits=splits,
            publications=[one for one in published if span.holds(one.at[:10])],
            known=dict(sorted(known.items(), key=lambda one: one[1])),
            # Under one notice alone no other can have made a difference.
            drops=_drops(days, published, site, span) if notice is None else [],
            purposes=site.purposes,
            vendors=site.vendors,
            first_day=site.first_day(),
        )


def _within(counts: Sequence[Count], span: Span) -> list[Count]:
    return [count for count in counts if span.holds(count.key)]


def _drops(counts: Sequence[Count], published: Sequence[Publication], site: SiteCounts, span: Span) -> list[Drop]:
    days: dict[date, Totals] = {
        date.fromisoformat(key): of.totals for key, of in report(counts, site.asked).rows if of is not None
    }
    found = drops(days, [(one.notice, date.fromisoformat(one.at[:10])) for one in published], span.last)
    return [one for one in found if span.holds(one.day.isoformat())]
