"""Keep, replace and discard drafts: never over what somebody has not seen."""

from datetime import datetime

from consent_server.core.database import Database, Session
from consent_server.core.errors import Fault, InvalidSiteFile
from consent_server.editor import store as drafts
from consent_server.editor.open_draft import Settings, settings_of
from consent_server.editor.rules import version
from consent_server.sites import store as sites
from consent_server.sites import store_files as site_files
from consent_server.sites.draft_site_file import Answers, draft_site_file

# As long a file as a form may make.
LONGEST = 200_000


def save_draft(database: Database, key: str, text: str, seen: str, who: str, now: datetime) -> None:
    """Keep the text as the draft of a site. `seen` is the version that was edited.

    Raises UnknownSite, InvalidSiteFile, and DraftConflict where another one is there by now.
    """
    _check_text(text)
    with database.transaction() as session:
        _keep(session, _seen(session, key, seen), text, who, now)


def discard_draft(database: Database, key: str, seen: str) -> bool:
    """Let the draft of a site go; False where the site is gone with it, as it never was. Raises as `save_draft`."""
    with database.transaction() as session:
        settings = _seen(session, key, seen)
        drafts.remove(session, key)
        return settings.site is not None


def draft_earlier(database: Database, key: str, number: int, seen: str, who: str, now: datetime) -> None:
    """Make an earlier file of the site its draft. Raises as `save_draft`."""
    with database.transaction() as session:
        settings = _seen(session, key, seen)
        text = site_files.earlier_text(session, sites.get(session, key).id, number)
        if text is None:
            raise InvalidSiteFile("This earlier file is not kept.")
        _keep(session, settings, text, who, now)


def begin_site(database: Database, answers: Answers, who: str, now: datetime) -> str:
    """Make a draft of a site that is yet to be, and return its key. Raises InvalidSiteFile where the key is taken."""
    key, text = answers.key, draft_site_file(answers)
    with database.transaction() as session:
        if sites.hold(session, key) or drafts.find(session, key):
            raise InvalidSiteFile("Nothing was begun.", [Fault("name", f'the key "{key}" is taken by another site')])
        drafts.keep(session, key, text, "", who, now)
    return key


def list_begun(database: Database) -> list[str]:
    """The keys of sites that were begun and never published."""
    with database.reading() as session:
        return [key for key in drafts.keys(session) if sites.find(session, key) is None]


def _seen(session: Session, key: str, seen: str) -> Settings:
    sites.hold(session, key)
    settings = settings_of(session, key)
    if settings.version != seen:
        raise settings.conflict()
    return settings


def _keep(session: Session, settings: Settings, text: str, who: str, now: datetime) -> None:
    applied = settings.applied.text if settings.applied else None
    if text == applied:
        # Changed back: there is nothing to publish.
        drafts.remove(session, settings.key)
        return
    based_on = settings.draft.based_on if settings.draft else version(applied)
    drafts.keep(session, settings.key, text, based_on, who, now)


def _check_text(text: str) -> None:
    if "\x00" in text:
        raise InvalidSiteFile("The file has a NUL character, which no text has. Leave it out.")
    if len(text) > LONGEST:
        raise InvalidSiteFile(f"The file has {len(text):,} characters; at most {LONGEST:,} are allowed.")
