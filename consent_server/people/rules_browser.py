"""Which kind of browser somebody signs in with: so much that they know their own again, and not more."""

OTHER = "another"
# In this order: most call themselves by the names of others too (RFC 9110, section 10.1.5, asks not to be too exact).
_FAMILIES = (
    ("Firefox", ("Firefox/", "FxiOS/")),
    ("Edge", ("Edg/", "EdgA/", "EdgiOS/")),
    ("Opera", ("OPR/",)),
    ("Samsung Internet", ("SamsungBrowser/",)),
    ("Chrome", ("Chrome/", "CriOS/", "Chromium/", "HeadlessChrome/")),
    ("Safari", ("Safari/",)),
)


def browser_family(user_agent: str) -> str:
    """The family of a browser by what it calls itself: "Firefox", or "another"."""
    return next((family for family, marks in _FAMILIES if any(mark in user_agent for mark in marks)), OTHER)
