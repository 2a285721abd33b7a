"""Publishing, as `site apply` does it, inside the test's own process."""

import time

from consent_server.core.context import Context
from consent_server.core.errors import InvalidSiteFile
from consent_server.sites.current_site import CurrentSites
from consent_server.sites.publish import Published, publish_notice
from consent_server.sites.site_file import read_site_file


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

    def publish(self, text: str, check_only: bool = False, undo: bool = False) -> Published:
        """What `site apply` does with a file of this text; with `undo`, also what a promotion changed is set back."""
        services, file = self._services, read_site_file(text)
        url, now = services.settings.public_url, services.now()
        return publish_notice(services.database, file, url, now, check_only, undo_promotion=undo)

    def _seen(self, published: Published) -> bool:
        current = self._services[CurrentSites].get(published.site.key)
        runs = current.experiment.key if current.experiment else None
        same = current.notice.hash == published.notice and current.site == published.site
        return same and runs == published.experiment.key
