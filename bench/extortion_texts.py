"""How well texts that demand money are read and told from harmless ones."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bench._tables import Table
from ringfence.detect.extortion_text import HYPOTHESES, read

NAME = "extortion_texts"
TITLE = "Texts that demand money"
SAMPLES = Path(__file__).parents[1] / "tests" / "samples" / "extortion_texts.jsonl"
AT, CHINA = 1_772_676_000_000_000, 8 * 3_600_000_000
FORMS = dict(zip(("extortion", "scam", "debt"), range(len(HYPOTHESES)), strict=True))
AT_FIRST_SIGHT = (
    ("other hand", "64 % (35 of 55)", "-", "69 % (35 of 51)", "87 % (39 of 45)", "0 % (0 of 55)"),
    ("hidden", "55 % (30 of 55)", "-", "65 % (33 of 51)", "87 % (40 of 46)", "5.5 % (3 of 55)"),
    (
        "hidden, by the rules of today",
        "78 % (43 of 55)",
        "-",
        "90 % (46 of 51)",
        "96 % (44 of 46)",
        "7 % (4 of 55)",
    ),
    ("new voices", "33 % (13 of 40)", "-", "76 % (29 of 38)", "81 % (30 of 37)", "6.7 % (2 of 30)"),
    ("new voices, later", "73 % (22 of 30)", "-", "90 % (26 of 29)", "88 % (22 of 25)", "27 % (8 of 30)"),
    ("new voices, last", "33 % (5 of 15)", "-", "86 % (12 of 14)", "92 % (11 of 12)", "5 % (1 of 20)"),
    ("plain voices", "88 % (30 of 34)", "-", "97 % (32 of 33)", "91 % (29 of 32)", "5 % (2 of 40)"),
    ("kept", "20 % (12 of 59)", "74 % (32 of 43)", "90 %", "86 %", "4.8 % (4 of 83)"),
    ("fresh", "33 % (8 of 24)", "79 % (15 of 19)", "88 %", "100 %", "6.7 % (2 of 30)"),
)
"""Measured once, before anything was mended after them, by the rules of that hour; cannot be measured again."""
MEASURED = (
    "Texts written for the project in some 200 manners, Chinese and English, half of them harmless look-alikes. `other hand` is of another writer who had not seen the "
    "rules; so is `hidden`, kept back, not in the project and never looked at. The rest is of one hand. The first table is of the rules as they are, which "
    "know all sets but `hidden`; the second of what they did at first sight, each by the rules of its hour: `kept`, then `fresh`; then, by the same rules, `other hand`, `hidden` and "
    "`new voices`; after mending for `other hand` and `new voices`, `new voices, later`; after mending for that, `new voices, last`; after that, `plain voices`, in wordings less odd."
)
READING = (
    "What stands in digits is read in texts never seen (at the last sight sum 32 of 33, account 29 of 32). Whether a text is a demand rests on wording: of new ones between a third (of odd ones) and nine "
    "in ten (of plain ones) were recognised at first sight, and up to a quarter of harmless texts with a sum and an account taken for demands before the rules were narrowed. Expect that, not the first "
    "table, of texts from other hands; none of these texts was written by a criminal."
)

Text = dict[str, Any]


def run() -> list[Table]:
    """Measure."""
    texts: list[Text] = [json.loads(line) for line in SAMPLES.read_text("utf-8").splitlines()]
    now = Table("The rules as they are", ("texts", "demands", "recognised", "sum right", "currency right", "account right", "form right", "harmless", "false alarms"))  # fmt: skip
    for name in dict.fromkeys(text["set"] for text in texts):
        _add(now, name, [text for text in texts if text["set"] == name])
    for language in ("zh", "en"):
        _add(now, f"all, {language}", [text for text in texts if text["language"] == language])
    _add(now, "all", texts)
    before = Table(
        "At first sight",
        (
            "texts",
            "recognised",
            "on a flooded line (extortion, debt)",
            "sum right",
            "account right",
            "false alarms",
        ),
    )
    for row in AT_FIRST_SIGHT:
        before.add(*row)
    return [now, before]


def _add(table: Table, name: str, texts: list[Text]) -> None:
    demands = [text for text in texts if text["kind"] != "harmless"]
    harmless = [text for text in texts if text["kind"] == "harmless"]

    def share(some: list[Text], is_so: Callable[[Text, Any], bool]) -> str:
        return f"{100 * sum(is_so(text, read(text['text'], AT, CHINA)) for text in some) / len(some):.1f} %"

    def right(field: str) -> str:
        return share(demands, lambda text, reading: bool(getattr(reading.demand, field) == text[field]))

    table.add(
        name,
        str(len(demands)),
        share(demands, lambda _, reading: bool(reading.is_alert)),
        right("amount"),
        right("currency"),
        right("account"),
        share(demands, lambda text, reading: bool(reading.hypothesis == FORMS[text["kind"]])),
        str(len(harmless)),
        share(harmless, lambda _, reading: bool(reading.is_alert)),
    )
