"""The name and the reach of the cookie that keeps a choice (docs/formats/cookie.md)."""

NAME = "eu-consent"  # CNIL recommendation 2020-092 asks for this name and one boolean a purpose


def below(host: str, domain: str) -> bool:
    """Whether a host is this domain or below it: where a cookie of the domain may be set (RFC 6265, section 5.1.3)."""
    return f".{host}".endswith(f".{domain}")
