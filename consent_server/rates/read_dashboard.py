"""Everything that a marketer looks at on one page, of one moment."""

from collections.abc import Mapping
from dataclasses import dataclass

from consent_server.core.database import Database
from consent_server.rates.read import By, SiteCounts, Span, monday
from consent_server.rates.read_context import Context, context_of, with_week_before
from consent_server.rates.rules_report import Report, report
from consent_server.sites.rules_site import Site

SPLITS = (By.DEVICE, By.LANGUAGE, By.COUNTRY, By.NOTICE)


@dataclass(frozen=True, slots=True)
class Dashboard:
    """The figures of a span, its whole in `series.whole`; `beside` has those of the span to compare with.

    `purposes` and `vendors` are what people call them, by key. `first_day` is the first on which anything was
    counted, None when nothing ever was.
    """

    site: Site
    span: Span
    by: By
    notice: str | None
    series: Report
    splits: Mapping[By, Report]
    beside: Context
    purposes: Mapping[str, str]
    vendors: Mapping[str, str]
    first_day: str | None


def read_dashboard(
    database: Database, key: str, span: Span, by: By, notice: str | None = None, other: Span | None = None
) -> Dashboard:
    """`by` is one of ALONG; with `notice` (hash) only what was counted under it. Compared with `other`, or with as
    many days before. Raises UnknownSite.
    """
    with database.snapshot() as session:
        site = SiteCounts(session, key)
        days = site.counts(with_week_before(span), By.DAY, notice)
        first = span.first.isoformat()
        inside = [count for count in days if count.key >= first]
        rows = site.counts(span, by, notice) if by is By.HOUR else inside
        if by is By.WEEK:
            rows = [count._replace(key=monday(count.key)) for count in inside]
        return Dashboard(
            site=site.stored.site,
            span=span,
            by=by,
            notice=notice,
            series=report(rows, site.asked),
            splits={one: site.report(span, one, notice) for one in SPLITS},
            beside=context_of(session, site, span, other or span.before, notice, days),
            purposes=site.purposes,
            vendors=site.vendors,
            first_day=site.first_day(),
        )
