"""What people call a notice: the words of who published it, or what changed with it."""

from collections.abc import Callable, Mapping, Sequence

from consent_server.core.rules_text import read_line
from consent_server.sites.rules_differences import Difference
from consent_server.sites.rules_regions import Region

LONGEST = 80
FIRST = "first notice"
# More changes than these are counted: a title is read in a row of others.
MOST_TOLD = 2


def read_title(given: str) -> str:
    """A title as it is stored. Raises ValueError, which says what is wrong with it."""
    return read_line(given, LONGEST)


def computed_title(known: Mapping[str, str], notice: str, told: Callable[[], Sequence[Difference]]) -> str:
    """What a publication is called that nobody named; `known` has the titles of the notices before it, by hash."""
    if not known:
        return FIRST
    return title_of_return(known[notice]) if notice in known else title_of(told())


def title_of(differences: Sequence[Difference]) -> str:
    """A title made of what changed: "added Microsoft Clarity; title changed in French"."""
    for told in range(min(MOST_TOLD, len(differences)), 0, -1):
        left = len(differences) - told
        more = [f"{left} more change{'s' if left > 1 else ''}"] if left else []
        title = "; ".join([*(one.words for one in differences[:told]), *more])
        if len(title) <= LONGEST:
            return title
    count = len(differences)
    return f"{count} changes" if count > 1 else f"{differences[0].words[: LONGEST - 1]}…"


def title_of_return(first: str) -> str:
    """A title for a notice that comes back, by what it was called when it came first."""
    return f"back to “{first}”"[:LONGEST]


def title_of_region(region: Region) -> str:
    """A title for a notice that is shown in one region alone."""
    return f"region {region.key} ({region.rule})"[:LONGEST]


def title_of_arm(experiment: str, arm: str) -> str:
    """A title for a notice that an experiment shows beside the site's own."""
    return f"arm {arm} of the experiment {experiment}"[:LONGEST]
