"""The cast of the consoles."""

from tests.access.conftest import marketer, olga, people

__all__ = ["marketer", "olga", "people"]
