"""Scan a site: lead visitors over its pages who answer nothing, no, yes, and yes and then no, and say what they met."""

import json
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from urllib.parse import urlsplit

from consent_server.core.hashes import sha256_hex
from consent_server.scans import answer_banner
from consent_server.scans.collect import Collected
from consent_server.scans.devtools import Devtools, open_browser
from consent_server.scans.find_pages import find_pages
from consent_server.scans.known_vendors import known_owners, named_vendors
from consent_server.scans.profile import PageFailed, Profile, visit
from consent_server.scans.rules import Banner, Button, ConsentMode, ReadNotice, Scan, Seen, State
from consent_server.scans.rules_owners import Owners
from consent_server.scans.rules_verdicts import judge
from consent_server.sites.rules_notice import Notice
from consent_server.sites.rules_origin import origin_of
from consent_server.widget.chromium import Chromium

OWN_TOOL = "consent-widget"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be looked at.

    `timeout`: seconds that a page may take; `quiet`: seconds without a request, after which it is done. `may_open`:
    None, or which addresses alone may be opened; `may_frame` the same of frames. `notice` is what the site's banner
    shows, where that is known already.
    """

    urls: tuple[str, ...]
    pages: int = 5
    timeout: float = 20.0
    robots: bool = True
    quiet: float = 1.0
    allowed: tuple[str, ...] = ()
    flags: tuple[str, ...] = ()
    may_open: Callable[[str], bool] | None = None
    may_frame: Callable[[str], bool] | None = None
    notice: ReadNotice | None = None


Tell = Callable[[str], None]


@dataclass
class Run:
    """A scan under way."""

    browser: Devtools
    wanted: Wanted
    tell: Tell
    owners: Owners
    pages: list[str] = field(default_factory=list)
    banner: Banner | None = None
    notice: ReadNotice | None = None
    seen: dict[State, Seen] = field(default_factory=dict)
    modes: list[ConsentMode] = field(default_factory=list)
    unseen: list[str] = field(default_factory=list)
    pictures: dict[State, bytes] = field(default_factory=dict)

    @contextmanager
    def visitor(self) -> Iterator[Profile]:
        """A new one."""
        wanted = self.wanted
        with visit(self.browser, wanted.timeout, wanted.quiet, wanted.may_open, wanted.may_frame) as profile:
            yield profile

    def gather(self, profile: Profile, collected: Collected) -> None:
        """Keep what one state showed."""
        self.seen[collected.state] = collected.seen(profile, self.owners, time.time())
        if mode := collected.consent_mode(profile):
            self.modes.append(mode)

    def miss(self, said: str) -> None:
        """Note what could not be looked at, once."""
        if said not in self.unseen:
            self.unseen.append(said)


def scan_site(chromium: Chromium, wanted: Wanted, now: Callable[[], datetime], tell: Tell = lambda _: None) -> Scan:
    """All of it, in a browser of its own. Raises BrowserFailed, and PageFailed where no page can be looked at."""
    with open_browser(chromium, wanted.flags) as browser:
        return scan_in(browser, wanted, now, tell)


def scan_in(browser: Devtools, wanted: Wanted, now: Callable[[], datetime], tell: Tell = lambda _: None) -> Scan:
    """The same in a browser that is open; nothing of it is left there."""
    started_at, began = now(), time.monotonic()
    run = Run(browser, wanted, tell, replace(known_owners(), allowed=wanted.allowed))
    version = str(browser.call("Browser.getVersion")["product"])
    _before(run)
    if run.banner:
        _refused(run, run.banner)
        _granted(run, run.banner)
    seconds = round(time.monotonic() - began, 1)
    modes, unseen = tuple(run.modes), tuple(run.unseen)
    scan = Scan(started_at, seconds, version, wanted.urls, run.banner, run.seen, modes, run.notice, unseen)
    return replace(scan, findings=judge(scan), pictures=run.pictures)


def _before(run: Run) -> None:
    """The first visitor answers nothing; on this way the pages are found that the others visit."""
    with run.visitor() as profile:
        frontier = find_pages(profile, run.wanted.urls, run.wanted.pages, run.wanted.robots)
    collected = Collected(State.BEFORE)
    with run.visitor() as profile:
        for url in frontier.take(run.wanted.pages):
            run.tell(f"before a choice: {url}")
            if _open(run, profile, url):
                run.pages.append(url)
                # A start that leads elsewhere, such as to www., is of the site there.
                frontier.origins.add(origin_of(profile.page.url))
                collected.page(profile, url)
                if len(run.pages) == 1:
                    _look_at_banner(run, profile, collected)
                frontier.add(collected.links)
        if not run.pages:
            raise PageFailed(" ".join(run.unseen) or "No page could be looked at.")
        run.gather(profile, collected)
    for url in sorted(frontier.disallowed)[:3]:
        run.miss(f"{url} was left out: robots.txt asks for it.")


def _look_at_banner(run: Run, profile: Profile, collected: Collected) -> None:
    shown = answer_banner.find_banner(profile)
    run.pictures[State.BEFORE] = profile.picture()
    # What came with the banner is of the same state.
    collected.page(profile, collected.pages.pop())
    if shown is None:
        return
    run.banner = shown.banner
    if shown.banner.tool == OWN_TOOL:
        with run.visitor() as reader:
            _read_notice(run, reader, collected.tags)


def host_of(url: str) -> str:
    """The host of an address."""
    return urlsplit(url).hostname or ""


def _read_notice(run: Run, reader: Profile, tags: Sequence[str]) -> None:
    """The notice of our own banner, from the server that the tag is of."""
    tag = next(iter(tags), None)
    if run.wanted.notice:
        run.notice = run.wanted.notice
        run.owners = replace(run.owners, named=run.notice.vendors, own=frozenset(map(host_of, tags)))
        return
    if tag is None:
        run.miss("The notice could not be read: the page has no tag that leads to it.")
        return
    base, _, script = tag.partition("?")[0].rpartition("/widget/")
    site = script.removesuffix(".js")
    run.owners = replace(run.owners, own=frozenset({host_of(tag)}))
    try:
        reader.open(f"{base}/v1/sites/{site}/notice")
        text = reader.body()
        notice = Notice(sha256_hex(text.encode()), json.loads(text))
        run.notice = ReadNotice(site, notice.hash, named_vendors(notice))
    except (PageFailed, ValueError, LookupError, TypeError) as error:
        run.miss(f"The notice of {site} could not be read: {error}")
        return
    run.owners = replace(run.owners, named=run.notice.vendors)


def _refused(run: Run, banner: Banner) -> None:
    """The second visitor refuses. A way that was found behind the first layer is how refusing is done here."""
    with run.visitor() as profile:
        button = _answer(run, profile, State.REFUSED, answer_banner.refuse, banner)
        if button is not None:
            run.banner = replace(banner, refuse=banner.refuse or button)
            _walk(run, profile, State.REFUSED)


def _granted(run: Run, banner: Banner) -> None:
    """The third visitor grants, looks around, and takes it back."""
    with run.visitor() as profile:
        if _answer(run, profile, State.GRANTED, answer_banner.accept, banner) is None:
            run.miss("What happens after a withdrawal was not looked at: nothing could be granted.")
            return
        _walk(run, profile, State.GRANTED)
        run.tell("withdrawing")
        if not _open(run, profile, run.pages[0]):
            return
        button = answer_banner.withdraw(profile, banner.tool)
        if button is None:
            run.miss("What happens after a withdrawal was not looked at: no way back was found on the page.")
            return
        run.banner = replace(run.banner or banner, withdraw=button)
        profile.traffic.forget()
        _walk(run, profile, State.WITHDRAWN)


def _answer(
    run: Run, profile: Profile, state: State, act: Callable[[Profile, str], Button | None], banner: Banner
) -> Button | None:
    """Answer the banner of the first page; None, and said why, where that cannot be done."""
    words = {State.REFUSED: "refused", State.GRANTED: "granted"}[state]
    run.tell(f"to be {words}: {run.pages[0]}")
    if not _open(run, profile, run.pages[0]):
        return None
    if answer_banner.find_banner(profile, banner.tool) is None:
        run.miss(f"Nothing could be {words}: the banner did not come a second time.")
        return None
    profile.traffic.forget()
    button = act(profile, banner.tool)
    if button is None:
        run.miss(f"Nothing could be {words}: no button was found that does it.")
    elif answer_banner.stays(profile, banner.tool):
        run.miss(f"Nothing could be {words}: the banner stays after “{button.text}” was pressed.")
        return None
    return button


def _walk(run: Run, profile: Profile, state: State) -> None:
    """All pages once more, the first one too: what an answer means shows on the next page."""
    collected = Collected(state)
    for url in run.pages:
        run.tell(f"{state.value.replace('_', ' ')}: {url}")
        if _open(run, profile, url):
            collected.page(profile, url)
            if state not in run.pictures:
                run.pictures[state] = profile.picture()
    if collected.pages:
        run.gather(profile, collected)


def _open(run: Run, profile: Profile, url: str) -> bool:
    if run.wanted.may_open and not run.wanted.may_open(url):
        run.miss(f"{url} is not of the site.")
        return False
    try:
        profile.open(url)
    except PageFailed as error:
        run.miss(str(error))
        return False
    if profile.page.kind and "html" not in profile.page.kind:
        run.miss(f"{url} is no page but {profile.page.kind}.")
        return False
    return True
