"""The plan of a publication says of each region what changes there, and who is asked by its rule."""

import pytest

from tests.support.factories import site_file
from tests.support.regions import MATOMO, REGIONS, WORLD
from tests.support.sites import Apply

BASIS = '[regions.purposes.analytics]\nbasis = "objection"\n'
ELSEWHERE = "elsewhere nobody will be asked again: visitors see no difference"


def planned(apply_site: Apply, text: str, before: str = WORLD) -> list[str]:
    """The plan of a file on a site that is as `before` says."""
    apply_site.publish(before)
    return list(apply_site.publish(text, check_only=True).plan.sentences())


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        (
            WORLD.replace('places = ["US"]\nrule = "opt-out"', 'places = ["US"]\nrule = "notice"'),
            ["region america: rule changed (notice; before: opt-out)",
             "in region america visitors will be told: tags run until somebody objects"],
        ),
        (
            WORLD.replace('places = ["GB"]', 'places = ["GB", "FR"]'),
            ["region britain: places changed (GB, FR; before: GB)"],
        ),
        (
            WORLD.replace(BASIS, ""),
            ["region britain: Audience measurement needs consent", "region britain: text changed",
             "region britain: words of the preferences changed",
             "in region britain visitors who granted will be asked again, those who refused will not"],
        ),
        (
            WORLD.replace('link = "Privacy"', 'link = "Your data"'),
            ["region utah: text changed in English", "region utah: word for the way back changed in English"],
        ),
        (
            WORLD.partition('[[regions]]\nkey = "elsewhere"')[0],
            ["- region elsewhere: visitors will be asked first there, unless another region names the place"],
        ),
        (
            WORLD + '[[regions]]\nkey = "japan"\nplaces = ["JP"]\nrule = "opt-out"\n',
            ["+ region japan (opt-out: JP)", "in region japan nobody will be asked: tags run until somebody opts out"],
        ),
    ],
)  # fmt: skip
def test_what_changes_in_a_region_and_who_is_asked_there(apply_site: Apply, changed: str, told: list[str]) -> None:
    assert planned(apply_site, changed) == [*told, ELSEWHERE]


def test_a_vendor_that_goes_is_told_once_and_asks_by_each_rule(apply_site: Apply) -> None:
    sentences = planned(apply_site, site_file(vendors=MATOMO) + REGIONS)
    assert sentences.count("- Meta pixel (advertising)") == 1
    assert "in region europe visitors who granted will be asked again, those who refused will not" in sentences
    assert "in region utah visitors will be told again; what somebody turned off stays off" in sentences
    assert "in region america nobody will be asked; what somebody turned off stays off" in sentences


def test_without_a_change_no_region_is_told_of(apply_site: Apply) -> None:
    apply_site.publish(WORLD)
    plan = apply_site.publish(WORLD, check_only=True).plan
    assert plan.regions == ()
    assert plan.to_json()["regions"] == []


def test_a_first_publication_says_what_will_hold_where(apply_site: Apply) -> None:
    sentences = list(apply_site.publish(WORLD, check_only=True).plan.sentences())
    assert "+ region utah (notice: US-UT)" in sentences
    assert "elsewhere every visitor will be asked" in sentences
