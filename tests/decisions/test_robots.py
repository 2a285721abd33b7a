"""Robots are those that say so, in words or by a name that is known; whoever looks at a page is none."""

import re

import pytest
from crawleruseragents import CRAWLER_USER_AGENTS_DATA

from consent_server.core.resources import ROOT
from consent_server.decisions import robots
from consent_server.decisions.robots import APPS, ROBOT_NAMES, is_known_robot
from consent_server.decisions.rules_robots import is_robot

CHROME = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36"


@pytest.mark.parametrize(
    "agent",
    [
        "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
        "Mozilla/5.0 (Linux; Android 6.0.1; Nexus 5X) Chrome/120 Mobile Safari/537.36 (compatible; Googlebot/2.1)",
        "Googlebot-Image/1.0", "AdsBot-Google (+http://www.google.com/adsbot.html)", "DuckDuckBot/1.1",
        "Mozilla/5.0 (compatible; bingbot/2.0)", "Mozilla/5.0 (compatible; YandexBot/3.0)", "Baiduspider+",
        "Mozilla/5.0 (compatible; Yahoo! Slurp)", "facebookexternalhit/1.1", "Twitterbot/1.0", "ia_archiver",
        "Mozilla/5.0 (compatible; GPTBot/1.2)", "Mozilla/5.0 AppleWebKit/537.36 (compatible; UptimeRobot/2.0)",
        "Screaming Frog SEO Spider/19.0", "ExampleCrawler/3", "Mozilla/5.0 Chrome-Lighthouse", "Mediapartners-Google",
    ],
)  # fmt: skip
def test_who_says_to_be_a_robot_is_one(agent: str) -> None:
    assert is_robot(agent, ROBOT_NAMES)


@pytest.mark.parametrize(
    "agent",
    [
        "", "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36",
        "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 HeadlessChrome/131.0.0.0 Safari/537.36",
        "Mozilla/5.0 (Linux; Android 12; CUBOT NOTE 20) AppleWebKit/537.36 Chrome/120 Mobile Safari/537.36",
        "Mozilla/5.0 (Linux; U; Android 11; CUBOT) AppleWebKit/537.36", "curl/8.5.0", "python-requests/2.32",
        "Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) AppleWebKit/605.1.15 Version/17.0 Mobile Safari/604.1",
        "Robotics Browser/1.0", "Bottle/0.12",
    ],
)  # fmt: skip
def test_who_does_not_say_so_is_counted(agent: str) -> None:
    assert not is_robot(agent, ROBOT_NAMES)


@pytest.mark.parametrize(
    "agent",
    [
        f"{CHROME} DatadogSynthetics", f"{CHROME} NewRelicSynthetics/1.0", f"{CHROME} (Checkly, https://www.checklyhq.com)",
        f"{CHROME} CookieHubScan/3.0", f"{CHROME} GTmetrix", f"{CHROME} Google Favicon",
        "Mozilla/5.0 (Linux; Android 15; GEC77) AppleWebKit Chrome/131 Mobile Safari/537.36 Nitro-Optimizer-Agent",
        "Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; Claude-User/1.0; +Claude-User@anthropic.com)",
    ],
)  # fmt: skip
def test_who_is_known_by_name_is_one(agent: str) -> None:
    assert is_robot(agent, ROBOT_NAMES)


# Browsers of computers, telephones, televisions and cars, and what people look at pages within; also the telephones
# that are called as somebody's robot is.
@pytest.mark.parametrize("agent", (ROOT / "tests" / "data" / "browsers.txt").read_text("utf-8").splitlines())
def test_whoever_looks_at_a_page_is_none(agent: str) -> None:
    assert not is_robot(agent, ROBOT_NAMES)


def test_what_is_left_out_of_the_known_names_is_among_them() -> None:
    assert {known["pattern"] for known in CRAWLER_USER_AGENTS_DATA} >= APPS


def test_no_name_walks_back_and_forth_through_a_long_agent() -> None:
    # One of the names is of this kind: without a bound, each of a thousand beginnings would walk to the end.
    assert any("[\\s\\S]*" in name.pattern for name in ROBOT_NAMES)
    known = re.compile("|".join(name.pattern for name in ROBOT_NAMES))
    assert known.search("Current" * 200 + " RSS Reader")
    assert not is_robot("Current" * 200 + " RSS Reader", ROBOT_NAMES)


def test_what_was_found_once_is_found_again_and_nothing_of_an_agent_is_kept() -> None:
    agents = {CHROME: False, "Googlebot-Image/1.0": True, "": False}
    agents |= {f"{CHROME} {number}": False for number in range(robots.MOST + 1)}
    for _ in range(2):
        assert {agent: is_known_robot(agent) for agent in agents} == agents
    assert len(robots._FOUND) <= robots.MOST
    assert {type(key) for key in robots._FOUND} == {int}
