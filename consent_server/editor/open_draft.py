"""Open a site's settings: the draft where there is one, else the file in force."""

from dataclasses import dataclass

from consent_server.core.database import Database, Session
from consent_server.core.errors import Fault, InvalidSiteFile
from consent_server.editor import store as drafts
from consent_server.editor.rules import Draft, DraftConflict, version
from consent_server.sites import store as sites
from consent_server.sites import store_files as site_files
from consent_server.sites.rules_site import Site, unknown_site
from consent_server.sites.site_file import read_site_file
from consent_server.sites.store_files import AppliedFile

# As many earlier files as the page offers to begin from.
OFFERED = 20


@dataclass(frozen=True, slots=True)
class Settings:
    """What is edited. `site` is None for one that is yet to be, `applied` where no file of it was kept."""

    key: str
    site: Site | None
    draft: Draft | None
    applied: AppliedFile | None
    earlier: tuple[AppliedFile, ...] = ()

    @property
    def text(self) -> str | None:
        """The file as it is edited."""
        return self.draft.text if self.draft else self.applied.text if self.applied else None

    @property
    def version(self) -> str:
        """What a form that shows it sends back."""
        return version(self.text)

    def conflict(self) -> DraftConflict:
        """That this is there, and not what somebody had before them."""
        if self.draft:
            return DraftConflict(self.draft.who, self.draft.saved_at)
        return DraftConflict(self.applied.who, self.applied.applied_at) if self.applied else DraftConflict(None, None)

    @property
    def is_overtaken(self) -> bool:
        """Whether another file was applied since the draft was begun."""
        return self.draft is not None and self.draft.based_on != version(self.applied.text if self.applied else None)


def open_draft(database: Database, key: str) -> Settings:
    """The settings of a site as they are edited. Raises UnknownSite."""
    with database.reading() as session:
        return settings_of(session, key)


def find_draft(database: Database, key: str) -> Draft | None:
    """The draft of a site alone."""
    with database.reading() as session:
        return drafts.find(session, key)


def settings_of(session: Session, key: str) -> Settings:
    """The same, as part of a transaction."""
    stored, draft = sites.find(session, key), drafts.find(session, key)
    if stored is None and draft is None:
        raise unknown_site(key)
    applied = site_files.applied(session, stored.id) if stored else None
    earlier = site_files.earlier(session, stored.id, OFFERED) if stored else []
    return Settings(key, stored.site if stored else None, draft, applied, tuple(earlier))


def faults_of(text: str, key: str) -> list[Fault]:
    """What is wrong with a file for this site, by the rules that `site apply` has."""
    try:
        declared = read_site_file(text)
    except InvalidSiteFile as refusal:
        return list(refusal.faults)
    if declared["key"] != key:
        return [Fault("key", f'"{declared["key"]}" is another site; here it stays "{key}"')]
    return []
