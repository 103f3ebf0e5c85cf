"""The tables of docs/packs.md: every rule of every country with its source, made from the packs.

`python -m ringfence.report.rules docs/packs.md` writes them anew behind the mark in that page.
"""

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from ringfence.model import caller_class as cc
from ringfence.model.packs import NumberRule, Pack, countries, pack_of

MARK: Final = "<!-- made from the packs by `python -m ringfence.report.rules docs/packs.md` -->\n"
_WHERE: Final = {"anywhere": "anywhere", "abroad": "from abroad", "interconnect": "from another network"}


def page(text: str) -> str:
    """The page with its tables made anew.

    Raises:
        ValueError: The page lacks the mark behind which they belong.
    """
    before, mark, _ = text.partition(MARK)
    if not mark:
        raise ValueError(f"the page lacks the line {MARK.strip()}")
    return before + mark + "".join(tables())


def tables() -> Iterator[str]:
    """All countries, one after another."""
    for country in countries():
        yield from _country(pack_of(country))


def _country(pack: Pack) -> Iterator[str]:
    signed = "Calls are signed (STIR/SHAKEN)." if pack.attestation else "Calls are not signed."
    ported = "Numbers can be ported." if pack.portable else "Numbers cannot be ported."
    yield f"\n## {pack.name[0]} {pack.name[1]}\n\n{pack.regulator[0]} {pack.regulator[1]}. {signed} {ported}\n\n"
    yield "| shown number | where | verdict | rule | source |\n| --- | --- | --- | --- | --- |\n"
    for rule in pack.verdicts:
        classes = ", ".join(cc.NAMES[one].replace("_", " ") for one in rule.classes)
        words = f"{rule.words[0]}<br>{rule.words[1]}"
        yield _row(classes, _WHERE[rule.where], rule.strength, words, _source(rule.source[0], rule.date))
    yield "\n| special numbers | form | call out? | class | source |\n| --- | --- | --- | --- | --- |\n"
    for number in pack.numbers:
        name = f"{number.name[0]}<br>{number.name[1]}"
        kind = cc.NAMES[number.caller_class].replace("_", " ")
        yield _row(name, _form(pack, number), number.outbound, kind, _source(number.source[0], number.date))
    yield "\n| what looks forged and is not | told by | source |\n| --- | --- | --- |\n"
    for exception in pack.exceptions:
        words = f"{exception.words[0]}<br>{exception.words[1]}"
        yield _row(words, exception.by, _source(exception.source[0], exception.date))


def _form(pack: Pack, rule: NumberRule) -> str:
    forms = [f"`{pattern}`" for pattern in (*rule.national, *rule.dialled)]
    forms += [f"`+{pattern}`" for pattern in rule.international]
    area = f" also behind an area code `{pack.area}`" if rule.area_code else ""
    return " ".join(forms) + area


def _source(source: str, date: str) -> str:
    return f"{source} ({date})"


def _row(*cells: str) -> str:
    return "| " + " | ".join(re.sub(r"\|", r"\\|", cell) for cell in cells) + " |\n"


def main(path: Path) -> None:
    """Write the tables of a page anew."""
    path.write_text(page(path.read_text("utf-8")), "utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
