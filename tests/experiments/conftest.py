"""The cast of the consoles."""

from tests.access.conftest import olga, people

__all__ = ["olga", "people"]
