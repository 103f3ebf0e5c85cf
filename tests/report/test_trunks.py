"""The letter about a trunk: the right counts, nothing of the people who were rung, harmless whatever callers call themselves."""

import csv
import io
import random
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from playwright.sync_api import sync_playwright

from ringfence.report import trunks as module
from ringfence.report.trunks import EXAMPLES, Envelope, ForgedCall, letter, masked, table, trunks
from ringfence.report.words import Both

HOUR = 3_600_000_000
BEGIN = 1_772_668_800_000_000  # 5 March 2026
FIXED = Both("a fixed line of this country, arriving from abroad", "国内固定电话号码，却从境外呼入")
STATE = Both("a number of a state organ, arriving from abroad", "国家机关号码，却从境外呼入")
LAW = Both("article 13", "第十三条")
ENVELOPE = Envelope("Us\nFraud desk", "Them", BEGIN + 100 * HOUR, "REF-1", "Asia/Shanghai")


def forged(n: int, **changes: Any) -> list[ForgedCall]:
    rng = random.Random(5)
    return [
        ForgedCall(
            **{
                "at": BEGIN + rng.randrange(48) * HOUR + i,
                "trunk": "gw-1",
                "shown": f"+86216000{i % 7:04}",
                "callee": f"+86139{rng.randrange(10**8):08}",
                "reason": FIXED,
                "rule": LAW,
                "call_id": f"c{i}",
                **changes,
            }
        )
        for i in range(n)
    ]


class Reader(HTMLParser):
    """Holds that what is opened is closed, and keeps the text."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.text: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in {"meta", "br"}:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open[-1:] != ["style"]:
            self.text.append(data)


def text_of(page: str) -> str:
    reader = Reader()
    reader.feed(page)
    reader.close()
    assert reader.open == []
    return re.sub(r"\s+", " ", "".join(reader.text))


def test_counts_by_trunk_most_first() -> None:
    calls = [
        *forged(40),
        *forged(3, trunk="gw-2"),
        *forged(5, trunk=None, shown=None),
        *forged(2, reason=STATE, shown="110"),
    ]
    first, unknown, second = trunks(calls, {"gw-1": 1000, "gw-9": 5})
    assert (first.name, first.total, first.all.calls) == ("gw-1", 1000, 42)
    assert (unknown.name, unknown.total, unknown.all.calls) == (None, None, 5)
    assert (second.name, second.total, second.all.calls) == ("gw-2", None, 3)
    assert len(first.all.numbers) == 8
    assert {reason.en[:7]: count.calls for (reason, _), count in first.reasons.items()} == {
        "a fixed": 40,
        "a numbe": 2,
    }
    mine = [call.at for call in calls if call.trunk == "gw-1"]
    assert (first.all.first, first.all.last) == (min(mine), max(mine))
    assert sum(first.hours.values()) == 42


@given(st.randoms())
def test_the_order_of_calls_changes_nothing(rng: random.Random) -> None:
    calls = [*forged(60), *forged(30, reason=STATE, shown="110")]
    shuffled = list(calls)
    rng.shuffle(shuffled)
    (one,), (other,) = trunks(calls), trunks(shuffled)
    assert one.examples() == other.examples()
    assert letter(one, ENVELOPE) == letter(other, ENVELOPE)


def test_examples_are_the_latest_and_leave_no_reason_out() -> None:
    calls = [*forged(500), *forged(1, reason=STATE, shown="110", at=BEGIN)]
    (trunk,) = trunks(calls)
    examples = trunk.examples()
    assert len(examples) == EXAMPLES
    assert examples == sorted(examples, key=lambda call: call.at)
    assert [call for call in examples if call.reason == STATE] == calls[-1:]
    fixed = sorted(call.at for call in calls[:-1])
    assert [call.at for call in examples if call.reason == FIXED] == fixed[-EXAMPLES + 1 :]


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_letter_says_what_was_counted(language: str) -> None:
    calls = [*forged(1199), *forged(5, reason=STATE, shown="110")]
    (trunk,) = trunks(calls, {"gw-1": 38_000})
    page = letter(trunk, ENVELOPE, language)
    text = text_of(page)
    for said in ("gw-1", "REF-1", "1,204", "3.2%", "38,000", "Asia/Shanghai, UTC+8", "Fraud desk", "Them"):
        assert said in text, said
    for both in (FIXED, STATE, LAW):
        assert both[language == "zh"] in text
        assert both[language == "en"] not in text
    assert 'lang="zh-Hans"' in page if language == "zh" else 'lang="en"' in page
    assert not re.search(r"https?:|url\(|src=", page)  # it fetches nothing


def test_a_single_call_and_an_unknown_trunk_are_told_in_plain_words() -> None:
    (trunk,) = trunks(forged(1, trunk=None, shown=None, rule=Both("", ""), call_id=""))
    text = text_of(letter(trunk, Envelope("", "", BEGIN), "en"))
    assert "trunk not recorded" in text
    assert "One call came to us" in text
    assert "withheld" in text
    assert "Call id" not in text


def test_called_numbers_are_masked_unless_asked_for() -> None:
    calls = forged(300)
    (trunk,) = trunks(calls)
    whole = letter(trunk, Envelope("", "", BEGIN, full_numbers=True))
    hidden = letter(trunk, ENVELOPE)
    listed, full = "".join(table(calls)), "".join(table(calls, full_numbers=True))
    callees = {call.callee for call in calls}
    assert not any(callee in hidden or callee in listed for callee in callees)
    assert sum(callee in whole for callee in callees) == EXAMPLES
    assert all(callee in full for callee in callees)


@given(st.text(st.characters(codec="utf-8"), max_size=30) | st.from_regex(r"\A\+?\d{7,17}\Z"))
def test_a_masked_number_keeps_its_length_and_hides_at_least_a_third(number: str) -> None:
    hidden = masked(number)
    assert len(hidden) == len(number)
    if len(number) > 6:
        assert hidden.count("*") - number.count("*") * (hidden == number) >= len(number) // 3


def test_masked() -> None:
    assert masked("+8613800000001") == "+8613*****0001"
    assert masked("+14155550100") == "+141****0100"
    assert masked("10086") == "10086"
    assert masked("alice") == "*****"
    assert masked("") == ""


def test_the_table_has_every_call_and_no_formulas() -> None:
    evil = ["=cmd|' /C calc'!A0", "+1+cmd", "-2+3", "@SUM(A1)", "\tx", "+8613800000001", 'a,"b"\n', None]
    calls = [call for shown in evil for call in forged(1, shown=shown)]
    rows = list(csv.reader(io.StringIO("".join(table(calls, language="zh")), newline="")))
    assert rows[0] == ["time_utc", "trunk", "call_id", "shown_number", "called_number", "reason", "rule"]
    assert [row[3] for row in rows[1:]] == [
        "'=cmd|' /C calc'!A0", "'+1+cmd", "'-2+3", "'@SUM(A1)", "'\tx", "+8613800000001", 'a,"b"\n', "",
    ]  # fmt: skip
    assert rows[1][0].startswith("2026-03-")
    assert rows[1][5:] == [FIXED.zh, LAW.zh]


def test_names_chosen_by_callers_do_no_harm() -> None:
    (trunk,) = trunks(forged(3, shown="<script>alert(1)</script>", trunk="<b>x", call_id="</td><img src=x>"))
    page = letter(trunk, Envelope("<i>us", "{{ 7*7 }}\n<u>", BEGIN, "<s>"))
    assert not re.search(r"<(script|b|i|u|s|img)\b", page)
    assert "{{ 7*7 }}" in text_of(page)


def test_invented_numbers_do_not_fill_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_DISTINCT", 50)
    calls = [call for i in range(200) for call in forged(1, shown=f"+8621{i:08}", at=BEGIN + i)]
    (trunk,) = trunks(calls)
    assert trunk.all.calls == 200
    assert len(trunk.all.numbers) == len(trunk.shown) == 50
    assert "more than 50 different numbers" in text_of(letter(trunk, ENVELOPE))


@pytest.mark.parametrize("days", [0, 1, 40, 4000])
def test_bars_fit_any_period(days: int) -> None:
    calls = [*forged(1, at=BEGIN), *forged(3, at=BEGIN + days * 24 * HOUR)]
    (trunk,) = trunks(calls)
    bars = module._bars(trunk)
    assert len(bars.heights) <= 61
    assert max(bars.heights) == 1
    assert bars.most == (4 if days == 0 else 3)


def test_what_cannot_be_written_is_told() -> None:
    (trunk,) = trunks(forged(1))
    with pytest.raises(ValueError, match="no language 'de': there are en and zh"):
        letter(trunk, ENVELOPE, "de")
    with pytest.raises(ValueError, match="no forged calls on the trunk 'gw-1'"):
        letter(module.Trunk("gw-1"), ENVELOPE)


def test_on_paper_and_on_a_phone_nothing_is_cut_off(tmp_path: Path) -> None:
    (trunk,) = trunks(
        [*forged(100), *forged(9, reason=STATE, shown="a-very-long-name" * 8, call_id="f" * 64)]
    )
    page = tmp_path / "letter.html"
    page.write_text(letter(trunk, ENVELOPE), "utf-8")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        tab = browser.new_page(viewport={"width": 375, "height": 700})
        seen: list[str] = []
        tab.on("console", lambda message: seen.append(message.text))
        tab.goto(page.as_uri())
        assert tab.evaluate("document.documentElement.scrollWidth") <= 375
        tab.emulate_media(media="print")
        tab.set_viewport_size({"width": 660, "height": 900})  # A4 between its margins
        assert tab.evaluate("document.documentElement.scrollWidth") <= 660
        assert tab.evaluate(
            "[...document.querySelectorAll('.wide')].every(e => e.scrollWidth <= e.clientWidth)"
        )
        assert seen == []
        browser.close()
