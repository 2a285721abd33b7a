"""Find the pages of a site: those that are named, and those of its sitemaps, as its robots.txt lets robots."""

from collections.abc import Iterator, Sequence

from consent_server.scans.profile import PageFailed, Profile
from consent_server.scans.rules_pages import Frontier, Robots, read_sitemap
from consent_server.sites.rules_origin import origin_of

# So many sitemaps of an index are read.
MOST_SITEMAPS = 3


def find_pages(profile: Profile, urls: Sequence[str], pages: int, robots: bool) -> Frontier:
    """The pages to begin with. `pages`: how many are looked at; where so many are named, nothing else is asked for."""
    origins = list(dict.fromkeys(map(origin_of, urls)))
    frontier = Frontier(set(origins), lambda _: True)
    frontier.start(urls)
    if pages <= len(urls):
        return frontier
    rules = {origin: Robots(_text(profile, f"{origin}/robots.txt")) for origin in origins}
    if robots:
        frontier.allows = lambda url: origin_of(url) not in rules or rules[origin_of(url)].allows(url)
    for origin in origins:
        frontier.add(_sitemap(profile, rules[origin].sitemaps or [f"{origin}/sitemap.xml"], origin))
    return frontier


def _sitemap(profile: Profile, addresses: Sequence[str], origin: str) -> Iterator[str]:
    waiting, read = list(addresses), 0
    while waiting and read < MOST_SITEMAPS:
        address, read = waiting.pop(0), read + 1
        if origin_of(address) == origin and (text := _text(profile, address)):
            found, index = read_sitemap(text)
            if index:
                waiting += found
            else:
                yield from found


def _text(profile: Profile, url: str) -> str | None:
    """What stands at an address, None where nothing does."""
    try:
        profile.open(url)
        return None if "html" in profile.page.kind else profile.body()
    except PageFailed:
        return None
