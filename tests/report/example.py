"""Invented scans: floods as the detector tells them, without the detector."""

import random
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

from ringfence.detect import flood
from ringfence.detect.evidence import threshold_bits
from ringfence.model.alert import Alert, Episode, LedgerEntry
from ringfence.report.page import render
from ringfence.report.story import SourceFile, Story, Summary
from ringfence.report.words import duration

SECOND = 1_000_000
HOUR = 3600 * SECOND
DAY = 24 * HOUR
BEGIN = int(datetime(2026, 3, 5, 2, 9, 3, tzinfo=UTC).timestamp()) * SECOND
THRESHOLD = threshold_bits(flood.FALSE_ALARMS, flood.STARTS)
WATCHED = THRESHOLD - flood.WATCH_BITS
ENDS = (
    (flood.CALL_DROPPED, 2.5, (0.4, 2.9)),
    (flood.RANG_OUT, 0.8, (20.0, 58.0)),
    (flood.RANG_ONCE, 1.5, (2.0, 6.0)),
    (flood.LINGERED, 0.3, (3.2, 8.0)),
    (flood.ENGAGED, 0.3, (0.5, 1.5)),
)
SHARES = (60, 18, 14, 4, 4)


class Writer:
    """Writes the entries of a line, call by call."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.entries: list[LedgerEntry] = []
        self.total = 0.0
        self.haste = 0.0
        self.made = 0

    def number(self) -> str | None:
        kind = self.random.random()
        if kind < 0.3:
            return None
        if kind < 0.85:
            return f"+861{self.random.choice('35789')}{self.random.randrange(10**9):09}"
        start, digits = self.random.choice((("+8625", 8), ("+852", 8), ("+44207946", 4), ("+1212555", 4)))
        return start + "".join(self.random.choices("23456789", k=digits))

    def see(self, at: int, caller: str | None, what: int, value: float, bits: float) -> None:
        self.total = max(self.total + bits, 0.0)
        en, zh = flood.WORDS[what]
        words = duration(value)
        self.entries.append(
            LedgerEntry(
                at,
                f"c{self.made}",
                caller,
                what,
                value,
                en.format(words.en),
                zh.format(words.zh),
                bits,
                self.total,
            )
        )

    def call(self, at: int, gap: float | None, caller: str | None = "", end: int | None = None) -> None:
        self.made += 1
        shown = self.number() if caller == "" else caller
        withheld = shown is None
        if gap is None:
            what = flood.FIRST_WITHHELD if withheld else flood.FIRST_STRANGER
            self.see(at, shown, what, 0.0, 3.0 if withheld else 0.3)
        else:
            full = max(5.5 - gap / 120, 0.5)
            gain = min(full, max(14.0 - self.haste, 0.0)) + 0.1 * max(full - max(14.0 - self.haste, 0.0), 0.0)
            self.haste += full
            self.see(at, shown, flood.WITHHELD_SOON if withheld else flood.STRANGER_SOON, gap, gain)
        self.finish(at, shown, end)

    def finish(self, at: int, shown: str | None, end: int | None) -> None:
        place = self.random.choices(range(len(ENDS)), SHARES)[0] if end is None else end
        if place == len(ENDS):
            self.see(at + 64 * SECOND, shown, flood.TALKED, 60.0, -8.0)
            return
        what, bits, (low, high) = ENDS[place]
        value = self.random.uniform(low, high)
        ringing = self.random.uniform(2, 9) if what == flood.CALL_DROPPED else 0.0
        self.see(at + int((value + ringing) * SECOND), shown, what, value, bits)


def story(
    episodes: Sequence[tuple[int, Sequence[float]]],
    subject: str = "+8613800000001",
    seed: int = 1,
    talk_at: int | None = None,
    open_end: bool = False,
) -> Story:
    """A flood: for each episode when it begins, and the gaps between its calls in s."""
    writer = Writer(seed)
    made: list[Episode] = []
    ledger: list[LedgerEntry] = []
    bits = 0.0
    for begin, gaps in episodes:
        first, at = len(writer.entries), begin
        writer.total = writer.haste = 0.0
        writer.call(at, None)
        for i, gap in enumerate(gaps):
            at += int(gap * SECOND)
            writer.call(at, gap, end=len(ENDS) if i == talk_at else None)
        part = sorted(writer.entries[first:], key=lambda entry: entry.at)
        writer.entries[first:] = part = again(part)
        bar = WATCHED if made else THRESHOLD
        passed = next(i for i, entry in enumerate(part) if entry.total >= bar)
        decided = part[passed]
        closed = None if open_end and begin == episodes[-1][0] else at + 30 * 60 * SECOND
        made.append(
            Episode(decided.at, decided.call_id, begin, at, closed, 1800.0 if closed else None, len(gaps) + 1)
        )
        if not ledger:
            ledger, bits = part[max(passed - 23, 0) : passed + 1], decided.total
    alert = Alert(
        "flood", subject, made[0].raised_at, made[0].call_id, bits, 1 / (1 + 2 ** (13 - bits)), "hang up", "接通即挂",
        ledger, made,
    )  # fmt: skip
    return Story(alert, writer.entries)


def again(entries: Sequence[LedgerEntry]) -> list[LedgerEntry]:
    """The same entries with their sums made anew, in order of time."""
    total, made = 0.0, []
    for e in entries:
        total = max(total + e.bits, 0.0)
        made.append(LedgerEntry(e.at, e.call_id, e.caller, e.what, e.value, e.text, e.text_zh, e.bits, total))
    return made


def short(subject: str = "+8613800000001") -> Story:
    return story([(BEGIN, (42.0, 55.0, 38.0, 61.0, 47.0))], subject, seed=4)


def weekend() -> Story:
    """The salesman: 16 calls in ten minutes, then one every one to two minutes for two days."""
    chance = random.Random(2)
    gaps = [37.0] * 15 + [chance.uniform(60, 120) for _ in range(1985)]
    return story([(BEGIN, gaps)], "+8613800000002", seed=2, talk_at=6)


def returned() -> Story:
    chance = random.Random(3)
    first = [chance.expovariate(1 / 80) + 5 for _ in range(90)]
    second = [chance.expovariate(1 / 140) + 5 for _ in range(60)]
    return story(
        [(BEGIN + 3 * HOUR, first), (BEGIN + 2 * DAY + 9 * HOUR, second)],
        "+8613800000003",
        seed=3,
        open_end=True,
    )


def many(floods: int, seed: int = 5, most: int = 160) -> list[Story]:
    chance = random.Random(seed)
    made = []
    for i in range(floods):
        begin = BEGIN + int(chance.uniform(0, 20) * DAY)
        gaps = [chance.expovariate(1 / 90) + 4 for _ in range(chance.randrange(20, most))]
        made.append(story([(begin, gaps)], f"+86139{10000000 + 137 * i}", seed=i))
    return sorted(made, key=lambda one: one.alert.raised_at)


def summary(finished: bool = True, calls: int = 1_204_331, timezone: str = "Asia/Shanghai") -> Summary:
    return Summary(
        files=[
            SourceFile("march/calls-2026-03.parquet", "parquet", 1_180_412, 1_180_401, 11),
            SourceFile("march/Master.csv", "asterisk_csv", 23_944, 23_930, 14),
        ],
        calls=calls,
        lines=8_113,
        first=BEGIN - 4 * DAY,
        last=BEGIN + 24 * DAY,
        rejected={"start_time is missing": 14, "callee is neither text nor a whole number": 11},
        notes={"repeated": 312, "dst_gap": 4, "something_new": 2},
        seconds=1.84,
        timezone=timezone,
        finished=finished,
    )


def empty() -> Summary:
    return Summary(files=[], calls=0, lines=None, first=None, last=None)


@cache
def pages() -> dict[str, str]:
    """Every kind of page, by name."""
    return {
        "three": "".join(render(summary(), [short(), weekend(), returned()])),
        "none": "".join(render(summary(), [])),
        "empty": "".join(render(empty(), [])),
        "interrupted": "".join(render(summary(finished=False), [short()])),
        "crowd": "".join(render(summary(), many(41, most=22))),
    }


def write(folder: Path) -> None:
    """Write them all, to be looked at."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in pages().items():
        (folder / f"{name}.html").write_text(text, "utf-8")
