"""What a new notice changed: what differs from the one before, and how visitors answered since."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from consent_server.core.errors import UnknownNotice
from consent_server.rates.read import RatesReader, SiteRates
from consent_server.rates.rules_dashboard import Publication
from consent_server.rates.rules_drop import Effect
from consent_server.sites import store_notices as notices
from consent_server.sites.notice_titles import told_between
from consent_server.sites.rules_differences import Difference
from consent_server.sites.rules_site import Site


@dataclass(frozen=True, slots=True)
class NoticeChange:
    """A publication beside the one `before` it, None for the first. `known` are all, the newest first."""

    site: Site
    new: Publication
    before: Publication | None
    differences: Sequence[Difference]
    effects: Sequence[Effect]
    known: Sequence[Publication]


def read_change(reader: RatesReader, key: str, notice: str | None) -> NoticeChange:
    """Of the newest publication of a notice (hash), or of the newest of all. Raises UnknownSite, UnknownNotice."""
    with reader.site(key) as site:
        published = site.publications()
        places = [place for place, one in enumerate(published) if notice in (None, one.notice)]
        if not places:
            raise UnknownNotice("No notice of this hash was published on this site.")
        new, before = published[places[-1]], published[places[-1] - 1] if places[-1] else None
        return NoticeChange(
            site=site.site,
            new=new,
            before=before,
            differences=told_between(_body(site, before), _body(site, new)) if before else (),
            effects=_effects(site, new) if before else (),
            known=published[::-1],
        )


def _body(site: SiteRates, shown: Publication) -> Any:
    return json.loads(notices.body(site.session, shown.notice))


def _effects(site: SiteRates, new: Publication) -> list[Effect]:
    """From whole days: today, few have answered what many were shown."""
    first = date.fromisoformat(new.at[:10])
    last = min(first + timedelta(days=6), site.today - timedelta(days=1))
    return [effect for effect in site.effects(first, last) if (effect.notice, effect.day) == (new.notice, first)]
