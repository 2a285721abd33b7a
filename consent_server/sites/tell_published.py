"""Tell what an application of a site file did, or would do, line by line."""

from collections.abc import Iterator, Sequence

from consent_server.sites.publish import Published, PublishedRegion
from consent_server.sites.rules_plan import PublicationPlan
from consent_server.sites.run_experiment import ExperimentPlan


def tell_published(published: Published, check: bool) -> Iterator[str]:
    """What was read otherwise than it was written, then the plan; with `check`, as what would be."""
    would = _would(check)
    yield from _read_otherwise(published, would)
    yield from _plan(published.plan, published.settings_changed, would)
    yield from _experiment(published.experiment, would)
    yield from _regions(published.regions, would)


def tell_beside(published: Published, check: bool) -> Iterator[str]:
    """The same without notices and plan, which a page shows by itself, and with what an operator has to see to."""
    would = _would(check)
    yield from _read_otherwise(published, would)
    yield from _experiment(published.experiment, would)
    for one in published.regions:
        yield from (f"{one.region.key} runs until somebody objects, if {condition}" for condition in one.conditions)


def _would(check: bool) -> str:
    return "would be " if check else ""


def _read_otherwise(published: Published, would: str) -> Iterator[str]:
    for reading in published.readings:
        yield f"{reading.place}: read {reading.given} as {reading.used}"
    for one in published.corrections:
        yield f"contrast: {one.name} {one.given} {would}corrected to {one.used}"


def _plan(plan: PublicationPlan, settings_changed: bool, would: str) -> Iterator[str]:
    if plan.is_new:
        yield f"notice {plan.notice} {would}published{'' if plan.previous else ' for the first time'}"
    else:
        yield f"notice {plan.notice} unchanged"
    if settings_changed:
        yield f"settings {would}changed"
    if plan.is_new or plan.settings or plan.regions:
        yield from (f"  {sentence}" for sentence in plan.sentences())


def _experiment(plan: ExperimentPlan, would: str) -> Iterator[str]:
    if plan.ends:
        yield f"experiment {plan.ends} {would}ended"
    if plan.key:
        yield f"experiment {plan.key} {f'{would}started' if plan.starts else 'goes on'}"
    for arm in plan.arms:
        yield f"  {arm.weight} % {arm.name} notice {arm.notice.hash}"


def _regions(regions: Sequence[PublishedRegion], would: str) -> Iterator[str]:
    for one in regions:
        new = "unchanged" if one.previous == one.notice.notice.hash else f"{would}published"
        yield f"region {one.region.key} ({one.region.rule}: {', '.join(one.region.places)})"
        yield f"  notice {one.notice.notice.hash} {new}"
        for condition in one.conditions:
            yield f"  runs until somebody objects, if {condition}"
