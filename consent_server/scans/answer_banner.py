"""Find a page's banner and answer it, as a visitor would."""

import time
from dataclasses import dataclass
from typing import Any

from consent_server.scans.banners import known_banners
from consent_server.scans.profile import STEP, Context, Profile, called
from consent_server.scans.rules import Banner, Button

# A banner may come late, also after a page is quiet: so many times what that takes.
BANNER_TIMES = 4


@dataclass(frozen=True, slots=True)
class Shown:
    """A banner that stands on the page. `more`: whether there is a way to a second layer."""

    banner: Banner
    more: bool


def find_banner(profile: Profile, tool: str | None = None, wait: float | None = None) -> Shown | None:
    """The banner of the page that is open; one of `tool` alone, where it is known whose it is."""
    deadline = time.monotonic() + (BANNER_TIMES * profile.quiet if wait is None else wait)
    while True:
        if found := _ask(profile, "banner", tool):
            said = found[1]
            banner = Banner(said["tool"], said["text"], _button(said["accept"], 1), _button(said["refuse"], 1))
            return Shown(banner, said["more"] is not None)
        if time.monotonic() >= deadline:
            return None
        profile.browser.hear(STEP)


def stays(profile: Profile, tool: str) -> bool:
    """Whether the banner is still there, also once it had the time to fade."""
    deadline = time.monotonic() + BANNER_TIMES * profile.quiet
    while find_banner(profile, tool, wait=0):
        if time.monotonic() >= deadline:
            return True
        profile.browser.hear(STEP)
    return False


def press(profile: Profile, tool: str, *wanted: str, presses: int = 1) -> Button | None:
    """Press the first of these buttons that is there, and wait for what follows; None where there is none."""
    for want in wanted:
        if found := _ask(profile, want, tool):
            context, said = found
            if not said["clicked"]:
                profile.press(context, said["x"], said["y"])
            profile.settle()
            return _button(said, presses)
    return None


def accept(profile: Profile, tool: str) -> Button | None:
    """Grant everything."""
    return press(profile, tool, "accept")


def refuse(profile: Profile, tool: str) -> Button | None:
    """Refuse everything: on the first layer, else on the second, else by leaving all there as it stands."""
    if button := press(profile, tool, "refuse"):
        return button
    if press(profile, tool, "more"):
        return press(profile, tool, "refuse", "withdraw", "save", presses=2)
    return None


def withdraw(profile: Profile, tool: str) -> Button | None:
    """Take a grant back, by the way back that the page offers."""
    if not press(profile, tool, "reopen"):
        return None
    if button := press(profile, tool, "withdraw", "refuse", presses=2):
        return button
    if press(profile, tool, "more"):
        return press(profile, tool, "withdraw", "refuse", presses=3)
    return None


def _ask(profile: Profile, want: str, tool: str | None) -> tuple[Context, dict[str, Any]] | None:
    script = called("banner.js", {**known_banners(), "want": want, "tool": tool})
    return next(((context, said) for context, said in profile.ask_all(script) if said), None)


def _button(said: dict[str, Any] | None, presses: int) -> Button | None:
    if said is None:
        return None
    sizes = {name: said[name] for name in ("width", "height", "font_size", "filled")}
    return Button(text=said["text"], presses=presses, **sizes)
