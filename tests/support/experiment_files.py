"""Site files with an experiment."""

from tests.support.factories import VENDORS, site_file

BOX = '[[experiment.arms]]\nname = "box"\nweight = 30\nbanner.layout = "box"\n'
TITLE = '[[experiment.arms]]\nname = "title"\nweight = 20\n[experiment.arms.texts.en]\ntitle = "Your choice"\n'


def with_experiment(*arms: str, key: str = "look", shop: str | None = None) -> str:
    """The shop's file with these arms."""
    return f'{shop or site_file(vendors=VENDORS)}\n[experiment]\nkey = "{key}"\n{"".join(arms)}'
