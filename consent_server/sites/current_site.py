"""What a site is and shows right now, kept for a moment so that the visitor's path does not read it again."""

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from consent_server.core.database import Database, Session
from consent_server.core.errors import UnknownSite
from consent_server.sites import store as sites
from consent_server.sites import store_configurations as configurations
from consent_server.sites import store_experiments as experiments
from consent_server.sites import store_ledgers as ledgers
from consent_server.sites import store_notices as notices
from consent_server.sites.configure_widget import configure_widget, revision, with_arms
from consent_server.sites.rules_notice import Configuration, Notice
from consent_server.sites.rules_site import Site, StoredSite
from consent_server.sites.store_experiments import StoredExperiment
from consent_server.sites.widget_code import WidgetCode, widget_code

# Seconds after which a new publication is seen. Short enough not to be noticed by who published it.
FRESH_FOR = 0.25


@dataclass(frozen=True, slots=True)
class CurrentSite:
    """A site, the notice in force, and the widget code that shows it with what it is called with, by language.

    While an `experiment` runs, what the code is called with has all arms in it.
    """

    site_id: int
    site: Site
    notice_id: int
    notice: Notice
    revision: str
    widget: WidgetCode
    configurations: Mapping[str, Configuration]
    ledger: str
    experiment: StoredExperiment | None

    def shows(self, notice_id: int) -> bool:
        """Whether a notice is the site's or an arm's of the experiment that it runs."""
        arms = self.experiment.arms if self.experiment else ()
        return notice_id == self.notice_id or any(notice_id == arm.notice.id for arm in arms)


class CurrentSites:
    """Looks sites up by key, and their earlier notices by hash."""

    def __init__(self, database: Database, public_url: str, now: Callable[[], datetime]) -> None:
        self._database = database
        self._public_url = public_url
        self._now = now
        self._lock = threading.Lock()
        self._current: dict[str, tuple[float, CurrentSite]] = {}
        self._earlier: dict[tuple[int, str], tuple[int, Notice]] = {}

    def get(self, key: str) -> CurrentSite:
        """The site with its notice in force. Raises UnknownSite."""
        found = self._current.get(key)
        if found is not None:
            if time.monotonic() < found[0]:
                return found[1]
            # Others go on with what is there while one looks again.
            self._current[key] = (time.monotonic() + FRESH_FOR, found[1])
        try:
            current = self._load(key, found[1] if found else None)
        except Exception:
            self._current.pop(key, None)
            raise
        self._current[key] = (time.monotonic() + FRESH_FOR, current)
        return current

    def kept(self, key: str) -> CurrentSite | None:
        """The site if it was asked for lately; the database is not."""
        found = self._current.get(key)
        return found and found[1]

    def notice(self, current: CurrentSite, notice_hash: str) -> tuple[int, Notice] | None:
        """A notice that this site shows or once showed: its row id and itself."""
        if notice_hash == current.notice.hash:
            return current.notice_id, current.notice
        key = (current.site_id, notice_hash)
        if key not in self._earlier:
            with self._database.reading() as session:
                stored = notices.of_site(session, current.site_id, notice_hash)
            if stored is None:
                return None
            with self._lock:
                self._earlier[key] = (stored.id, stored.notice)
        return self._earlier[key]

    def _load(self, key: str, last: CurrentSite | None) -> CurrentSite:
        with self._database.reading() as session:
            stored = sites.get(session, key)
            if last and _unchanged(session, stored, last):
                return last
            notice = notices.in_force(session, stored.id)
            origin = ledgers.origin(session, stored.id)
            experiment = experiments.running(session, stored.id)
        if notice is None:
            raise UnknownSite(f"The site {key!r} has published no notice yet.")
        site, runs = stored.site, experiment is not None
        shown = [(100, notice), *((arm.weight, arm.notice) for arm in (experiment.arms[1:] if experiment else ()))]
        adapters = (tag.adapter for tag in site.tags if tag.adapter)
        code = widget_code(adapters, (one.notice.body["layout"] for _, one in shown), arms=runs)
        own = [(weight, configure_widget(one.notice, site, code.hash, self._public_url)) for weight, one in shown]
        current = CurrentSite(
            site_id=stored.id,
            site=site,
            notice_id=notice.id,
            notice=notice.notice,
            revision=revision(notice.notice.body),
            widget=code,
            configurations=with_arms(own[0][1], own[1:]) if experiment else own[0][1],
            ledger=origin,
            experiment=experiment,
        )
        # After an upgrade this is new code: whoever holds a receipt that names it must find it, and see what it showed.
        with self._database.transaction() as session:
            notices.archive_widget(session, code.hash, code.archived, self._now())
            for (_, one), (_, served) in zip(shown, own, strict=True):
                configurations.archive(session, one.id, code.hash, served.values(), self._now())
        return current


def _unchanged(session: Session, stored: StoredSite, last: CurrentSite) -> bool:
    runs = last.experiment.key if last.experiment else None
    return (
        stored.site == last.site
        and notices.in_force_id(session, stored.id) == last.notice_id
        and experiments.running_key(session, stored.id) == runs
        and ledgers.origin(session, stored.id) == last.ledger
    )
