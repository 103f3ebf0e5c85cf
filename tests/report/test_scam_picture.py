import re
from collections.abc import Iterator
from dataclasses import replace
from itertools import combinations, pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from playwright.sync_api import Browser, Page, sync_playwright
from tests.report import example
from tests.report import scam_example as made
from tests.report.scam_example import HOUR, MINUTE, SECOND, at
from tests.report.test_page import EVIL, read

from ringfence.detect import scam_call
from ringfence.model.alert import Alert, Payment
from ringfence.report import page, scam_picture
from ringfence.report.broken_axis import MOST_PIECES, broken
from ringfence.report.label_rows import NARROWEST, Rows, pixels
from ringfence.report.scam_calls import describe, scams_of
from ringfence.report.scam_labels import MISSING, STAGES
from ringfence.report.scam_picture import ScamPicture, draw, held_calls
from ringfence.report.story import Story
from ringfence.report.words import Both, Clock
from ringfence.respond.victim import victim_of

SHANGHAI = Clock("Asia/Shanghai")
EVERYONE = (made.chen, made.short, made.still_up, made.second_number, made.three_days, made.bare)


def one(*stories: Story) -> str:
    return "".join(page.render(example.summary(), stories))


def drawn(story: Story) -> ScamPicture:
    assert story.alert.victim is not None
    picture = draw(story.entries, story.alert.victim, story.alert.episodes, SHANGHAI)
    assert picture is not None
    return picture


def lead(story: Story) -> Both:
    return scams_of([story], SHANGHAI)[0].lead


# --- what is drawn ---------------------------------------------------------------------------------------------------


def test_every_word_of_the_detector_has_its_place_in_the_picture() -> None:
    parts = [scam_picture._HOLDS, set(scam_picture._KNOWN), set(scam_picture._PAYS)]
    assert set.union(*map(set, parts)) == {int(code) for code in scam_call.WORDS}
    assert sum(map(len, parts)) == len(scam_call.WORDS)


def test_every_call_is_a_bar_from_its_answer_to_its_end() -> None:
    calls = held_calls(made.chen().entries)
    spans = [(call.begin, call.end) for call in calls]
    assert spans == [
        (at(9, 12), at(9, 26)),
        (at(9, 31), at(10, 23)),
        (at(10, 44), at(13, 39)),
        (at(13, 47), at(15, 45)),
        (at(15, 55), at(16, 36)),
    ]
    assert all(call.over for call in calls)


def test_a_caller_whose_sort_says_nothing_still_has_a_bar() -> None:
    end = next(e for e in made.chen().entries if e.what == scam_call.CALLER_LEFT)
    (call,) = held_calls([end])
    assert (call.begin, call.end) == (at(9, 12), at(9, 26))


def test_ids_that_are_missing_or_used_twice_do_not_join_calls() -> None:
    entries = [replace(entry, call_id="") for entry in made.three_days().entries]
    assert len(held_calls(entries)) == len(held_calls(made.three_days().entries)) == 40


def test_bars_are_coloured_by_the_stage_that_was_reached_by_then() -> None:
    bars = drawn(made.short()).bars
    assert [bar.stage for bar in bars] == ["contact", "hand_over", "grip", "payment"]
    assert [bar.stage for bar in drawn(made.chen()).bars] == ["contact", "grip", "grip", *["isolation"] * 3]
    for before, after in pairwise(bars[1:]):
        assert before.x + before.width == pytest.approx(after.x, abs=0.02)


def test_only_a_call_that_is_still_up_goes_on() -> None:
    assert [bar.up for bar in drawn(made.still_up()).bars][-1]
    assert not any(bar.up for story in EVERYONE if story is not made.still_up for bar in drawn(story()).bars)
    assert "on the line with them when the records end" in one(made.still_up())
    assert "仍在与对方通话" in one(made.still_up())


def test_calls_of_two_phones_at_once_stand_below_each_other() -> None:
    day = made.Day()
    day.call(at(9), 60, made.OFFICIAL, (scam_call.ABROAD_RINGS, 60.0, 5.0))
    day.call(at(9, 30), 60, made.POLICE, (scam_call.ABROAD_RINGS, 60.0, 5.0))
    bars = drawn(day.story([at(9, 20)])).bars
    assert bars[0].y != bars[-1].y


def test_people_the_bank_and_money_have_their_marks() -> None:
    heads = [spot.head for spot in drawn(made.chen()).spots]
    assert heads == ["engaged"] * 5 + ["bank", "talked"]
    heads = [spot.head for spot in drawn(made.second_number()).spots]
    assert heads.count("paid") == 5
    assert heads.count("paid-known") == heads.count("number") == 1
    text = one(made.second_number())
    for label in ("20,000 yuan", "49,999.99 元", "+8613900000056"):
        assert label in text


def test_cells_follow_the_person() -> None:
    picture = drawn(made.chen())
    assert [(cell.letter, cell.name, cell.new) for cell in picture.cells] == [
        ("A", "460-00-6212-1", False),
        ("B", "460-00-7731-2", True),
    ]
    assert picture.stays[1].x == picture.axis.x(at(10, 44))
    assert drawn(made.bare()).stays == []


def test_many_cells_are_counted_where_they_cannot_be_named() -> None:
    day = made.Day()
    for n in range(30):
        day.cell = f"cell-{n}"
        day.call(at(8) + n * 20 * MINUTE, 12, made.POLICE, (scam_call.SAME_AGAIN, 60.0, 1.0))
    text = one(day.story([at(9)]))
    assert len(drawn(day.story([at(9)])).stays) == 30
    assert "And 18 more cells." in text


def test_a_picture_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scam_picture, "MOST", 3)
    story = made.three_days()
    picture = drawn(story)
    assert len({bar.title for bar in picture.bars}) == 3
    assert sum(spot.head == "engaged" for spot in picture.spots) == 3
    assert picture.more
    assert "of each sort are drawn" in one(story)


def test_a_picture_of_a_day_leaves_nothing_out() -> None:
    assert "of each sort are drawn" not in one(made.chen(), made.three_days())


def test_nothing_is_drawn_outside_the_picture() -> None:
    for story in EVERYONE:
        picture = drawn(story())
        spans = [(bar.x, bar.width) for bar in picture.bars] + [
            (stay.x, stay.width) for stay in picture.stays
        ]
        for x, width in spans:
            assert x >= 0
            assert x + width <= 100.01
            assert width > 0
        for spot in picture.spots:
            assert 0 <= spot.x <= 100
            assert spot.y < picture.bottom
            assert spot.label is None or spot.label.y < picture.bottom


def test_nights_are_left_out_and_days_named() -> None:
    picture = drawn(made.three_days())
    assert len(picture.axis.breaks()) == 2
    assert [date.label.zh for date in picture.axis.dates()] == ["11月14日", "11月15日", "11月16日"]
    assert picture.dated
    assert len(picture.alerts) == 2
    assert drawn(made.chen()).axis.breaks() == []
    assert drawn(made.chen()).axis.dates() == []


def test_a_story_without_observations_or_victim_still_stands() -> None:
    alert = Alert(
        "scam_call", "+8613800000009", at(9), "c1", 18.0, 0.97, "callers abroad", "境外来电", [], []
    )
    text = one(Story(alert, []))
    read(text)
    assert "The calls of this part were not kept" in text


# --- the axis and labels ---------------------------------------------------------------------------------------------

TIMES = st.integers(at(0), at(0) + 40 * 24 * HOUR)
SPANS = st.lists(st.tuples(TIMES, st.integers(0, 9 * HOUR)), min_size=1, max_size=45)


@given(SPANS)
def test_time_never_runs_backwards_on_any_axis(found: list[tuple[int, int]]) -> None:
    spans = [(start, start + length) for start, length in found]
    axis = broken(spans, SHANGHAI)
    assert 1 <= len(axis.pieces) <= MOST_PIECES
    times = sorted(time for span in spans for time in span)
    places = [axis.x(time) for time in times]
    assert places == sorted(places)
    assert places[0] >= 0
    assert places[-1] <= 100
    for before, after in pairwise(axis.pieces):
        assert before.axis.end < after.axis.start
        assert before.left + before.width < after.left
    last = axis.pieces[-1]
    assert last.left + last.width == pytest.approx(100)
    for start, end in spans:  # what happened is never left out
        assert any(piece.axis.start <= start <= end <= piece.axis.end for piece in axis.pieces)


@given(SPANS)
def test_ticks_and_dates_keep_apart_on_any_axis(found: list[tuple[int, int]]) -> None:
    axis = broken([(start, start + length) for start, length in found], SHANGHAI)
    for ticks in (axis.ticks(), axis.dates()):
        assert all(after.x - before.x >= 11 for before, after in pairwise(ticks))
        assert all(0 <= tick.x <= 100 for tick in ticks)


@given(st.lists(st.tuples(st.floats(0, 100), st.text("0123456789, 元yuan", max_size=70)), max_size=30))
def test_labels_never_overlap_and_stay_within(found: list[tuple[float, str]]) -> None:
    rows = Rows(top=0)
    boxes = []
    for x, text in sorted(found):
        label = rows.place(x, Both(text, text))
        if label is not None:
            width, mark = pixels(label.text), x / 100 * NARROWEST
            left = mark + label.dx - width if label.end else mark + label.dx
            assert -3 <= left <= left + width <= NARROWEST + 3
            boxes.append((label.y, left, left + width))
    for a, b in combinations(boxes, 2):
        assert a[0] != b[0] or a[2] <= b[1] or b[2] <= a[1]


# --- what is said ----------------------------------------------------------------------------------------------------


def test_how_early_it_was_known_is_said() -> None:
    assert lead(made.short()).en == (
        "Recognised on 14 Nov 2026, 20:26, 15 min after the grip began. It was known 5 min before the first transfer to a "
        "new account. One transfer to a new account, 9,900 yuan: ask the bank at once to stop it."
    )
    assert lead(made.short()).zh == (
        "2026年11月14日 20:26 识别，距控制开始 15 分钟。首次向陌生账户转账前 5 分钟已识别。"
        "向陌生账户转账 1 笔，9,900 元：请立即联系银行紧急止付。"
    )
    assert "known only 12 min after the first transfer" in lead(made.second_number()).en
    assert (
        "243,500.49 yuan in all, of which 20,000 yuan before it was recognised"
        in lead(made.second_number()).en
    )
    assert lead(made.chen()).en.endswith("No transfer to a new account is known.")


@pytest.mark.parametrize(
    ("seconds", "new", "said"),
    [
        (0, True, "recognised by the first transfer to a new account itself"),
        (-1, True, "known only 1 s after"),
        (1, True, "known 1 s before"),
        (60, False, "No transfer to a new account is known"),
    ],
)
def test_the_moment_of_the_first_transfer_decides(seconds: int, new: bool, said: str) -> None:
    story = made.chen()
    assert story.alert.victim is not None
    story.alert.victim.payments = [Payment(story.alert.raised_at + seconds * SECOND, 1.0, new)]
    assert said in lead(story).en


def test_an_alert_before_any_grip_says_so() -> None:
    story = made.chen()
    assert story.alert.victim is not None
    story.alert.victim.grip_began_at = None
    assert "before any call had become a grip" in lead(story).en
    assert "尚未形成控制" in lead(story).zh


def test_what_the_records_did_not_tell_is_explained_in_both_languages() -> None:
    assert set(MISSING) == set(scam_call.COLUMNS)
    assert set(STAGES) == set(scam_call.STAGES)
    text = one(made.bare())
    for name, meaning in MISSING.values():
        assert name.en in text
        assert meaning.zh in text
    assert "What the records did not tell" not in one(made.chen())


def test_an_earlier_warning_is_told() -> None:
    assert "Watched since an earlier warning" in one(made.short())
    assert "Watched since an earlier warning" not in one(made.chen())


def test_alerts_of_one_case_point_at_each_other() -> None:
    text = one(made.chen(), made.text(), made.short())
    assert '<a href="#text-1"><span lang="en">the text of 14 Nov 2026, 17:00' in text
    assert text.count('<a href="#scam-1"><span lang="en">belongs to the scam call') == 1
    other = made.short()
    other.alert.case = "case-1"
    text = one(made.chen(), other)
    assert '<a href="#scam-2"><span lang="en">Scam call to' in text
    assert '<a href="#scam-1"><span lang="en">Scam call to' in text
    read(text)


def test_the_ledger_is_told_and_what_was_seen_since() -> None:
    story = made.second_number()
    told = describe(scams_of([story], SHANGHAI)[0], [], SHANGHAI)
    assert [e.at for e in told.ledger + told.since] == [e.at for e in story.entries]
    text = one(story)
    assert "向从未付过款的账户转账 50,000.00" in text
    assert "withheld" not in text  # a transfer has no caller


@pytest.mark.parametrize(
    ("stories", "en", "zh"),
    [
        ((made.chen,), "One person in a scam call", "1 人正遭遇或曾遭遇诈骗电话"),
        ((made.chen, made.short), "2 people in scam calls", "2 人正遭遇或曾遭遇诈骗电话"),
        (
            (made.chen, made.text, example.short),
            "One person in a scam call; One line was flooded with calls; One text that demands money",
            "1 人正遭遇或曾遭遇诈骗电话；另有 1 个号码遭到呼死你攻击；另有 1 条勒索、诈骗短信",
        ),
    ],
)
def test_the_headline_counts_people(stories: tuple[object, ...], en: str, zh: str) -> None:
    text = one(*(story() for story in stories))  # type: ignore[operator]
    assert f'<h1><span lang="en">{en}</span><span lang="zh">{zh}</span></h1>' in text


def test_more_than_a_hundred_stand_in_the_table_only() -> None:
    stories = [made.bare() for _ in range(105)]
    for n, story in enumerate(stories):
        story.alert.bits = float(n)
    text = one(*stories)
    assert text.count('<section class="flood scam"') == 100
    assert "The 100 with the most evidence" in text
    read(text)


def test_whatever_stands_in_the_records_is_only_text() -> None:
    story = made.second_number()
    entries = [
        replace(
            e, caller=EVIL, cell=EVIL, other=EVIL if e.other else None, text=EVIL, text_zh=EVIL, currency=EVIL
        )
        for e in story.entries
    ]
    alert = replace(story.alert, subject=EVIL, ledger=entries[:6], hypothesis=EVIL, hypothesis_zh=EVIL)
    alert.victim = victim_of(EVIL, entries, linked=[EVIL], missing=[EVIL])
    text = one(Story(alert, entries))
    assert [tag for tag, _ in read(text).tags].count("script") == 1
    assert "<script>alert" not in text
    assert text.count("&lt;script&gt;") > 20


def test_pages_are_well_formed_with_ids_used_once_and_both_languages() -> None:
    for text in made.pages().values():
        reader = read(text)
        ids = [attrs["id"] for _, attrs in reader.tags if "id" in attrs]
        assert len(ids) == len(set(ids))
        targets = {attrs["href"] for _, attrs in reader.tags if attrs.get("href")}
        assert targets <= {f"#{name}" for name in ids}
        assert len(re.findall(r'<(?:span|tspan) lang="en">', text)) == len(
            re.findall(r'<(?:span|tspan) lang="zh">', text)
        )
        assert not re.search(r'(?:x|width|y)="-?(?:nan|inf)', text)
        assert len(text.encode()) < 60_000 * 7


# --- in a browser ----------------------------------------------------------------------------------------------------

QUIET = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
)
OVERLAPS = """svg => {
  const seen = [...svg.querySelectorAll("text")].filter(e => e.getClientRects().length && e.textContent.trim());
  const boxes = seen.map(e => [e.getBoundingClientRect(), e.textContent.trim()]).filter(b => b[0].width > 0);
  const found = [];
  for (let i = 0; i < boxes.length; i++) for (let j = i + 1; j < boxes.length; j++) {
    const [a, b] = [boxes[i][0], boxes[j][0]];
    const across = Math.min(a.right, b.right) - Math.max(a.left, b.left);
    const down = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top);
    if (across > 0.5 && down > 3) found.push(boxes[i][1] + " | " + boxes[j][1]);
  }
  const frame = svg.getBoundingClientRect();
  for (const [box, text] of boxes)
    if (box.left < frame.left - 4 || box.right > frame.right + 4) found.push("outside: " + text);
  return found;
}"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=QUIET)
        yield started
        started.close()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    found = tmp_path_factory.mktemp("scams")
    made.write(found)
    return found


@pytest.fixture
def tab(browser: Browser) -> Iterator[Page]:
    context = browser.new_context(locale="en-GB")
    opened = context.new_page()
    seen: list[str] = []
    opened.on("console", lambda message: seen.append(message.text))
    opened.on(
        "request", lambda request: None if request.url.startswith("file:") else seen.append(request.url)
    )
    yield opened
    context.close()
    assert seen == []


@pytest.mark.parametrize("width", [375, 1280])
@pytest.mark.parametrize("language", ["en", "zh"])
def test_no_label_lies_on_another_one(tab: Page, folder: Path, width: int, language: str) -> None:
    tab.set_viewport_size({"width": width, "height": 900})
    tab.goto((folder / "scams.html").as_uri())
    tab.click(f'label[for="{language}"]')
    assert tab.evaluate("document.documentElement.scrollWidth") <= width
    pictures = tab.locator("svg.day-of")
    assert pictures.count() == len(EVERYONE)
    for n in range(pictures.count()):
        assert pictures.nth(n).evaluate(OVERLAPS) == []


def test_a_picture_is_named_and_described(tab: Page, folder: Path) -> None:
    tab.goto((folder / "one.html").as_uri())
    picture = tab.get_by_role("group", name="Scam call to +8613900000055")
    assert picture.count() == 1
    assert "No transfer to a new account is known" in (picture.locator("desc").text_content() or "")
