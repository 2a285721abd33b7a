"""The template for Tag Manager, read as its editor would."""

import json
import re
from typing import Any

import yaml

from consent_server.core.resources import ROOT

FOLDER = ROOT / "integrations" / "gtm"
# In the order in which the editor exports them.
SECTIONS = [
    "TERMS_OF_SERVICE", "INFO", "TEMPLATE_PARAMETERS", "SANDBOXED_JS_FOR_WEB_TEMPLATE", "WEB_PERMISSIONS",
    "TESTS", "NOTES",
]  # fmt: skip

Template = dict[str, Any]


def read_template() -> Template:
    """The sections by name: text, or what their JSON or YAML says."""
    text = (FOLDER / "template.tpl").read_text("utf-8")
    before, *parts = re.split(r"^___([A-Z_]+)___\n", text, flags=re.MULTILINE)
    assert before == ""
    assert parts[::2] == SECTIONS
    sections: Template = dict(zip(parts[::2], parts[1::2], strict=True))
    for name in ("INFO", "TEMPLATE_PARAMETERS", "WEB_PERMISSIONS"):
        sections[name] = json.loads(sections[name])
    sections["TESTS"] = yaml.safe_load(sections["TESTS"])
    return sections
