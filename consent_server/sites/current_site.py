"""What each site is and shows right now, in memory: who shows it to visitors never waits for the database."""

import json
import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import chain

from consent_server.core.database import VISITOR, Database, Session
from consent_server.core.errors import StorageUnavailable, UnknownSite
from consent_server.sites import store_changes as changes
from consent_server.sites import store_configurations as configurations
from consent_server.sites import store_current as current_sites
from consent_server.sites import store_notices as notices
from consent_server.sites.configure_widget import configure_widget, revision, with_arms
from consent_server.sites.read_archive import read_notice_bytes
from consent_server.sites.rules_notice import Configuration, Notice
from consent_server.sites.rules_places import Place
from consent_server.sites.rules_regions import region_of
from consent_server.sites.rules_site import Site, retired_site, unknown_site
from consent_server.sites.store_current import Outline, Shown
from consent_server.sites.store_experiments import StoredExperiment
from consent_server.sites.widget_code import WidgetCode, widget_code_of

log = logging.getLogger("consent_server.sites")

# Seconds after which a new publication is seen. Short enough not to be noticed by who published it.
FRESH_FOR = 0.25
# Seconds that a request waits for what is looked up beside it, then it goes on with what is there; and where nothing
# is there yet, once.
LOOK, FIRST_LOOK = 0.1, 3.0
# Seconds that a post waits for the widget's code to be archived.
ARCHIVE = 1.0


@dataclass(frozen=True, slots=True)
class CurrentSite:
    """A site, the notice in force, and the widget code that shows it with what it is called with, by language.

    While an `experiment` runs, what the code is called with has all arms in it. `shown` are the notices in force and
    of its arms by row id, `served` what each is called with; `archived` is set once that is kept as evidence.
    `regions` has the site as visitors of each of its regions see it, by its key; `region` is the key of that.
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
    shown: Sequence[tuple[int, Notice]]
    served: Mapping[int, Sequence[Configuration]]
    archived: threading.Event
    region: str = ""
    regions: Mapping[str, "CurrentSite"] = field(default_factory=dict)

    def at(self, place: Place) -> "CurrentSite":
        """The site as visitors of a place see it."""
        region = region_of(self.site.regions, place)
        # A region whose notice is not published yet is asked first.
        return self.regions.get(region.key, self) if region else self

    @property
    def everywhere(self) -> "tuple[CurrentSite, ...]":
        """The site as it is seen where no region has another notice, then in each region."""
        return (self, *self.regions.values())

    def where(self, notice_id: int) -> "CurrentSite | None":
        """The site as whoever is shown this notice sees it, also as an arm; None where nobody is shown it now."""
        return next((one for one in self.everywhere if any(notice_id == row_id for row_id, _ in one.shown)), None)


class CurrentSites:
    """Looks sites up by key, and their earlier notices by hash.

    All sites are in memory, and a mark in the database is another one once anything of any of them changed. It is read
    beside the requests, by one thread at a time: a request waits a tenth of a second for it at most.
    """

    def __init__(self, database: Database, public_url: str, now: Callable[[], datetime]) -> None:
        self._database = database
        self._public_url = public_url
        self._now = now
        # Guards who looks. What follows is written by that thread alone, and each of it is replaced as a whole.
        self._mutex = threading.Lock()
        self._looking: threading.Thread | None = None
        self._fresh_until = 0.0
        self._mark: int | None = None
        # Why the database did not answer the last time, "" when it did.
        self._away = ""
        self._kept: dict[str, _Kept] = {}
        self._bodies: dict[str, bytes] = {}
        self._earlier: dict[tuple[int, str], tuple[int, Notice]] = {}

    def get(self, key: str) -> CurrentSite:
        """The site with its notice in force. Raises UnknownSite, and StorageUnavailable while that is not known."""
        if self._mark is None and not self._away:
            self.look(FIRST_LOOK)
        elif time.monotonic() >= self._fresh_until:
            self.look(LOOK, together=False)
        elif key not in self._kept and not self._away:
            # It may have been made a moment ago.
            self.look(LOOK)
        kept = self._kept.get(key)
        if kept is None and (self._away or self._mark is None):
            raise StorageUnavailable(self._away or "The database does not answer yet. Send it again later.")
        if kept is None:
            raise unknown_site(key)
        if kept.made is None:
            kept.current(self._public_url)
            self.look(LOOK)
        return kept.current(self._public_url)

    def shown(self, key: str) -> CurrentSite:
        """The same, for who is about to ask a visitor, or was. Raises UnknownSite for a site that was retired."""
        current = self.get(key)
        if current.site.retired:
            raise retired_site(key)
        return current

    def kept(self, key: str) -> CurrentSite | None:
        """The site as it is in memory; the database is not asked."""
        kept = self._kept.get(key)
        with suppress(UnknownSite):
            return kept.current(self._public_url) if kept else None
        return None

    def body(self, notice_hash: str) -> bytes:
        """The RFC 8785 bytes of a notice, from memory where a site shows it. Raises UnknownNotice."""
        if notice_hash in self._bodies:
            return self._bodies[notice_hash]
        return read_notice_bytes(self._database, notice_hash)

    def notice(self, current: CurrentSite, notice_hash: str) -> tuple[int, Notice] | None:
        """A notice that this site shows or once showed: its row id and itself."""
        for row_id, notice in chain.from_iterable(one.shown for one in current.everywhere):
            if notice.hash == notice_hash:
                return row_id, notice
        key = (current.site_id, notice_hash)
        if key not in self._earlier:
            if self._away:
                raise StorageUnavailable(self._away)
            with self._database.reading(VISITOR) as session:
                stored = notices.of_site(session, current.site_id, notice_hash)
            if stored is None:
                return None
            self._earlier[key] = (stored.id, stored.notice)
        return self._earlier[key]

    def require_archived(self, current: CurrentSite) -> None:
        """Raises StorageUnavailable unless the code that a receipt is about to name is kept as evidence."""
        deadline = time.monotonic() + ARCHIVE
        while not current.archived.is_set() and time.monotonic() < deadline and not self._away:
            self.look(ARCHIVE)
        if not current.archived.is_set():
            raise StorageUnavailable("The widget's code is not archived yet. Send it again later.")

    def look(self, within: float, together: bool = True) -> bool:
        """See whether anything changed, and wait so many seconds for that. Whether the database answered.

        With `together`, wait also for a look that another thread waits for.
        """
        with self._mutex:
            looking = self._looking
            # A thread of the process that this one was forked from is not alive here.
            if looking is None or not looking.is_alive():
                looking = self._looking = threading.Thread(target=self._look, name="sites", daemon=True)
                looking.start()
            elif not together:
                return False
        looking.join(within)
        return not looking.is_alive() and not self._away

    def finish(self, within: float) -> bool:
        """Wait for a look that is under way; whether none is left. For who is about to fork or to close connections."""
        looking = self._looking
        if looking is not None:
            looking.join(within)
        return looking is None or not looking.is_alive()

    def _look(self) -> None:
        away = "The sites cannot be read; the server's log says why."
        try:
            self._refresh()
            away = ""
            self._archive()
        except StorageUnavailable as error:
            away = away and error.detail
            log.debug("The sites are as they were: %s", error.detail)
        except Exception:
            log.exception("The sites cannot be read")
        finally:
            self._away, self._fresh_until = away, time.monotonic() + FRESH_FOR

    def _refresh(self) -> None:
        with self._database.reading(VISITOR) as session:
            # Read before what it marks: what changes in between is looked at again.
            mark = changes.mark(session)
        if mark != self._mark:
            with self._database.reading() as session:
                self._read(session)
            self._mark = mark

    def _read(self, session: Session) -> None:
        outlines = current_sites.outlines(session)
        before = {key: kept.outline for key, kept in self._kept.items()}
        changed = [outline for outline in outlines if before.get(outline.key) != outline]
        shown = current_sites.shown(session, changed)
        new = {outline.key: _Kept(outline, shown[outline.key]) for outline in changed}
        self._kept = {outline.key: new.get(outline.key) or self._kept[outline.key] for outline in outlines}
        self._bodies = dict(pair for kept in self._kept.values() for pair in kept.shown.notices.values())

    def _archive(self) -> None:
        # After an upgrade there is new code: whoever holds a receipt that names it must find it, and see what it
        # showed. Mostly it is there, and nothing is written.
        new = [kept.made for kept in self._kept.values() if kept.made and not kept.made.archived.is_set()]
        for current in new:
            for one in current.everywhere:
                self._archive_code(one)
            current.archived.set()

    def _archive_code(self, current: CurrentSite) -> None:
        with self._database.reading(VISITOR) as session:
            known = configurations.are_archived(session, current.widget.hash, current.served)
        if not known:
            with self._database.transaction(VISITOR) as session:
                notices.archive_widget(session, current.widget.hash, current.widget.archived, self._now())
                for notice_id, served in current.served.items():
                    configurations.archive(session, notice_id, current.widget.hash, served, self._now())


class _Kept:
    """A site as it is stored, and what is made of it once somebody asks for it."""

    def __init__(self, outline: Outline, shown: Shown) -> None:
        self.outline, self.shown = outline, shown
        self.made: CurrentSite | None = None
        self._mutex = threading.Lock()

    def current(self, public_url: str) -> CurrentSite:
        """Raises UnknownSite before the first notice."""
        return self.made or self._make(public_url)

    def _make(self, public_url: str) -> CurrentSite:
        with self._mutex:
            self.made = self.made or _make(self.outline, self.shown, public_url)
            return self.made


def _make(outline: Outline, stored: Shown, public_url: str) -> CurrentSite:
    if outline.notice_id is None or outline.ledger is None:
        raise UnknownSite(f"The site {outline.key!r} has published no notice yet.")
    site = Site.from_json(outline.key, outline.name, outline.settings)
    seen = _Seen(outline.site_id, site, outline.ledger, stored.notices, public_url)
    regions = {key: replace(seen.showing(notice_id), region=key) for key, notice_id in stored.regions.items()}
    return replace(seen.showing(outline.notice_id, stored.experiment), regions=regions)


@dataclass(frozen=True, slots=True)
class _Seen:
    """What is the same of a site wherever it is seen."""

    site_id: int
    site: Site
    ledger: str
    notices: Mapping[int, tuple[str, bytes]]
    public_url: str

    def showing(self, notice_id: int, experiment: StoredExperiment | None = None) -> CurrentSite:
        """The site where it shows this notice, or an arm of the experiment."""
        notice_hash, body = self.notices[notice_id]
        notice = Notice(notice_hash, json.loads(body))
        shown = [(100, notice_id, notice)]
        arms = experiment.arms[1:] if experiment else ()
        shown += [(arm.weight, arm.notice.id, arm.notice.notice) for arm in arms]
        adapters = (tag.adapter for tag in self.site.tags if tag.adapter)
        code = widget_code_of((each for _, _, each in shown), adapters, arms=experiment is not None)
        own = [(weight, configure_widget(each, self.site, code.hash, self.public_url)) for weight, _, each in shown]
        return CurrentSite(
            site_id=self.site_id,
            site=self.site,
            notice_id=notice_id,
            notice=notice,
            revision=revision(notice.body),
            widget=code,
            configurations=with_arms(own[0][1], own[1:]) if experiment else own[0][1],
            ledger=self.ledger,
            experiment=experiment,
            shown=[(row_id, each) for _, row_id, each in shown],
            served={row_id: list(served.values()) for (_, row_id, _), (_, served) in zip(shown, own, strict=True)},
            archived=threading.Event(),
        )
