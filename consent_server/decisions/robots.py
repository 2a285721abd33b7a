"""Robots that say so by their name: those of crawler-user-agents, but for what people look at pages with."""

from crawleruseragents import CRAWLER_USER_AGENTS_DATA

from consent_server.decisions.rules_robots import calls_itself_robot, is_robot, robot_names

# Such clients do not say that they crawl, and sites test with them.
TOOLS = {"http-library", "browser-automation"}
# Apps that fetch a preview under the name under which they also show whole pages to people.
APPS = {
    "Asana\\/", "Daum\\/", "DMBrowser", "MetaIAB Facebook", "Notion\\/", "PayPal\\/", "Swisscows", "Tumblr\\/",
    "upday\\/", "Viber", "WhatsApp",
}  # fmt: skip

ROBOT_NAMES = robot_names(
    known["pattern"]
    for known in CRAWLER_USER_AGENTS_DATA
    if known["pattern"] not in APPS
    and TOOLS.isdisjoint(known["tags"])
    # Half of them are known by our words already: this is looked at for every decision.
    and not all(map(calls_itself_robot, known["instances"] or [known["pattern"]]))
)

# What was found of user agents, by a hash of this process alone: none of them is kept itself.
_FOUND: dict[int, bool] = {}
MOST = 4096


def is_known_robot(user_agent: str) -> bool:
    """`is_robot` by these names, looked for once while there are few kinds of browsers."""
    key = hash(user_agent)
    found = _FOUND.get(key)
    if found is None:
        if len(_FOUND) >= MOST:
            _FOUND.clear()
        found = _FOUND[key] = is_robot(user_agent, ROBOT_NAMES)
    return found
