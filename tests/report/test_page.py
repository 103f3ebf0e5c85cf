import re
import string
from dataclasses import replace
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from jinja2 import nodes
from jinja2.visitor import NodeVisitor
from tests.report import example

from ringfence.detect import flood
from ringfence.model.alert import Alert, Episode, LedgerEntry
from ringfence.report import labels, page, picture, scam_picture
from ringfence.report.axis import DAY, HOUR, Axis, fitting
from ringfence.report.calls import OUTCOMES, SETUPS, calls_of, entries_by_episode, threshold_of
from ringfence.report.people import origin, people
from ringfence.report.story import Story
from ringfence.report.words import Clock

VOID = {"meta", "input", "br", "hr", "img", "link"}
SHANGHAI = Clock("Asia/Shanghai")
TEMPLATES = Path(page.__file__).parent / "templates"


@pytest.fixture(scope="module")
def pages() -> dict[str, str]:
    return example.pages()


def one(story: Story) -> str:
    return "".join(page.render(example.summary(), [story]))


class Reader(HTMLParser):
    """Reads a page, holds that what is opened is closed, and keeps what is of interest."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = [name for name, _ in attrs]
        assert len(names) == len(set(names)), (tag, names)
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if not self.open or self.open[-1] not in {"style", "script"}:
            self.texts.append(data)


@cache
def read(text: str) -> Reader:
    reader = Reader()
    reader.feed(text)
    reader.close()
    assert reader.open == []
    return reader


# --- the page as a file ----------------------------------------------------------------------------------------------


def test_every_page_is_well_formed_with_ids_used_once(pages: dict[str, str]) -> None:
    for text in pages.values():
        assert text.lstrip().startswith("<!DOCTYPE html>")
        reader = read(text)
        ids = [attrs["id"] for _, attrs in reader.tags if "id" in attrs]
        assert len(ids) == len(set(ids))
        targets = {attrs["href"] for _, attrs in reader.tags if attrs.get("href")}
        assert targets <= {f"#{name}" for name in ids}
        assert text.count("<h1>") == text.count("<main>") == 1


def test_pictures_are_xml(pages: dict[str, str]) -> None:
    for svg in re.findall(
        r"<svg role=.*?</svg>\s*(?=<ul|</figure|</a)|<svg height.*?\n</svg>", pages["three"], re.DOTALL
    ):
        ET.fromstring(svg)


def test_nothing_comes_from_outside(pages: dict[str, str]) -> None:
    for text in pages.values():
        assert "://" not in text
        assert "@import" not in text
        assert not re.search(r"url\(", text)
        for tag, attrs in read(text).tags:
            assert "src" not in attrs
            assert "style" not in attrs
            assert not any(name.startswith("on") for name in attrs)
            assert (attrs.get("href") or "#").startswith("#"), tag
            assert tag not in {"link", "img", "iframe", "object", "embed", "form"}


def test_the_policy_allows_this_style_and_script_and_nothing_else(pages: dict[str, str]) -> None:
    policy = re.search(r'Content-Security-Policy" content="([^"]+)"', pages["none"])
    assert policy is not None
    assert policy[1].startswith("default-src &#39;none&#39;")
    assert policy[1].count("sha256-") == 2
    assert "unsafe" not in policy[1]
    assert "http" not in policy[1]


def test_it_is_light(pages: dict[str, str]) -> None:
    alone = len(one(example.weekend()).encode())
    frame = len(pages["empty"].encode())
    assert alone <= 80_000
    assert alone - frame <= 60_000
    assert len(one(example.short()).encode()) <= 60_000


def test_120_floods_are_not_too_large_and_told_in_full_up_to_a_hundred() -> None:
    stories = example.many(120)
    text = "".join(page.render(example.summary(), stories))
    assert len(text.encode()) <= 4_000_000
    assert text.count('<section class="flood"') == 100
    assert "The 100 with the most evidence" in text
    assert text.count('<th scope="row"><span class="subject">') == 120


def test_it_is_streamed() -> None:
    pieces = list(page.render(example.summary(), example.many(20)))
    assert len(pieces) > 20
    assert max(map(len, pieces)) < 100_000


# --- escaping --------------------------------------------------------------------------------------------------------

EVIL = '<script>alert("x")</script>'


def test_whatever_stands_in_the_records_is_only_text() -> None:
    short = example.short(EVIL)
    entries = [
        replace(e, caller=EVIL, text=EVIL, text_zh=EVIL, call_id=EVIL + e.call_id) for e in short.entries
    ]
    alert = short.alert
    alert.ledger = entries[:7]
    alert.hypothesis = alert.hypothesis_zh = EVIL
    summary = replace(
        example.summary(), rejected={EVIL: 1}, notes={EVIL: 2}, country=EVIL, timezone=EVIL,
        files=[replace(example.summary().files[0], name=EVIL, format=EVIL)],
    )  # fmt: skip
    text = "".join(page.render(summary, [Story(alert, entries)]))
    assert [tag for tag, _ in read(text).tags].count("script") == 1
    assert "<script>alert" not in text
    assert text.count("&lt;script&gt;") > 10


@pytest.mark.parametrize(
    "caller", ["", "300", "+", "+9", "+٣٤٥", "\u202eabc", "\0", "{{ 7 * 7 }}", "{n}", "+" + "9" * 80]
)
def test_any_caller_can_be_shown(caller: str) -> None:
    short = example.short()
    entries = [replace(entry, caller=caller) for entry in short.entries]
    text = one(Story(short.alert, entries))
    read(text)
    assert "\0" not in text
    assert "\u202e" not in text
    assert "49" not in origin(caller).place.en


# --- languages -------------------------------------------------------------------------------------------------------


class Keys(NodeVisitor):
    """Collects the labels that a template asks for."""

    def __init__(self) -> None:
        self.found: set[str] = set()

    def visit_Call(self, node: nodes.Call) -> None:  # noqa: N802
        if isinstance(node.node, nodes.Name) and node.node.name in {"t", "ts", "one"}:
            self.found |= {arg.value for arg in node.args[:1] if isinstance(arg, nodes.Const)}
        self.generic_visit(node)


def asked_for() -> set[str]:
    keys = Keys()
    for path in set(TEMPLATES.glob("*.html")) - {
        TEMPLATES / "trunk.html"
    }:  # the letter has labels of its own
        keys.visit(page.environment().parse(path.read_text("utf-8")))
    code = "".join(path.read_text("utf-8") for path in Path(page.__file__).parent.glob("*.py"))
    return keys.found | set(re.findall(r'fill\(\s*"(\w+)"', code))


def test_every_label_is_there_and_none_is_left_over() -> None:
    passed_on = {"rejected_caption", "notes_caption", "reason", "note", "files_one", "files_many"}
    outcomes = {*OUTCOMES.values(), "unknown", "again"}
    ledgers = {"ledger_caption", "since_caption"}
    lanes = set(re.findall(r'"(lane_\w+)"', Path(scam_picture.__file__).read_text("utf-8")))
    marks = {key for _, key in [*scam_picture._KNOWN.values(), *scam_picture._PAYS.values()]}
    assert asked_for() | passed_on | outcomes | ledgers | lanes | marks == set(labels.LABELS)


def test_every_label_is_in_both_languages_with_the_same_figures() -> None:
    everything = [*labels.LABELS.values(), *labels.PERSON, *labels.SQUAD, *labels.NOTES.values()]
    for label in everything:
        assert label.en
        assert label.zh
        assert "!" not in label.en
        assert "！" not in label.zh
        if label.en != "Ringfence":
            assert re.search(r"[\u4e00-\u9fff]", label.zh), label
        assert not re.search(r"[\u4e00-\u9fff]", label.en.replace("来电应急防护", "")), label
        assert figures(label.en) - {"nth"} <= figures(label.zh), label
        assert figures(label.zh) - {"n"} <= figures(label.en), label


def figures(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


def test_english_and_chinese_stand_side_by_side(pages: dict[str, str]) -> None:
    for text in pages.values():
        assert len(re.findall(r'<(span|tspan) lang="en">', text)) == len(
            re.findall(r'<(span|tspan) lang="zh">', text)
        )
    assert "来电应急防护" in pages["three"]


def test_reasons_and_notes_are_translated_where_they_are_known() -> None:
    assert labels.reason("callee is missing").zh == "缺少 callee"
    assert labels.reason("end_time is more than an hour before start_time or answer_time").zh.startswith(
        "end_time 比"
    )
    assert labels.reason("something else").zh == "something else"
    assert labels.note("repeated").zh.startswith("重复")


# --- what it says ----------------------------------------------------------------------------------------------------


def test_no_flood_is_said_plainly(pages: dict[str, str]) -> None:
    assert "No flood of calls was found" in pages["none"]
    assert "未发现呼死你攻击" in pages["none"]
    assert "<figure" not in pages["none"]
    assert "There was nothing to judge" in pages["empty"]


def test_an_interrupted_scan_is_marked(pages: dict[str, str]) -> None:
    assert "The scan was interrupted" in pages["interrupted"]
    assert "interrupted" not in pages["three"]


def test_what_was_put_aside_is_told(pages: dict[str, str]) -> None:
    assert "start_time is missing" in pages["none"]
    assert "the same call told twice" in pages["none"]
    assert "something_new" in pages["none"]


def test_every_call_of_a_short_flood_has_its_mark() -> None:
    text = one(example.short())
    assert len(re.findall(r'<g class="mark \w+"><title>', text)) == 6


def test_the_moment_of_recognition_is_where_it_belongs() -> None:
    story = example.short()
    calls = calls_of(story.entries)
    episode = story.alert.episodes[0]
    first = picture.first_calls(calls, episode, threshold_of(story, 0), SHANGHAI)
    assert first is not None
    axis = first.axis
    wanted = 100 * (episode.raised_at - axis.start) / (axis.end - axis.start)
    assert first.recognised == pytest.approx(wanted, abs=0.01)
    assert f'<line class="now" x1="{first.recognised}%" x2="{first.recognised}%"' in one(story)
    before = [mark for mark in first.marks if mark.x <= first.recognised]
    assert len(before) == first.nth
    assert f"recognised at the {first.nth}rd call" in one(story)
    assert first.peak <= first.threshold


def test_evidence_against_hangs_below_the_line() -> None:
    story = example.weekend()
    calls = calls_of(story.entries)
    first = picture.first_calls(calls, story.alert.episodes[0], threshold_of(story, 0), SHANGHAI)
    assert first is not None
    talks = [mark for mark in first.marks if mark.outcome == "talked"]
    assert [mark.colour for mark in talks] == ["n2"]
    assert all(mark.y > first.base for mark in talks)
    assert all(mark.y < first.base for mark in first.marks if mark.colour.startswith("p"))


def test_an_early_call_does_not_crush_the_picture() -> None:
    story = example.story([(example.BEGIN, (4 * 3600.0, 40.0, 45.0, 38.0, 50.0, 44.0))], seed=9)
    calls = calls_of(story.entries)
    first = picture.first_calls(calls, story.alert.episodes[0], threshold_of(story, 0), SHANGHAI)
    assert first is not None
    assert first.earlier == 1
    assert "One earlier call counted too" in one(story)
    assert first.axis.end - first.axis.start < HOUR


def test_all_calls_of_a_long_flood_are_in_its_columns() -> None:
    story = example.weekend()
    calls = calls_of(story.entries)
    whole = picture.whole(calls, story.alert.episodes[0], SHANGHAI)
    assert len(calls) == 2001
    assert whole.columns <= picture.MOST_COLUMNS
    assert whole.axis.start <= calls[0].at <= calls[-1].at < whole.axis.end
    assert len(whole.axis.nights()) == 2
    unit = 100 / whole_height(whole)
    drawn = sum(
        abs(float(a) - float(b)) for _, path in whole.bars for a, b in re.findall(r" ([\d.]+)V([\d.]+)", path)
    )
    assert drawn / unit == pytest.approx(2001, rel=0.02)


def whole_height(whole: picture.Whole) -> float:
    """Calls that the box of 100 stands for: those above and below the base line in their fullest columns."""
    return whole.most * 100 / whole.base if whole.base < 100 else whole.most


def test_a_return_is_a_panel_of_its_own() -> None:
    text = one(example.returned())
    assert "It returned after 2 d" in text
    assert "it returned once" in text
    assert text.count('aria-label="The first calls') == 2
    assert "still going on when the records end" in text


def test_entries_belong_to_their_episode() -> None:
    story = example.returned()
    parts = entries_by_episode(story, story.alert.episodes)
    assert len(parts) == 2
    assert sum(map(len, parts)) == len(story.entries)
    assert max(e.at for e in parts[0]) < story.alert.episodes[1].began_at == parts[1][0].at


def test_what_was_not_kept_is_said() -> None:
    text = one(replace(example.short(), dropped=1234))
    assert "1,234 further observations" in text


def test_a_story_without_entries_or_episodes_still_stands() -> None:
    alert = Alert("flood", "+8613800000009", example.BEGIN, "c1", 18.0, 0.97, "linger", "接通后滞留", [], [])
    text = one(Story(alert, []))
    read(text)
    assert "The calls of this part were not kept" in text


def test_the_threshold_follows_the_form_and_the_return() -> None:
    story = example.short()
    plain = threshold_of(story, 0)
    assert threshold_of(story, 1) == plain - flood.WATCH_BITS
    story.alert.hypothesis = "linger"
    assert threshold_of(story, 0) == plain + flood.HANDICAP[1]
    story.alert.hypothesis = "something new"
    assert threshold_of(story, 0) == plain


# --- calls, callers, axes --------------------------------------------------------------------------------------------


def entry(at: int, call: str, what: int, caller: str | None = "+8613500000001") -> LedgerEntry:
    return LedgerEntry(at, call, caller, what, 1.0, "words", "字", 1.0, 1.0)


def test_the_words_of_the_detector_are_all_known() -> None:
    assert set(flood.WORDS) == SETUPS | set(OUTCOMES) | {flood.TALKING, flood.LOST, flood.NOT_REACHED}


def test_observations_are_put_together_to_calls() -> None:
    calls = calls_of(
        [
            entry(1, "a", flood.FIRST_STRANGER),
            entry(5, "b", flood.TALKING),
            entry(5, "b", flood.AGAIN),
            entry(6, "a", flood.CALL_DROPPED),
            entry(9, "b", flood.RANG_OUT),
        ]
    )
    assert [(call.at, call.outcome, call.again, call.bits) for call in calls] == [
        (1, "dropped", False, 2.0),
        (5, "rang_out", True, 3.0),
    ]


def test_an_id_used_twice_is_two_calls() -> None:
    calls = calls_of(
        [entry(1, "", flood.FIRST_STRANGER), entry(2, "", flood.STRANGER_SOON), entry(3, "", flood.RANG_ONCE)]
    )
    assert [call.outcome for call in calls] == ["unknown", "rang_once"]


def test_callers_are_counted_by_number_and_place() -> None:
    numbers = [None, None, "+8615359210000", "+8615359210001", "+442079460958", "300", "+8615359210000"]
    calls = calls_of(
        e
        for i, number in enumerate(numbers)
        for e in (
            entry(i * 10, f"c{i}", flood.STRANGER_SOON, number),
            entry(i * 10 + 5, f"c{i}", flood.RANG_OUT, number),
        )
    )
    found = people(calls)
    assert (found.calls, found.withheld, found.numbers) == (7, 2, 4)
    assert [(row.name.en, row.calls, row.numbers) for row in found.places] == [
        ("Fujian, China", 3, 2),
        ("withheld", 2, 0),
        ("United Kingdom", 1, 1),
        ("local number", 1, 1),
    ]
    assert found.places[0].name.zh == "中国 福建省"
    top = found.top[0]
    assert (top.name.en, top.calls, top.first, top.last, top.silent) == ("+8615359210000", 2, 20, 60, 2)
    assert top.origin.place.en == "Xiamen, Fujian, China"
    assert top.origin.kind.en == "mobile"


def test_only_the_most_frequent_numbers_are_listed() -> None:
    calls = calls_of(entry(i, f"c{i}", flood.STRANGER_SOON, f"+86138{i:08}") for i in range(40))
    found = people(calls)
    assert len(found.top) == 15
    assert found.more_numbers == 25


@pytest.mark.parametrize("length", [30, 600, 5000, 40_000, 200_000, 3_000_000, 90_000_000])
def test_an_axis_has_some_round_ticks_in_its_zone(length: int) -> None:
    axis = fitting(example.BEGIN, example.BEGIN + length * 1_000_000, SHANGHAI)
    ticks = axis.ticks()
    assert 1 <= len(ticks) <= 7
    assert all(0 < tick.x < 100 for tick in ticks)


def test_days_and_nights_are_those_of_the_zone() -> None:
    midnight = example.BEGIN // DAY * DAY - 8 * HOUR  # in Shanghai
    axis = Axis(midnight, midnight + 2 * DAY, SHANGHAI)
    assert axis.days() == [0, 50, 100]
    assert axis.nights() == [(0, 12.5), (45.83, 16.67), (95.83, 4.17)]


def test_an_episode_of_years_and_of_a_moment_can_be_drawn() -> None:
    for length in (0, 10, 400 * DAY):
        calls = calls_of(
            [entry(example.BEGIN, "a", flood.FIRST_STRANGER), entry(example.BEGIN + length, "b", flood.AGAIN)]
        )
        episode = Episode(example.BEGIN + length, "b", example.BEGIN, example.BEGIN + length, calls=2)
        assert picture.whole(calls, episode, SHANGHAI).columns <= picture.MOST_COLUMNS
        assert picture.first_calls(calls, episode, 17.9, SHANGHAI) is not None
        assert picture.overview_line([episode], picture.overview_axis([episode], SHANGHAI)).bars
