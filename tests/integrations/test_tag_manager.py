"""The template for Tag Manager: its sections, its permissions, and its own tests, outside Tag Manager."""

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.tag_manager import FOLDER, Template, read_template

SANDBOX = Path(__file__).parents[1] / "support" / "tag_manager.mjs"
CONSENT_TYPES = {
    "ad_storage", "ad_user_data", "ad_personalization", "analytics_storage",
    "functionality_storage", "personalization_storage", "security_storage",
}  # fmt: skip
# Which permission each interface needs, as Google's documentation has it; None: none.
NEEDS = {
    "gtagSet": "write_data_layer",
    "injectScript": "inject_script",
    "logToConsole": "logging",
    "makeNumber": None,
    "queryPermission": None,
    "setDefaultConsentState": "access_consent",
}
# Words of JavaScript that the sandbox does not know.
UNKNOWN = r"\b(new|this|class|async|await|yield|window|document|eval|delete|try|throw|instanceof|RegExp)\b|`|/"


@pytest.fixture(scope="module")
def template() -> Template:
    """The sections by name, read."""
    return read_template()


def fields(parameters: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Every field by its name, also those in groups."""
    flat: dict[str, dict[str, Any]] = {}
    for parameter in parameters:
        flat |= fields(parameter["subParams"]) if parameter["type"] == "GROUP" else {parameter["name"]: parameter}
    return flat


def value(typed: dict[str, Any]) -> Any:
    """What a typed value of the permissions says."""
    if "listItem" in typed:
        return [value(item) for item in typed["listItem"]]
    if "mapKey" in typed:
        return {value(key): value(item) for key, item in zip(typed["mapKey"], typed["mapValue"], strict=True)}
    return typed["string"] if typed["type"] == 1 else typed["boolean"]


def permissions(template: Template) -> dict[str, Any]:
    """Each permission with what it is narrowed to."""
    instances = [entry["instance"] for entry in template["WEB_PERMISSIONS"]]
    return {entry["key"]["publicId"]: value(entry["param"][0]["value"]) for entry in instances}


def play(template: Template, **changed: Any) -> list[str | None]:
    """What was wrong in each scenario of the template's own tests."""
    given = {
        "code": template["SANDBOXED_JS_FOR_WEB_TEMPLATE"],
        "permissions": permissions(template),
        **template["TESTS"],
        **changed,
    }
    done = subprocess.run(["node", SANDBOX], input=json.dumps(given), capture_output=True, text=True, check=True)
    faults: list[str | None] = json.loads(done.stdout)
    return faults


def test_it_is_a_tag_for_web_containers(template: Template) -> None:
    info = template["INFO"]
    assert (info["type"], info["id"], info["containerContexts"]) == ("TAG", "cvt_temp_public_id", ["WEB"])
    assert info["categories"]
    assert len(info["description"]) <= 200


def test_every_field_is_used_and_no_other_is_read(template: Template) -> None:
    code = template["SANDBOXED_JS_FOR_WEB_TEMPLATE"]
    read = set(re.findall(r"\bdata\.(\w+)", code)) - {"gtmOnSuccess", "gtmOnFailure"}
    known = fields(template["TEMPLATE_PARAMETERS"])
    assert known.keys() == read
    columns = {column["name"] for column in known["defaults"]["simpleTableColumns"]}
    assert columns == CONSENT_TYPES - {"security_storage"} | {"region"}


@pytest.mark.parametrize(
    ("field", "good", "bad"),
    [
        (
            "server",
            ["https://shop.example/_consent", "https://consent.example"],
            ["http://shop.example", "https://shop.example/?a", "https://shop.example/", ""],
        ),
        ("site", ["shop", "shop-2"], ["Shop", "2shop", "shop/..", ""]),
    ],
)
def test_fields_are_checked_in_the_editor(template: Template, field: str, good: list[str], bad: list[str]) -> None:
    validators = fields(template["TEMPLATE_PARAMETERS"])[field]["valueValidators"]
    (pattern,) = next(rule["args"] for rule in validators if rule["type"] == "REGEX")
    assert all(re.fullmatch(pattern, text) for text in good)
    assert not any(re.fullmatch(pattern, text) for text in bad)


def test_the_permissions_are_those_that_the_interfaces_need(template: Template) -> None:
    code = template["SANDBOXED_JS_FOR_WEB_TEMPLATE"]
    required = re.findall(r"require\('(\w+)'\)", code)
    assert set(required) == NEEDS.keys()
    assert all(len(re.findall(rf"\b{name}\(", code)) for name in required), "required and not used"
    granted = permissions(template)
    assert granted.keys() == {needed for needed in NEEDS.values() if needed}
    assert {row["consentType"]: (row["read"], row["write"]) for row in granted["access_consent"]} == dict.fromkeys(
        CONSENT_TYPES, (False, True)
    )
    assert granted["write_data_layer"] == ["ads_data_redaction", "url_passthrough"]
    assert granted["logging"] == "debug"


def test_the_code_stays_within_the_sandboxed_language(template: Template) -> None:
    code = re.sub(r"//.*|'[^']*'", "", template["SANDBOXED_JS_FOR_WEB_TEMPLATE"])
    assert re.findall(UNKNOWN, code) == []


def test_its_own_tests_pass(template: Template) -> None:
    scenarios = template["TESTS"]["scenarios"]
    assert len(scenarios) >= 10
    assert dict(zip([one["name"] for one in scenarios], play(template), strict=True)) == {
        scenario["name"]: None for scenario in scenarios
    }


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("row[type] === 'granted' ? 'granted'", "row[type] ? 'granted'"),
        ("if (regions.length) state.region = regions;", ""),
        ("everywhere.length ? everywhere[everywhere.length - 1] : {}", "rows[0] || {}"),
        ("makeNumber(data.waitForUpdate)", "500"),
        ("!!data.urlPassthrough", "false"),
        ("    data.gtmOnFailure();\n  }, script);", "  }, script);"),
        ("queryPermission('inject_script', script)", "true"),
        ("'/widget/'", "'/'"),
    ],
)
def test_its_own_tests_see_a_fault(template: Template, before: str, after: str) -> None:
    code = template["SANDBOXED_JS_FOR_WEB_TEMPLATE"]
    assert before in code
    assert any(play(template, code=code.replace(before, after)))


@pytest.mark.parametrize("permission", sorted(needed for needed in NEEDS.values() if needed))
def test_it_needs_each_of_its_permissions(template: Template, permission: str) -> None:
    fewer = {name: narrowed for name, narrowed in permissions(template).items() if name != permission}
    assert any(play(template, permissions=fewer))


def test_the_gallery_s_file_has_what_the_gallery_asks_for() -> None:
    metadata = yaml.safe_load((FOLDER / "metadata.yaml").read_text("utf-8"))
    assert metadata.keys() == {"homepage", "documentation", "versions"}
    assert all(metadata[name].startswith("https://") for name in ("homepage", "documentation"))
    for version in metadata["versions"]:
        assert re.fullmatch(r"[0-9a-f]{40}", version["sha"])
        assert version["changeNotes"]
    assert "Apache License" in (FOLDER / "LICENSE").read_text("utf-8")
