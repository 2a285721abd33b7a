"""Plan what publishing a draft changes, and publish it as it was planned: by the very act of `site apply`."""

from dataclasses import dataclass

from consent_server.core.errors import InvalidSiteFile
from consent_server.editor import store as drafts
from consent_server.editor.open_draft import faults_of, settings_of
from consent_server.editor.publisher import Publisher
from consent_server.sites import store as sites
from consent_server.sites import store_files as site_files
from consent_server.sites.publish import Published, publish_notice
from consent_server.sites.site_file import read_site_file


@dataclass(frozen=True, slots=True)
class DraftPlan:
    """What a draft would change in what is in force. `draft` and `state` name the two as they were looked at."""

    published: Published
    draft: str
    state: str

    @property
    def changes(self) -> int:
        """How many things differ, for visitors and beside."""
        done = self.published
        trial = bool(done.experiment.ends) + bool(done.experiment.key and done.experiment.starts)
        return len(done.plan.differences) + len(done.plan.settings) + len(done.plan.regions) + trial


def plan_draft(publisher: Publisher, key: str) -> DraftPlan | None:
    """None where there is no draft. Raises UnknownSite, InvalidSiteFile and ExperimentConflict as `site apply` does."""
    with publisher.database.reading() as session:
        settings = settings_of(session, key)
        state = site_files.state(session, sites.find(session, key))
    if settings.draft is None:
        return None
    return DraftPlan(_apply(publisher, key, settings.draft.text, None, check_only=True), settings.version, state)


def publish_draft(publisher: Publisher, key: str, draft: str, state: str, title: str | None) -> Published:
    """Publish the draft as it was planned, and let it go.

    Raises as `plan_draft`, and DraftConflict or PlanOutdated where the draft or what is in force is another by now.
    """
    with publisher.database.reading() as session:
        settings = settings_of(session, key)
    if settings.draft is None or settings.version != draft:
        raise settings.conflict()
    published = _apply(publisher, key, settings.draft.text, title, seen=state)
    with publisher.database.transaction() as session:
        # Somebody may have gone on writing; a crash here leaves a draft without changes.
        after = drafts.find(session, key)
        if after and after.text == settings.draft.text:
            drafts.remove(session, key)
    return published


def _apply(
    publisher: Publisher, key: str, text: str, title: str | None, check_only: bool = False, seen: str | None = None
) -> Published:
    if faults := faults_of(text, key):
        raise InvalidSiteFile("The draft is not complete yet.", faults)
    return publish_notice(
        publisher.database, read_site_file(text), publisher.public_url, publisher.now(), check_only=check_only,
        title=title, standing=publisher.standing, text=text, who=publisher.who, seen=seen,
    )  # fmt: skip
