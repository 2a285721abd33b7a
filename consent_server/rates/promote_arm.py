"""Make an arm's notice the notice of its site, and end the experiment."""

from datetime import datetime

from consent_server.core.database import Database
from consent_server.core.errors import ExperimentConflict, UnknownExperiment
from consent_server.sites import store as sites
from consent_server.sites import store_changes as changes
from consent_server.sites import store_experiments as experiments
from consent_server.sites import store_notices as notices
from consent_server.sites.rules_titles import title_of_arm


def promote_arm(database: Database, key: str, experiment: str, arm: str, now: datetime) -> None:
    """For the control the site's notice stays. Raises UnknownSite, UnknownExperiment, ExperimentConflict.

    Nobody is asked again: arms rest on one consent basis.
    """
    with database.transaction() as session:
        site_id = sites.get(session, key).id
        # Two at once would both find it running.
        sites.hold(session, key)
        running = experiments.get(session, site_id, experiment)
        promoted = next((stored for stored in running.arms if stored.name == arm), None) if running else None
        if running is None or promoted is None:
            raise UnknownExperiment("This site has no such experiment, or it has no such arm.")
        if running.ended_at is not None:
            raise ExperimentConflict("This experiment has already ended. Open the page again to see how.")
        if notices.in_force_id(session, site_id) != promoted.notice.id:
            notices.publish(session, site_id, promoted.notice.id, now, title_of_arm(experiment, arm))
        experiments.end(session, site_id, now, promoted=arm)
        changes.record(session)
