"""Tell an operator what a site is and shows, line by line."""

from collections.abc import Iterator
from datetime import datetime

from consent_server.core.database import Database, Session
from consent_server.sites import store as sites
from consent_server.sites import store_experiments as experiments
from consent_server.sites import store_notices as notices
from consent_server.sites.notice_titles import TitledPublication, titled_publications
from consent_server.sites.rules_site import StoredSite, Tag
from consent_server.sites.wording import language_in_english


def describe_site(database: Database, key: str) -> list[tuple[str, str]]:
    """Label and text of each line. Raises UnknownSite."""
    with database.reading() as session:
        return list(_lines(session, sites.get(session, key)))


def _lines(session: Session, stored: StoredSite) -> Iterator[tuple[str, str]]:
    site, in_force = stored.site, notices.in_force(session, stored.id)
    yield "Site", f"{site.name} ({site.key}){', retired' if site.retired else ''}{', made up' if site.demo else ''}"
    yield "Origins", " ".join(site.origins)
    if in_force:
        body = in_force.notice.body
        yield "Notice", in_force.notice.hash
        yield "Languages", ", ".join(map(language_in_english, body["languages"]))
        yield "Purposes", ", ".join(purpose["key"] for purpose in body["purposes"])
        names = {vendor["key"]: vendor["name"] for vendor in body["vendors"]}
        yield from (("Vendor", f"{names.get(tag.vendor, tag.vendor)}{_ids(tag)}") for tag in site.tags)
        yield "Choices", f"last {body['choice_days']} days; proofs are kept {site.proof_retention}"
    yield "Clock", site.time_zone
    if running := experiments.running(session, stored.id):
        arms = ", ".join(f"{arm.name} {arm.weight} %" for arm in running.arms)
        yield "Experiment", f"{running.key} ({arms})"
    for one in reversed(titled_publications(session, stored.id)):
        yield "Published", f"{_day(one.published_at)} {_called(one)}"


def _ids(tag: Tag) -> str:
    return f" {' '.join(tag.ids)}" if tag.ids else ""


def _day(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M} UTC"


def _called(one: TitledPublication) -> str:
    return f"“{one.title}” {one.notice[:8]}…"
