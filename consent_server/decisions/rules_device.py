"""What kind of device a banner was shown on, as one of three words."""

import re

# Coarse on purpose: three classes tell a marketer enough and a visitor from nobody.
_TABLET = re.compile(r"iPad|Tablet|Android(?!.*Mobile)")
_MOBILE = re.compile(r"Mobi|iPhone|iPod")


def device_class(mobile_hint: str | None, user_agent: str) -> str:
    """`desktop`, `mobile` or `tablet`, from the client hint Sec-CH-UA-Mobile or else the user agent."""
    if _TABLET.search(user_agent):
        return "tablet"
    if mobile_hint == "?1" or (mobile_hint is None and _MOBILE.search(user_agent)):
        return "mobile"
    return "desktop"
