"""Site files with an experiment, and what became of it."""

from consent_server.core.context import Context
from consent_server.sites import store as sites
from consent_server.sites import store_experiments as experiments
from consent_server.sites import store_notices as notices
from tests.support.factories import VENDORS, site_file

BOX = '[[experiment.arms]]\nname = "box"\nweight = 30\nbanner.layout = "box"\n'
TITLE = '[[experiment.arms]]\nname = "title"\nweight = 20\n[experiment.arms.texts.en]\ntitle = "Your choice"\n'


def with_experiment(*arms: str, key: str = "look", shop: str | None = None) -> str:
    """The shop's file with these arms."""
    return f'{shop or site_file(vendors=VENDORS)}\n[experiment]\nkey = "{key}"\n{"".join(arms)}'


def stored(services: Context, key: str | None = None) -> experiments.StoredExperiment | None:
    with services.database.reading() as session:
        return experiments.get(session, sites.get(session, "shop").id, key)


def hashes(services: Context) -> dict[str, str]:
    """Arm to notice."""
    found = stored(services)
    assert found
    return {arm.name: arm.notice.notice.hash for arm in found.arms}


def in_force(services: Context) -> str:
    with services.database.reading() as session:
        found = notices.in_force(session, sites.get(session, "shop").id)
    assert found
    return found.notice.hash
