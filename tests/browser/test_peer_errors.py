"""What other consent managers got wrong and nothing else here looks at."""

import time
from collections.abc import Callable

from .shop import Shop


def test_the_record_has_the_server_s_time_whatever_the_browser_s_clock_says(visit: Callable[..., Shop]) -> None:
    shop = visit(init="const now = Date.now; Date.now = () => now() + 400 * 864e5;").open()
    receipt = shop.accept_all()
    assert abs(receipt["iat"] - time.time()) < 60
    assert int(shop.choice()["t"]) > time.time() + 399 * 86400
