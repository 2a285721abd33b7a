"""What a page is sent of the adapters."""

from consent_server.sites.widget_code import DIST, widget_code

SHARED = (DIST / "tags.js").read_text("utf-8")


def test_what_adapters_share_is_sent_once_and_to_nobody_else() -> None:
    assert widget_code(["uet", "clarity", "google"], ["bar"]).main.count(SHARED) == 1
    assert SHARED not in widget_code(["google", "meta"], ["bar"]).main
