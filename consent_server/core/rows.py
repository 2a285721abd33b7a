"""The table that every other hangs on."""

from typing import Any

from sqlalchemy import (
    JSON,
    String,
    Text,
)
from sqlalchemy.orm import Mapped, mapped_column

from consent_server.core.columns import Base


class SiteRow(Base):
    """A site's settings: what changes without a new notice.

    `counted_apart_from` is the first day of which views and answers of visitors who are asked again are counted apart;
    None where that was always so.
    """

    __tablename__ = "sites"

    id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(String(64), unique=True)
    name: Mapped[str] = mapped_column(Text)
    settings: Mapped[dict[str, Any]] = mapped_column(JSON)
    counted_apart_from: Mapped[str | None] = mapped_column(String(10))
