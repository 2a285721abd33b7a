"""The Content-Security-Policy of our pages: nothing inline, nothing of anybody else."""

from urllib.parse import urlsplit

HEADER = "Content-Security-Policy"


def page_policy(picture: str = "") -> str:
    """That of any page, and of one that shows a `picture` from another origin, by its address."""
    origin = urlsplit(picture)
    also = f" {origin.scheme}://{origin.netloc}" if origin.netloc else ""
    return (
        f"default-src 'none'; style-src 'self'; img-src 'self' data:{also}; script-src 'self'; connect-src 'self'; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    )
