"""Policies that allow little, and what tells of a page that breaks them."""

from .shop import Shop

RECORD_VIOLATIONS = """
window.violations = [];
document.addEventListener("securitypolicyviolation", (event) =>
  violations.push(event.effectiveDirective + " " + event.blockedURI));
"""
NONCE = "r4nd0m"
BEACONS = "https://*.google-analytics.com https://www.googleadservices.com https://www.facebook.com"


def policy(shop: Shop, *more: str) -> dict[str, str]:
    """A strict policy: scripts by nonce alone, which those that they add inherit only by the widget's doing."""
    rules = (
        "default-src 'none'",
        f"script-src 'nonce-{NONCE}'",
        f"connect-src 'self' {shop.server.url}",
        f"img-src {BEACONS}",
        "style-src 'none'",
        "base-uri 'none'",
        *more,
    )
    return {"Content-Security-Policy": "; ".join(rules)}
