"""docs/packs.md tells what the packs say today."""

from pathlib import Path

import pytest

from ringfence.model import caller_class as cc
from ringfence.model.packs import BY, countries, pack_of
from ringfence.report.rules import main, page

PAGE = Path(__file__).parents[2] / "docs" / "packs.md"


def test_the_tables_are_up_to_date() -> None:
    text = PAGE.read_text("utf-8")
    assert text == page(text), "run: .venv/bin/python -m ringfence.report.rules docs/packs.md"


def test_every_source_and_class_is_on_the_page() -> None:
    text = PAGE.read_text("utf-8")
    for country in countries():
        pack = pack_of(country)
        rules = [(rule.source[0], rule.date) for rule in pack.numbers]
        rules += [(rule.source[0], rule.date) for rule in pack.verdicts]
        rules += [(rule.source[0], rule.date) for rule in pack.exceptions]
        assert all(f"{source} ({date})" in text for source, date in rules)
    for name in cc.NAMES:
        assert name.replace("_", " ") in text
    assert {rule.by for country in countries() for rule in pack_of(country).exceptions} == set(BY)


def test_a_page_without_the_mark_is_left_alone(tmp_path: Path) -> None:
    copy = tmp_path / "packs.md"
    copy.write_text("# Nothing\n")
    with pytest.raises(ValueError, match="lacks the line"):
        main(copy)
    assert copy.read_text() == "# Nothing\n"
    copy.write_text(PAGE.read_text("utf-8") + "old\n")
    main(copy)
    assert copy.read_bytes() == PAGE.read_bytes()
