"""What a publication changes, and for whom: told before it is done, in the words of who does it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

from consent_server.sites.rules_differences import Difference
from consent_server.sites.rules_places import Rule
from consent_server.sites.rules_regions import Region
from consent_server.sites.rules_site import Site, Tag

# Settings that are one word or number, as people call them.
PLAIN = {
    "default_language": "default language", "proof_retention": "time that proofs are kept",
    "time_zone": "time zone", "sample": "sample of page loads", "weekly_mail": "weekly mail",
}  # fmt: skip
WHOLE = {"google": "what Google's tags are told"}
AGAIN = "the site is shown again"
# The name is in the notice too; origins, tags and regions are told one by one.
TOLD = {"name", "origins", "tags", "regions"}
PARTS = {"ids": "id", "conversions": "conversions", "hosts": "hosts", "adapter": "way of loading"}

# What becomes of visitors of a region whose notice asks for something else than the one before.
NOBODY_ASKED = "nobody will be asked; what somebody turned off stays off"
AUDIENCES = {
    Rule.OPT_IN: "visitors who granted will be asked again, those who refused will not",
    Rule.OPT_OUT: NOBODY_ASKED,
    Rule.NOTICE: "visitors will be told again; what somebody turned off stays off",
    Rule.NONE: NOBODY_ASKED,
}
# The same where another rule held there, or a region is new.
NEWLY = {
    Rule.OPT_IN: "visitors will be asked first, and nothing runs before a yes",
    Rule.OPT_OUT: "nobody will be asked: tags run until somebody opts out",
    Rule.NOTICE: "visitors will be told: tags run until somebody objects",
    Rule.NONE: "nobody will be asked: tags run",
}


@dataclass(frozen=True, slots=True)
class RegionPlan:
    """What changes in a region: `before` is None where it is new, `after` where it goes.

    `differences` are those of its notice, beside what changes on the whole site.
    """

    before: Region | None
    after: Region | None
    differences: tuple[Difference, ...] = ()
    asks_again: bool = False

    @property
    def changes(self) -> bool:
        """Whether anything does."""
        return self.before != self.after or bool(self.differences) or self.asks_again

    def sentences(self) -> Iterator[str]:
        """What changes there, and then who is asked."""
        if self.after is None:
            gone = self.before.key if self.before else ""
            yield f"- region {gone}: visitors will be asked first there, unless another region names the place"
            return
        named, before = f"region {self.after.key}", self.before
        if before is None:
            yield f"+ {named} ({self.after.rule}: {', '.join(self.after.places)})"
        else:
            if before.rule != self.after.rule:
                yield f"{named}: rule changed ({self.after.rule}; before: {before.rule})"
            if before.places != self.after.places:
                yield f"{named}: places changed ({', '.join(self.after.places)}; before: {', '.join(before.places)})"
        yield from (f"{named}: {one}" for one in self.differences)
        if before is None or before.rule != self.after.rule:
            yield f"in {named} {NEWLY[self.after.rule]}"
        elif self.asks_again:
            yield f"in {named} {AUDIENCES[self.after.rule]}"


class PlanOutdated(Exception):
    """What is in force changed since the plan was made. Nothing was published."""


@dataclass(frozen=True, slots=True)
class PublicationPlan:
    """What visitors would see (`differences`) and would not see (`settings`); `previous` is None for a first notice.

    `regions` are those in which something changes beside the site's own notice. `standing` are the grants that stand
    by the counters, and None where nobody is asked again, or none are counted.
    """

    notice: str
    previous: str | None
    title: str
    differences: tuple[Difference, ...]
    settings: tuple[Difference, ...]
    asks_again: bool
    standing: int | None = None
    regions: tuple[RegionPlan, ...] = ()

    @property
    def is_new(self) -> bool:
        """Whether a notice is published: a visitor sees a difference."""
        return self.notice != self.previous

    def sentences(self) -> Iterator[str]:
        """The plan as it is read: what changes, who is asked again, what receipts will name."""
        yield from map(str, self.differences)
        yield from map(str, self.settings)
        for region in self.regions:
            yield from region.sentences()
        yield f"elsewhere {self.audience}" if self.regions else self.audience
        if self.is_new:
            yield f"receipts will name notice {self.notice[:8]}…, “{self.title}”"

    @property
    def audience(self) -> str:
        """Who is asked because of it (docs/adr/0008-who-is-asked-again.md)."""
        if self.previous is None:
            return "every visitor will be asked"
        if not self.is_new:
            return "nobody will be asked again: visitors see no difference"
        if not self.asks_again:
            return "nobody will be asked again: what visitors agreed to is the same"
        return f"visitors who granted will be asked again{_about(self.standing)}, those who refused will not"

    def to_json(self) -> dict[str, Any]:
        """For a form: the same, part by part."""
        return {
            "notice": self.notice,
            "previous": self.previous,
            "title": self.title,
            "new": self.is_new,
            "differences": [str(one) for one in self.differences],
            "settings": [str(one) for one in self.settings],
            "asks_again": self.asks_again,
            "standing": self.standing,
            "regions": [
                {"key": one.key, "sentences": list(plan.sentences())}
                for plan in self.regions
                if (one := plan.after or plan.before)
            ],
            "sentences": list(self.sentences()),
        }


def _about(standing: int | None) -> str:
    if standing is None:
        return ""
    many = f"about {standing:,} standing grant{'' if standing == 1 else 's'}"
    return f" ({many if standing else 'no standing grant'} by the counters)"


def setting_differences(before: Site, after: Site) -> tuple[Difference, ...]:
    """What differs between two sites beside what visitors see, as vendors that came or went do."""
    return tuple(_settings(before, after))


def _settings(before: Site, after: Site) -> Iterator[Difference]:
    yield from _listed("origin", before.origins, after.origins)
    yield from _tags({tag.vendor: tag for tag in before.tags}, {tag.vendor: tag for tag in after.tags})
    for field in fields(Site):
        old, new = getattr(before, field.name), getattr(after, field.name)
        if old == new or field.name in TOLD:
            continue
        if field.name == "retired":
            yield Difference("", AGAIN)
        elif field.name in PLAIN:
            yield Difference("", f"{PLAIN[field.name]} changed", f"{new}; before: {old}")
        else:
            yield Difference("", f"{WHOLE.get(field.name, field.name)} changed")


def _listed(what: str, before: Sequence[str], after: Sequence[str]) -> Iterator[Difference]:
    yield from (Difference("+", f"{what} {one}") for one in after if one not in before)
    yield from (Difference("-", f"{what} {one}") for one in before if one not in after)
    if sorted(before) == sorted(after) and before != after:
        yield Difference("", f"order of {what}s changed")


def _tags(before: Mapping[str, Tag], after: Mapping[str, Tag]) -> Iterator[Difference]:
    # A vendor that came or went is seen by visitors, and told with what they see.
    for vendor in [vendor for vendor in after if vendor in before]:
        for part, words in PARTS.items():
            old, new = getattr(before[vendor], part), getattr(after[vendor], part)
            if old != new:
                more = f"{', '.join(new) or 'none'}; before: {', '.join(old) or 'none'}" if part == "ids" else ""
                yield Difference("", f"{words} of {vendor} changed", more)
