"""The colours of our pages: what is written can be read, what is drawn can be seen, in light and dark."""

import pytest

from consent_server.http.tokens import page_colours
from tests.support.page_colours import faint_pairs


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_what_is_written_is_read_and_what_is_drawn_is_seen(scheme: str) -> None:
    schemes = page_colours()
    assert schemes["light"].keys() == schemes["dark"].keys()
    assert faint_pairs(schemes[scheme]) == []
