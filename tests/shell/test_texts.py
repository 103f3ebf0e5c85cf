"""Texts in a scan: which become alerts, in any order, interrupted or not, and with the flood they belong to."""

import json
import random
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tests.shell.records import SMALL, town, write

from ringfence.detect.extortion_text import NAME
from ringfence.ingest import _lines
from ringfence.ingest.format import Chunk, Settings
from ringfence.model.alert import rfc3339
from ringfence.model.numbers import Names, NumberPlan
from ringfence.model.tables import TEXTS
from ringfence.shell.scan import Options, OptionsError, Scan
from ringfence.shell.texts import NO_RECIPIENT, TextBook

EPOCH = 1_767_225_600_000_000  # 2026-01-01
HOUR = 3_600_000_000
DAY = 24 * HOUR
LINE, SENDER = "+8613800000001", "+8613900000009"
DEMAND = "500元打到6222020200112233445，今晚8点前，不然打爆你电话"
Row = tuple[int, str | None, str | None, str | None]


def texts_file(path: Path, rows: list[Row]) -> Path:
    """Texts as JSON Lines: (µs after EPOCH, sender, recipient, body)."""
    names = ("time", "sender", "recipient", "body")
    lines = [json.dumps(dict(zip(names, (rfc3339(EPOCH + at), *rest), strict=True))) for at, *rest in rows]
    path.write_text("".join(line + "\n" for line in lines), "utf-8")
    return path


def scan(files: list[Path], out: Path, **options: Any) -> list[dict[str, Any]]:
    settings = Settings(timezone="Asia/Shanghai")
    Scan(Options(files, out, settings=settings, **(SMALL | {"detect": (NAME,)} | options))).run()
    return [json.loads(line) for line in (out / "alerts.jsonl").read_text("utf-8").splitlines()]


def test_a_demand_becomes_an_alert_in_the_form_of_the_contract(tmp_path: Path) -> None:
    rows: list[Row] = [
        (HOUR, SENDER, LINE, DEMAND), (2 * HOUR, SENDER, LINE, None), (3 * HOUR, SENDER, LINE, "晚上一起吃饭吗"),
    ]  # fmt: skip
    (found,) = scan([texts_file(tmp_path / "texts.jsonl", rows)], tmp_path / "out")
    assert (found["kind"], found["subject"], found["call_id"]) == (NAME, LINE, None)
    assert found["raised_at"] == rfc3339(EPOCH + HOUR)
    assert found["case"] == found["alert_id"]
    assert found["demand"] == {
        "amount": 500, "currency": "CNY", "account": "6222020200112233445", "account_kind": "bank card", "deadline": "今晚8点前",
        "deadline_at": "2026-01-01T12:00:00.000000Z",
    }  # fmt: skip
    assert {name: DEMAND[slice(*place)] for name, place in found["places"].items()} == {
        "amount": "500元", "account": "6222020200112233445", "deadline": "今晚8点前", "threat": "打爆"
    } | {"threat": DEMAND[slice(*found["places"]["threat"])]}  # fmt: skip
    assert sum(entry["bits"] for entry in found["ledger"]) == pytest.approx(found["bits"], abs=0.1)
    said = (tmp_path / "out" / "alerts.jsonl").read_text("utf-8")
    assert "打爆" not in said
    (row,) = pq.read_table(tmp_path / "out" / "alerts.parquet").to_pylist()
    assert row["demand"]["amount"] == 500
    assert row["places"]["amount"] == found["places"]["amount"]
    page = (tmp_path / "out" / "report.html").read_text("utf-8")
    assert '<mark class="m-amount">500元</mark>' in page


def test_the_same_demand_told_again_is_the_same_alert(tmp_path: Path) -> None:
    rows: list[Row] = [
        (HOUR, SENDER, LINE, "500元，不然打爆你电话，全家都别想安生"),
        (DAY, "+8613900000010", LINE, DEMAND),
        (DAY, "+8613900000010", LINE, DEMAND),  # the same row twice
        (2 * DAY, SENDER, LINE, DEMAND.replace("500", "800")),
        (2 * DAY, SENDER, LINE, DEMAND.replace("6222", "6228")),
        (20 * DAY, SENDER, LINE, DEMAND),
    ]
    found = scan([texts_file(tmp_path / "texts.jsonl", rows)], tmp_path / "out")
    assert [(a["raised_at"][:10], a["calls"]) for a in found] == [
        ("2026-01-01", 3),
        ("2026-01-03", 1),
        ("2026-01-21", 1),
    ]
    assert found[0]["demand"]["account"] == "6222020200112233445", (
        "what the first did not name, the second told"
    )
    assert found[0]["demand"]["amount"] == 500
    assert found[0]["closed_at"] is not None
    assert found[2]["closed_at"] is None
    assert len({a["alert_id"] for a in found}) == 3


def many(rng: random.Random, count: int) -> list[Row]:
    lines = [f"+86138000000{n:02d}" for n in range(8)]
    bodies = [
        DEMAND,
        DEMAND.replace("500", "900"),
        DEMAND.replace("6222", "6228"),
        "500元，不然打爆你电话",
        "好的",
        None,
    ]
    return [(rng.randrange(20 * DAY), SENDER, rng.choice(lines), rng.choice(bodies)) for _ in range(count)]


def test_neither_order_nor_files_nor_repeats_matter(tmp_path: Path) -> None:
    rng = random.Random(1)
    rows = many(rng, 120)
    whole = scan([texts_file(tmp_path / "all.jsonl", sorted(rows, key=lambda row: row[0]))], tmp_path / "all")
    assert len(whole) > 10
    rng.shuffle(rows)
    parts = [texts_file(tmp_path / f"{n}.jsonl", [*rows[n::3], *rows[:10]]) for n in range(3)]
    assert scan(parts, tmp_path / "parts") == whole


def test_a_scan_stopped_anywhere_and_resumed_gives_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_lines, "BLOCK_BYTES", 2_000)
    rows = sorted(many(random.Random(2), 200), key=lambda row: row[0])
    files = [texts_file(tmp_path / "texts.jsonl", rows)]
    whole = scan(files, tmp_path / "whole")
    options = Options(
        files, tmp_path / "out", settings=Settings(timezone="Asia/Shanghai"), **(SMALL | {"detect": (NAME,)})
    )
    stops, finished = 0, False
    while not finished:
        asked = iter((False, True))
        result = Scan(options, resume=stops > 0).run(should_stop=lambda asked=asked: next(asked, True))  # type: ignore[misc]
        finished, stops = result.finished, stops + 1
    assert stops > 3
    assert [
        json.loads(line) for line in (tmp_path / "out" / "alerts.jsonl").read_text("utf-8").splitlines()
    ] == whole
    for name in ("alerts.jsonl", "rejected.jsonl"):
        assert (tmp_path / "out" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()


def test_a_flood_and_its_text_are_one_case_in_files_and_report(tmp_path: Path) -> None:
    calls = write(tmp_path / "calls.parquet", town())
    first = scan([calls], tmp_path / "floods", detect=("flood",))[0]
    assert first["case"] == first["alert_id"]
    at = pa.scalar(first["raised_at"]).cast(pa.timestamp("us", "UTC")).value - EPOCH
    sent = texts_file(tmp_path / "texts.jsonl", [(at + HOUR, SENDER, first["subject"], DEMAND)])
    found = scan([calls, sent], tmp_path / "out", detect=("flood", NAME))
    text = next(a for a in found if a["kind"] == NAME)
    assert text["case"] == first["alert_id"]
    page = (tmp_path / "out" / "report.html").read_text("utf-8")
    assert 'href="#flood-1">' in page
    assert page.count("6222020200112233445") >= 3, "in the text, its demand, and with the flood"


def test_in_a_flood_a_sum_and_an_account_are_a_demand_in_whatever_words(tmp_path: Path) -> None:
    calls = write(tmp_path / "calls.parquet", town())
    first = scan([calls], tmp_path / "floods", detect=("flood",))[0]
    at = pa.scalar(first["raised_at"]).cast(pa.timestamp("us", "UTC")).value - EPOCH
    strange = "六百块，6222020200112233445，让它唱个够还是歇一歇你看着选"
    friend = "借我600元周转，谢谢，卡6222020200112233445，下周还你"
    for n, (when, body, is_found) in enumerate(
        (
            (HOUR, strange, True),
            (-HOUR, strange, True),
            (8 * DAY, strange, False),
            (HOUR, friend, False),
            (-4 * DAY, strange, False),
        )
    ):
        other: Row = (at + when, SENDER, "+8613811112222", body)  # nobody floods this one
        sent = texts_file(tmp_path / f"{n}.jsonl", [(at + when, SENDER, first["subject"], body), other])
        found = [
            a for a in scan([calls, sent], tmp_path / f"out{n}", detect=("flood", NAME)) if a["kind"] == NAME
        ]
        assert [a["subject"] for a in found] == [first["subject"]] * is_found, n
        for alert in found:
            assert alert["raised_at"] == max(rfc3339(EPOCH + at + when) or "", first["raised_at"])
            assert "flooded" in alert["ledger"][-1]["what"]
            assert alert["case"] == first["case"]


def test_rows_that_cannot_be_used_are_put_aside(tmp_path: Path) -> None:
    path = tmp_path / "texts.csv"
    path.write_text(
        f"time,sender,recipient,body\n2026-01-02T00:00:00Z,{SENDER},anonymous,{DEMAND.replace('，', ' ')}\n",
        "utf-8",
    )
    assert scan([path], tmp_path / "out") == []
    rejected = (tmp_path / "out" / "rejected.jsonl").read_text("utf-8")
    assert json.loads(rejected)["reason"] == NO_RECIPIENT


def test_a_scan_that_was_not_asked_for_texts_counts_them(tmp_path: Path) -> None:
    path = texts_file(tmp_path / "texts.jsonl", [(HOUR, SENDER, LINE, DEMAND)])
    assert scan([path], tmp_path / "out", detect=("flood",)) == []
    with pytest.raises(OptionsError, match="known are extortion_text, flood"):
        scan([path], tmp_path / "other", detect=("nosuch",))


def book() -> TextBook:
    return TextBook(None, NumberPlan.of("CN"), "Asia/Shanghai")


def read(texts: TextBook, at: int, body: str = DEMAND, line: str = LINE) -> None:
    rows = [{"time": EPOCH + at, "sender": SENDER, "recipient": line, "body": body}]
    batch = pa.RecordBatch.from_pylist(rows, TEXTS)
    texts.take(Chunk(batch, np.arange(1), 1, table="texts"), Names())


def test_what_is_over_is_let_go_of_and_what_goes_on_is_not() -> None:
    texts = book()
    for day in range(0, 30, 5):  # one demand, told again and again
        read(texts, day * DAY)
    read(texts, 0, line="+8613800000002")
    (one, other) = sorted(
        alert.alert_id for alert in texts.new() if alert.subject in {LINE, "+8613800000002"}
    )
    now = EPOCH + 26 * DAY
    texts.forget(now, now - 6 * DAY)
    (story,) = texts.stories(now)
    assert story.alert.subject == LINE
    assert story.alert.episodes[0].calls == 6
    assert story.alert.alert_id in {one, other}
    assert texts.new() == []
    read(texts, 26 * DAY)
    assert texts.new() == [], "it is the same alert"
    texts.forget(EPOCH + 90 * DAY, EPOCH + 84 * DAY)
    assert texts.stories(EPOCH + 90 * DAY) == []
    assert texts.as_json()[1] == []


def test_what_could_be_a_demand_in_a_flood_is_kept_as_long_as_one_may_come() -> None:
    texts = book()
    read(texts, 0, "500元 6222020200112233445")
    before = len(texts.as_json()[1])
    texts.forget(EPOCH + DAY, EPOCH - 5 * DAY)
    assert len(texts.as_json()[1]) == before
    texts.forget(EPOCH + 7 * DAY, EPOCH + DAY)
    assert texts.as_json()[1] == []
