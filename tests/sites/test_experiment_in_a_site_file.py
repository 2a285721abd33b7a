"""Arms of an experiment in the site file: refused with their place, and fair like the site."""

import pytest

from consent_server.core.errors import InvalidSiteFile
from consent_server.sites.publish import notice_body
from consent_server.sites.rules_notice import consent_basis
from consent_server.sites.site_file import arm_of, read_site_file
from tests.support.experiment_files import BOX, TITLE, with_experiment
from tests.support.factories import TOP, site_file


def faults(text: str) -> dict[str, str]:
    """Place to what is wrong there."""
    with pytest.raises(InvalidSiteFile) as refused:
        read_site_file(text)
    return {fault.pointer: fault.detail for fault in refused.value.faults}


def arm(lines: str) -> str:
    return f'[[experiment.arms]]\nname = "other"\nweight = 50\n{lines}\n'


def says(language: str, line: str) -> str:
    return arm(f"[experiment.arms.texts.{language}]\n{line}")


WRONG: list[tuple[list[str], str, str]] = [
    ([], "experiment.arms", "is missing"),
    ([arm("").replace("other", "control")], "experiment.arms[0].name", "the site's own notice"),
    ([arm("").replace("other", "Other")], "experiment.arms[0].name", "small letters"),
    ([BOX, BOX], "experiment.arms[1].name", "twice"),
    ([arm("").replace("50", "0")], "experiment.arms[0].weight", "between 1 and 99"),
    ([arm("").replace("50", "100")], "experiment.arms[0].weight", "between 1 and 99"),
    ([arm("").replace("50", "0.5")], "experiment.arms[0].weight", "whole number"),
    ([arm("").replace("50", "true")], "experiment.arms[0].weight", "whole number"),
    ([arm("").replace("50", "80"), BOX], "experiment.arms", "leave nothing of 100"),
    ([arm('banner.layout = "wall"')], "experiment.arms[0].banner.layout", "wall"),
    ([arm('banner.colours.accent = "red"')], "experiment.arms[0].banner.colours.accent", "red"),
    ([arm('banner.colours.refuse = "#eeeeee"')], "experiment.arms[0].banner.colours.refuse", "(one-style)"),
    ([arm("choice_days = 30")], "experiment.arms[0].choice_days", "is not known"),
    ([arm("accept_days = 30")], "experiment.arms[0].accept_days", "(no-hurry)"),
    ([arm('vendors = ["google-analytics"]')], "experiment.arms[0].vendors", "is not known"),
    ([says("en", 'accept = "Yes"\nrefuse = "yes"')], "experiment.arms[0].texts.en.refuse", "(both-answers)"),
    ([BOX, says("fr", 'refuse = "Non, je refuse absolument tout"')], "experiment.arms[1].texts.fr.refuse", "both-ans"),
    ([says("en", 'intro = "Just click"')], "experiment.arms[0].texts.en.intro", "(words-kept)"),
    ([says("en", 'once = "Now"')], "experiment.arms[0].texts.en.once", "is not on the banner"),
    ([says("en", 'close = "x"')], "experiment.arms[0].texts.en.close", "is not known"),
    ([says("de", 'title = "x"')], "experiment.arms[0].texts.de", "is not one of languages"),
    ([says("en", 'title = ""')], "experiment.arms[0].texts.en.title", "characters"),
]


@pytest.mark.parametrize(("arms", "place", "words"), WRONG)
def test_what_is_wrong_is_refused_with_its_place(arms: list[str], place: str, words: str) -> None:
    found = faults(with_experiment(*arms))
    assert list(found) == [place] or place in found
    assert words in found[place]


def test_an_arm_that_is_unfair_only_together_with_the_site_is_refused() -> None:
    shop = site_file(f'{TOP}[texts.en]\naccept = "Agree"\nrefuse = "Refuse"\n')
    found = faults(with_experiment(says("en", 'refuse = "agree"'), shop=shop))
    assert found == {"experiment.arms[0].texts.en.refuse": "accept and refuse say the same (both-answers)"}


def test_arms_rest_on_one_consent_basis_and_differ_in_the_banner_alone() -> None:
    shop = site_file(f'{TOP}[texts.en]\nsaved = "Kept."\n[banner.colours]\naccent = "#ffff00"\n')
    declared = read_site_file(with_experiment(BOX, TITLE, shop=shop))
    control = notice_body(declared)
    box, title = (notice_body(arm_of(declared, one)) for one in declared["experiment"]["arms"])
    assert consent_basis(box) == consent_basis(title) == consent_basis(control)
    assert box == control | {"layout": "box"}
    assert title["texts"]["en"]["banner"] == control["texts"]["en"]["banner"] | {"title": "Your choice"}
    assert title["texts"]["fr"] == control["texts"]["fr"]
    # An accent that cannot be read is corrected for an arm as for the site.
    own = read_site_file(with_experiment(arm('banner.colours.accent = "#ffffff"')))
    assert notice_body(arm_of(own, own["experiment"]["arms"][0]))["colours"]["accent"] == "#949494"


def test_a_file_without_an_experiment_has_none() -> None:
    assert "experiment" not in read_site_file(site_file())
