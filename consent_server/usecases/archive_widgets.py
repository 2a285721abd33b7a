"""Keep the widget code that this server serves, so that every hash in a receipt can be looked up."""

from datetime import datetime

from consent_server.storage import notices, sites
from consent_server.storage.session import Database
from consent_server.usecases.current_site import CurrentSites


def archive_widgets(database: Database, current_sites: CurrentSites, now: datetime) -> None:
    """Archive the code of every site that shows a notice. After an upgrade this is new code for old notices."""
    with database.reading() as session:
        keys = [stored.site.key for stored in sites.every(session) if notices.in_force_id(session, stored.id)]
    codes = {code.hash: code for code in (current_sites.get(key).widget for key in keys)}
    with database.transaction() as session:
        for code in codes.values():
            if notices.widget_hash(session, code.hash) is None:
                notices.archive_widget(session, code.hash, code.archived, now)
