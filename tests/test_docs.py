"""Documentation that cannot rot: what it names exists, and what is generated is up to date."""

import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from ringfence.cli.formats import pages
from ringfence.cli.main import app
from ringfence.detect.text_detectors import ALL_DETECTORS

ROOT = Path(__file__).parents[1]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])


def test_the_page_of_formats_is_what_the_command_prints() -> None:
    assert (ROOT / "docs" / "formats.md").read_text("utf-8") == "".join(pages())


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_and_files_that_a_page_names_are_there(page: Path) -> None:
    text = page.read_text("utf-8")
    for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", text):
        assert (page.parent / target).exists(), target
    if page.name == "CHANGELOG.md":
        return
    for name in re.findall(r"`((?:src|tests|docs|bench)/[\w./-]+\.\w+)`", text):
        assert (ROOT / name).exists() or Path(name).stem == "nuisance", name


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_commands_that_a_page_names_exist(page: Path) -> None:
    known = {command.callback.__name__ for command in app.registered_commands if command.callback}
    known |= {str(group.typer_instance.info.name) for group in app.registered_groups if group.typer_instance}
    for command in re.findall(r"`(?:\.venv/bin/)?ringfence ([a-z]+)", page.read_text("utf-8")):
        assert command in known, command


def test_every_option_of_scan_stands_in_its_help_with_an_explanation() -> None:
    text = CliRunner().invoke(app, ["scan", "--help"], env={"COLUMNS": "200"}).output
    for option in (
        "--out",
        "--format",
        "--detect",
        "--country",
        "--timezone",
        "--mapping",
        "--reorder-rows",
        "--resume",
    ):
        assert re.search(re.escape(option) + r"\s.*\w{3}", text), option


def test_every_detector_has_its_page() -> None:
    for detector in ALL_DETECTORS:
        assert (ROOT / "docs" / f"{detector.NAME}.md").is_file()
