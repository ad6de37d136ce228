"""The files that stand around the code say what the code says."""

import tomllib
from pathlib import Path

import yaml

from medaudit import __version__

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]


def test_the_citation_has_the_version_the_licence_and_the_home_of_the_project() -> None:
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text("utf-8"))
    assert citation["cff-version"] == "1.2.0"
    assert citation["version"] == __version__
    assert citation["license"] == PROJECT["license"]
    assert citation["repository-code"] == PROJECT["urls"]["Homepage"]
    assert {"message", "title", "authors"} <= set(citation)


def test_issue_forms_ask_with_known_fields_and_warn_of_patient_data() -> None:
    for path in (ROOT / ".github" / "ISSUE_TEMPLATE").glob("*.yml"):
        form = yaml.safe_load(path.read_text("utf-8"))
        if path.name == "config.yml":
            assert all({"name", "url", "about"} <= set(link) for link in form["contact_links"])
            continue
        assert {"name", "description", "body"} <= set(form)
        assert {field["type"] for field in form["body"]} <= {"markdown", "textarea", "input", "dropdown", "checkboxes"}
        ids = [field["id"] for field in form["body"] if field["type"] != "markdown"]
        assert len(ids) == len(set(ids))
    assert "No patient data" in (ROOT / ".github" / "ISSUE_TEMPLATE" / "bug.yml").read_text("utf-8")


def test_pre_commit_runs_what_make_runs() -> None:
    (source,) = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text("utf-8"))["repos"]
    entries = " ".join(hook["entry"] for hook in source["hooks"])
    makefile = (ROOT / "Makefile").read_text("utf-8")
    for tool in ("ruff check", "ruff format --check", "mypy", "lint-imports"):
        assert tool in entries
        assert f"$(BIN)/{tool}" in makefile


def test_prose_of_the_readme_is_wrapped() -> None:
    code = False
    for line in (ROOT / "README.md").read_text("utf-8").splitlines():
        code ^= line.startswith("```")
        assert code or len(line) <= 100 or "](" in line or line.startswith("|"), line


def test_every_package_of_an_extra_is_named_where_it_is_missing() -> None:
    extras = PROJECT["optional-dependencies"]
    rooms = ("auditor", "trainers", "reports", "medaudit")
    told = "".join(path.read_text("utf-8") for room in rooms for path in (ROOT / room).rglob("*.py"))
    for extra in set(extras) - {"all", "test", "docs", "browser"}:
        for requirement in extras[extra]:
            package = requirement.split(">")[0]
            assert f'"{package}"' in told, package
        assert f'extra="{extra}"' in told or f"pip install 'medaudit[{extra}]'" in told
