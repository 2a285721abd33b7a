"""Every vendor of the catalogue on one site, under the ids that the catalogue gives as examples."""

from collections.abc import Mapping
from typing import Any

from consent_server.sites import catalogue

IDS = {key: entry.get("example_id") for key, entry in catalogue.vendors().items()}


def _block(key: str, entry: Mapping[str, Any]) -> str:
    block = f'[[vendors]]\nkey = "{key}"\n'
    if "example_id" in entry:
        block += f'id = "{entry["example_id"]}"\n'
    if "example_conversion" in entry:
        block += f'conversions = {{ signup = "{entry["example_conversion"]}" }}\n'
    return block


EVERY_VENDOR = "".join(_block(key, entry) for key, entry in catalogue.vendors().items())
