"""What the forge reads of `.github/`: nobody runs it here, so its form is held to what the forge's documents ask."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
FORGE = ROOT / ".github"
WORKFLOWS = sorted((FORGE / "workflows").glob("*.yml"))
FORMS = sorted((FORGE / "ISSUE_TEMPLATE").glob("*.yml"))
KINDS = {"markdown", "input", "textarea", "dropdown", "checkboxes"}
MANIFESTS = {"pip": "requirements.txt", "npm": "package-lock.json", "github-actions": ".github/workflows/test.yml"}
MANIFESTS |= {"docker": "Dockerfile", "docker-compose": "compose.yaml"}


def read(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(path.read_text("utf-8"))
    return found


def steps(workflow: dict[str, Any]) -> list[dict[str, Any]]:
    return [step for job in workflow["jobs"].values() for step in job["steps"]]


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_a_workflow_may_read_and_runs_what_nobody_can_exchange(path: Path) -> None:
    workflow = read(path)
    assert workflow["permissions"] == {"contents": "read"}
    assert all("permissions" not in job for job in workflow["jobs"].values())
    for step in steps(workflow):
        if used := step.get("uses"):
            assert re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40}", used)
        if used and "checkout" in used:
            assert step["with"]["persist-credentials"] is False


def test_a_change_is_tested_as_everybody_tests() -> None:
    # YAML 1.1 reads the key `on` as true.
    workflow = read(FORGE / "workflows" / "test.yml")
    triggers: dict[str, Any] = workflow[True]  # type: ignore[index]
    assert {"push", "pull_request"} <= triggers.keys()
    targets = set(re.findall(r"^([a-z-]+):.*##", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    called = [step["run"].removeprefix("make ") for step in steps(workflow) if step.get("run", "").startswith("make ")]
    assert "test" in called
    assert set(called) <= targets
    # The packages that `tests/install-debian-packages` names are Debian's.
    assert all(job["container"]["image"].startswith("debian:") for job in workflow["jobs"].values())


@pytest.mark.parametrize("path", FORMS, ids=lambda path: path.stem)
def test_an_issue_form_is_one(path: Path) -> None:
    form = read(path)
    assert form.keys() <= {"name", "description", "title", "labels", "body"}
    assert form["name"]
    assert form["description"]
    fields = [part for part in form["body"] if part["type"] != "markdown"]
    assert {part["type"] for part in form["body"]} <= KINDS
    assert len({part["id"] for part in fields}) == len(fields) > 0
    assert all(part["attributes"]["label"] for part in fields)
    assert all(isinstance(part.get("validations", {}).get("required", False), bool) for part in fields)


def test_newer_packages_are_looked_for_where_packages_are_named() -> None:
    asked = read(FORGE / "dependabot.yml")
    assert asked["version"] == 2
    looked_for = {
        (update["package-ecosystem"], folder)
        for update in asked["updates"]
        for folder in update.get("directories", [update.get("directory")])
    }
    for kind, folder in looked_for:
        assert (ROOT / folder.strip("/") / MANIFESTS[kind]).is_file(), (kind, folder)
    here = {("pip", "/"), ("github-actions", "/")}
    here |= {(kind, "/") for kind in ("docker", "docker-compose") if (ROOT / MANIFESTS[kind]).is_file()}
    assert here <= looked_for
