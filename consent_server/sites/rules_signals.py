"""Purposes to Google Consent Mode types (Consent Mode v2: seven types, each granted or denied)."""

CONSENT_TYPES = (
    "ad_storage",
    "ad_user_data",
    "ad_personalization",
    "analytics_storage",
    "functionality_storage",
    "personalization_storage",
    "security_storage",
)

# What each built-in purpose grants. security_storage is never asked: it is always granted.
PURPOSE_SIGNALS: dict[str, tuple[str, ...]] = {
    "analytics": ("analytics_storage",),
    "advertising": ("ad_storage", "ad_user_data", "ad_personalization"),
    "functional": ("functionality_storage", "personalization_storage"),
    "support": ("functionality_storage",),
    "media": (),
}

# A purpose with one of these types sells or shares data, or targets by it: what Global Privacy
# Control (W3C GPC) objects to.
GPC_TYPES = frozenset(CONSENT_TYPES[:3])


def gpc_covers(signals: tuple[str, ...]) -> bool:
    """Whether Global Privacy Control keeps a purpose with these types off."""
    return not GPC_TYPES.isdisjoint(signals)
