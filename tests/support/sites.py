"""Publishing, as `site apply` does it, inside the test's own process."""

import time

from consent_server.core.context import Context
from consent_server.core.errors import InvalidSiteFile, UnknownSite
from consent_server.sites.current_site import CurrentSite, CurrentSites
from consent_server.sites.publish import Published, publish_notice
from consent_server.sites.site_file import read_site_file
from consent_server.sites.standing_grants import StandingGrants


def faults(text: str) -> dict[str, str]:
    """Place to what is wrong there; empty when the file is right."""
    try:
        read_site_file(text)
    except InvalidSiteFile as refused:
        return {fault.pointer: fault.detail for fault in refused.faults}
    return {}


class Apply:
    """Publishes what a site file says, and waits until the server has seen it: mostly a quarter of a second."""

    def __init__(self, services: Context) -> None:
        self._services = services

    def __call__(self, text: str) -> str:
        """The hash of the notice in force."""
        published = self.publish(text)
        deadline = time.monotonic() + 20
        while not self._seen(published):
            assert time.monotonic() < deadline, "A publication is not seen."
        return published.notice

    def publish(self, text: str, check_only: bool = False, undo: bool = False, title: str | None = None) -> Published:
        """What `site apply` does with a file of this text; with `undo`, also what a promotion changed is set back."""
        services, file = self._services, read_site_file(text)
        url, now = services.settings.public_url, services.now()
        standing = services.find(StandingGrants)
        return publish_notice(
            services.database, file, url, now, check_only, undo_promotion=undo, title=title, standing=standing
        )

    def _seen(self, published: Published) -> bool:
        try:
            current = self._services[CurrentSites].get(published.site.key)
        except UnknownSite:
            # On a busy machine a look takes longer than a visitor waits for it.
            return False
        runs = current.experiment.key if current.experiment else None
        same = current.notice.hash == published.notice and current.site == published.site
        return same and runs == published.experiment.key


def in_force(services: Context) -> CurrentSite:
    """What the shop is and shows, read anew."""
    return CurrentSites(services.database, services.settings.public_url, services.now).get("shop")
