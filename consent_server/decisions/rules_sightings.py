"""Where a site's tag was seen at work: an origin and a time, and nothing of who was there."""

from datetime import datetime
from typing import NamedTuple

# So many origins of a site are remembered; a site whose origins are a pattern may have any number.
KEPT = 20


class Sighting(NamedTuple):
    """The last post of a page's widget that was taken, by the origin of the page."""

    origin: str
    seen_at: datetime
