import re
from html.parser import HTMLParser
from importlib.resources import files
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.desk.alerts import BEGAN, MINUTE, demanding, forging, held, ringing, stored

from ringfence.desk import live, pictures, render
from ringfence.desk.told import story_of, translated
from ringfence.desk.words import CLASSES, LABELS, STATES, STATUSES
from ringfence.detect.detectors import DETECTORS
from ringfence.model import verdicts
from ringfence.model.caller_class import NAMES
from ringfence.report.calls import calls_of
from ringfence.report.labels import LABELS as REPORT
from ringfence.report.style import PICTURES, sheet
from ringfence.report.words import Clock
from ringfence.shell.service.metrics import STATES as KNOWN_STATES
from ringfence.shell.store.marks import STATUSES as KNOWN_STATUSES

CLOCK = Clock("Asia/Shanghai")
HOSTILE = (
    "<script>window.pwned=1</script>",
    '"><img src=x onerror="window.pwned=1">',
    "</svg><svg onload=window.pwned=1>",
    "{{ 7 * 7 }} ${alert(1)} `",
    "\u202etac\x00\x1b[31m",
    "&lt;b&gt;",
)
ANY = st.one_of(st.sampled_from(HOSTILE), st.text(max_size=80))
ALLOWED = {
    "a", "article", "b", "bdi", "circle", "dd", "defs", "desc", "div", "dl", "dt", "figcaption", "figure", "g", "h3", "li", "line",
    "p", "path", "rect", "small", "span", "strong", "svg", "table", "tbody", "td", "text", "th", "thead", "title", "tr", "tspan", "ul",
    "use",
}  # fmt: skip


class Tags(HTMLParser):
    """Finds tags and attributes that our templates do not write."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.strange: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in ALLOWED:
            self.strange.append(tag)
        self.strange += [
            name for name, value in attrs if name.startswith("on") or (value or "").startswith("javascript:")
        ]


def drawn(alert: Any, entries: Any, **more: Any) -> str:
    row = live.row_of(stored(alert, entries, **more), CLOCK, BEGAN + 30 * MINUTE, [stored(demanding())])
    return render.row(row) + render.detail(row, CLOCK)


# --- what a row tells ------------------------------------------------------------------------------------------------


def test_a_flood_tells_what_it_has_come_to() -> None:
    alert, entries = ringing(10)
    row = live.row_of(stored(alert, entries), CLOCK, BEGAN + 30 * MINUTE, [stored(demanding())])
    assert (row.calls, row.since, row.recognised, row.is_open) == (10, "10:00:00", 3, True)
    assert row.bits == 70.0  # not those at the alert: it has gone on
    assert row.probable == "> 99.9%"
    assert row.strip is not None
    assert sum(path.count("M") for _, path in row.strip.ticks) == 10
    assert row.demands[0].en == "500 yuan, to bank card 6222020000000000001, until 今晚8点"
    assert row.demands[0].zh == "500 元，收款银行卡 6222020000000000001，期限 今晚8点"


def test_a_row_of_yesterday_has_its_date() -> None:
    alert, entries = ringing(3)
    row = live.row_of(stored(alert, entries), CLOCK, BEGAN + 24 * 60 * MINUTE)
    assert row.since == "03-05 10:00"


def test_a_scam_call_tells_how_far_it_has_come_and_where_to_reach_the_person() -> None:
    row = live.row_of(stored(*held()), CLOCK, BEGAN + 30 * MINUTE)
    assert row.person is not None
    assert [(step.name, step.since, step.is_now) for step in row.person.steps] == [
        ("contact", "10:00:00", False), ("hand_over", "", False), ("grip", "10:12:00", True), ("isolation", "", False),
        ("payment", "", False),
    ]  # fmt: skip
    assert row.person.on_call
    assert (row.person.numbers, row.person.cell) == (("+8613800000002",), "cell-7")
    assert row.person.moved is not None
    assert row.person.moved.en == "5,000.5 yuan"
    assert "ask the bank to stop it" in render.row(row)


def test_the_ledger_grows_with_what_is_seen() -> None:
    before, after = (drawn(*ringing(calls)) for calls in (5, 6))
    assert before.count("接通 1 秒后即挂断") < after.count("接通 1 秒后即挂断")
    row = live.row_of(stored(*ringing(6)), CLOCK, None)
    since = live.since_alert(row.story, 4)
    assert since.all == 6  # of three calls, each seen twice
    assert [entry.total for entry in since.newest] == [42.0, 40.0, 35.0, 33.0]


def test_an_alert_survives_the_way_through_the_store() -> None:
    for alert, entries in (ringing(4), held()):
        told = story_of(alert.as_dict(), stored(alert, entries).observations)
        assert told.alert.as_dict() == alert.as_dict()
        assert [one.total for one in told.entries] == [one.total for one in entries]
        assert told.alert.hypothesis_zh == alert.hypothesis_zh


def test_what_is_no_longer_observed_is_told_by_the_document() -> None:
    alert, entries = ringing(30)
    row = live.row_of(stored(alert, entries[-10:]), CLOCK, None)
    assert [one.text_zh for one in row.story.alert.ledger][:2] == [
        "隐藏号码，距上一通 60 秒",
        "接通 1 秒后即挂断",
    ]
    assert row.story.alert.ledger[-1].total == 21.0
    html = render.detail(row, CLOCK)
    assert "The first calls" in html
    assert (
        html.count('<g class="mark') - html.count('<g class="mark p3"><use href="#h-dropped"/>') == 3
    )  # until the alert


def test_words_of_every_detector_are_found_again() -> None:
    for detector in DETECTORS:
        for code, (english, chinese) in detector.WORDS.items():
            if "{" in english:
                continue
            found, translation = translated(detector.NAME, english)
            same = [c for c, words in detector.WORDS.items() if words[0] == english]
            assert int(found) in map(int, same), (detector.NAME, english)
            assert translation == chinese or len(same) > 1, code


def test_figures_are_put_into_chinese_too() -> None:
    assert translated("flood", "stranger, 14 min 3 s after the last")[1] == "陌生号码，距上一通 14 分钟 3 秒"
    assert translated("flood", "what nobody says") == (0, "what nobody says")


# --- what is counted -------------------------------------------------------------------------------------------------


def test_forged_calls_are_counted_by_trunk_and_reason() -> None:
    one, other = (verdicts.words(code)[0] for code in sorted(verdicts.WORDS)[:2])
    alerts = [forging("TG1", one, 3, 1), forging("TG1", other, 1, 2), forging(None, one, 2, 3)]
    found = live.forged_of([alert.as_dict() for alert in alerts])
    assert found.calls == 6
    assert found.trunks == (("TG1", 4), (None, 2))
    assert [(why.en, n) for why, n in found.reasons] == [(one, 5), (other, 1)]
    assert all(why.zh != why.en for why, _ in found.reasons)


@given(st.integers(0, 2**52))
def test_a_day_begins_at_midnight_of_the_network(now: int) -> None:
    begin = live.midnight(CLOCK, now)
    assert 0 <= now - begin < 24 * 60 * MINUTE
    assert f"{CLOCK.at(begin):%H:%M:%S}" == "00:00:00" or begin < 0


# --- pictures --------------------------------------------------------------------------------------------------------


@given(st.integers(1, 400), st.integers(-20, 20))
def test_ticks_stay_within_their_picture(count: int, shift: int) -> None:
    _, entries = ringing(min(count, 60))
    found = pictures.strip(calls_of(entries), BEGAN + shift * MINUTE, BEGAN)
    assert found is not None
    for _, path in found.ticks:
        for tick in path.split("M")[1:]:
            place, y = tick.split("V")
            assert 0 <= float(place.split()[0]) <= pictures.WIDTH
            assert 0 <= float(y) <= pictures.STRIP_HEIGHT


@given(st.lists(st.floats(0, 1e9), max_size=300), st.integers(2, 200))
def test_a_curve_ends_at_the_right_and_never_leaves_its_picture(values: list[float], most: int) -> None:
    path = pictures.curve(values, most)
    if len(values) < 2:
        assert path == ""
        return
    points = [point.split() for point in path[1:].split("L")]
    assert float(points[-1][0]) == pytest.approx(pictures.WIDTH, abs=0.1)
    assert len(points) == min(len(values), most)
    assert all(0 <= float(y) <= pictures.CURVE_HEIGHT for _, y in points)


def test_a_rate_is_what_was_counted_in_the_seconds_before() -> None:
    samples = [(float(second), 50 * second) for second in range(30)]
    assert pictures.smoothed(samples, 10.0) == pytest.approx([50.0] * 29)
    assert pictures.smoothed(samples[:1], 10.0) == []


# --- the standing of a number ----------------------------------------------------------------------------------------


def seen(word: str, **more: Any) -> dict[str, Any]:
    """What a detector holds against a number, as the API tells it."""
    why = {"at": "2026-03-05T02:00:00.000000Z", "what": word, "what_zh": word, "bits": 1.0}
    found = {
        "kind": word,
        "state": "open",
        "bits": 12.0,
        "threshold": 9.0,
        "probability": 0.1,
        "why": [why] * 25,
    }
    return {**found, **more}


def standing(word: str, **more: Any) -> dict[str, Any]:
    nothing: dict[str, Any] = {"line": None, "caller": None, "alerts": [], "evidence": []}
    return {"number": word, "class": word, "as_of": "2026-03-05T02:00:00.000000Z", **nothing, **more}


def test_a_numbers_standing_is_told_in_words() -> None:
    line = {
        "last_call_at": "2026-03-05T01:00:00.000000Z",
        "known_a_day": 2.04,
        "strangers_a_day": 0.1,
        "withheld_a_day": 0.0,
    }
    evidence = [seen("flood"), seen("scam_call", stage="grip")]  # only a scam call has a stage
    html = render.standing(
        standing("+8613800000001", line=line, evidence=evidence) | {"class": "mobile"}, CLOCK
    )
    for words in (
        "a mobile",
        "手机号码",
        "2.0 calls by people it knows",
        "12.0 bits (threshold 9.0)",
        "stage: grip",
        "阶段：控制",
    ):
        assert words in html
    assert html.count("stage: ") == 1
    assert html.count("The newest 10 of 25 observations") == 2
    assert "Nothing is known of it yet" in render.standing(standing("+8613800000001"), CLOCK)


# --- nothing from outside becomes markup -----------------------------------------------------------------------------


@given(ANY, ANY, ANY)
def test_hostile_words_stay_words(subject: str, cell: str, other: str) -> None:
    flood = drawn(*ringing(4, subject), status=other, marked_at=BEGAN, marked_by=other, reason=subject)
    scam = drawn(*held(subject, cell), status="not_an_attack", marked_at=BEGAN, marked_by=cell, reason=other)
    text = stored(demanding(subject, other, None))
    shown = render.row(live.row_of(text, CLOCK, None))
    forged = render.forged(
        live.forged_of([forging(subject, cell).as_dict(), forging(other, subject).as_dict()])
    )
    for html in (flood, scam, shown, forged):
        assert Tags(html).strange == []
        assert "<script" not in html.lower()


@given(ANY)
def test_hostile_trouble_and_standing_stay_words(word: str) -> None:
    figures = live.Figures(word, (word,), None, 0.0, "", 0, None, None, 1, word, ((word, 1),), None)
    alert = {"kind": word, "subject": word, "raised_at": "2026-03-05T02:00:00.000000Z", "closed_at": None}
    told = standing(word, alerts=[alert], evidence=[seen(word), seen(word, stage=word)])
    for html in (render.figures(figures, CLOCK), render.standing(told, CLOCK)):
        assert Tags(html).strange == []


# --- words -----------------------------------------------------------------------------------------------------------


def test_the_desk_has_words_of_its_own_for_everything() -> None:
    assert not LABELS.keys() & REPORT.keys()
    assert set(CLASSES) == set(NAMES)
    assert set(STATUSES) == set(KNOWN_STATUSES)
    assert set(STATES) == set(KNOWN_STATES)
    for key, both in LABELS.items():
        fields = [{part.split("}")[0] for part in text.split("{")[1:]} - {"n", "nth"} for text in both]
        assert fields[0] == fields[1], key


def test_the_desks_own_rules_leave_the_pictures_alone() -> None:
    """Both style sheets are on one page: the desk names nothing of its own as a picture does."""
    drawn_with, own = (set(re.findall(r"\.([a-z][\w-]*)", re.sub(r"\{[^}]*\}", " ", css))) for css in (
        sheet(PICTURES), (files("ringfence.desk") / "templates" / "desk.css").read_text("utf-8")))  # fmt: skip
    assert drawn_with & own <= {"letter", "new"}
