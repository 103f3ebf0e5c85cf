"""Invented scam calls, as the detector tells them, without the detector."""

import random
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

from tests.report import example

from ringfence.detect import scam_call as seen
from ringfence.detect.memory import SAME_PHONE
from ringfence.model.alert import Alert, Demand, Episode, LedgerEntry
from ringfence.report.page import render
from ringfence.report.story import Story
from ringfence.report.words import duration
from ringfence.respond.victim import victim_of

SECOND = 1_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR
PERSON = "+8613900000055"
OFFICIAL, POLICE = "+8621000000110", "+85200000001"
COLUMNS = ("ingress", "callee_cell", "callee_device", "caller_device", "released_by", "transfers")


def at(hour: int, minute: int = 0, day: int = 14) -> int:
    """A time in Shanghai, November 2026, µs."""
    return int(datetime(2026, 11, day, hour, minute, tzinfo=UTC).timestamp()) * SECOND - 8 * HOUR


class Day:
    """Writes what is seen of a person."""

    def __init__(self, cells: bool = True) -> None:
        self.entries: list[LedgerEntry] = []
        self.made = 0
        self.cells = cells
        self.cell: str | None = "460-00-6212-1"

    def see(
        self,
        time: int,
        what: int,
        value: float,
        bits: float,
        caller: str | None = None,
        call_id: str | None = None,
    ) -> None:
        en, zh = seen.WORDS[what]
        figures = (value, value) if what in seen.SUMS else duration(value)
        self.entries.append(
            LedgerEntry(
                at=time, call_id=f"c{self.made}" if call_id is None else call_id, caller=caller, what=int(what), value=value,
                text=en.format(figures[0]), text_zh=zh.format(figures[1]), bits=bits, total=0.0,
                cell=self.cell if self.cells and what not in seen.SUMS else None,
                other="+8613900000056" if what == seen.OTHER_NUMBER else None,
                link=SAME_PHONE if what == seen.OTHER_NUMBER else 0,
                currency="CNY" if what in seen.SUMS else None,
            )
        )  # fmt: skip

    def call(
        self,
        begin: int,
        minutes: float,
        caller: str | None,
        *first: tuple[int, float, float],
        end: int | None = seen.CALLER_LEFT,
    ) -> None:
        """A call that holds the person; `first`: what is seen in its first minute: code, value, bits."""
        self.made += 1
        for what, value, bits in first:
            self.see(begin + MINUTE, what, value, bits, caller)
        for n in (2, 3, 5, 7, 10, 15, 20, 30, 45, 60, 90, 120, 180, 240, 300):
            if n < minutes:
                self.see(begin + n * MINUTE, seen.ON_LINE, n * 60.0, 0.9, caller)
        if end is not None:
            self.see(begin + int(minutes * MINUTE), end, minutes * 60, 0.2, caller)

    def missed(self, time: int, friend: str = "+8613700000001") -> None:
        self.see(time, seen.NOT_REACHED, 0.0, 0.3, friend, call_id=f"m{time}")

    def pays(self, time: int, amount: float, what: int = seen.PAYS_NEW) -> None:
        self.see(time, what, amount, 3.0, call_id="")

    def story(
        self,
        raised_at: Sequence[int],
        *,
        open_end: bool = False,
        missing: Sequence[str] = (),
        watch: bool = False,
        case: str | None = None,
        subject: str = PERSON,
    ) -> Story:
        total, entries = 0.0, []
        for e in sorted(self.entries, key=lambda one: one.at):
            total += e.bits
            entries.append(replace(e, total=total))
        ledger = [entry for entry in entries if entry.at <= raised_at[0]]
        last = entries[-1].at
        episodes = [
            Episode(
                raised,
                ledger[-1].call_id,
                entries[0].at,
                last,
                None if open_end else last + DAY,
                None,
                self.made,
            )
            for raised in raised_at
        ]
        alert = Alert(
            "scam_call", subject, raised_at[0], ledger[-1].call_id, ledger[-1].total, 0.93, "callers abroad", "境外来电",
            ledger, episodes, case=case,
        )  # fmt: skip
        alert.victim = victim_of(subject, entries, missing=missing, watch=watch)
        return Story(alert, entries)


def chen() -> Story:
    """Mr Chen, 55: he left home in the morning; found in a hotel, about to transfer."""
    day = Day()
    day.call(at(9, 12), 14, OFFICIAL, (seen.FORGED_RINGS, 60.0, 5.0))
    day.call(at(9, 31), 52, POLICE, (seen.PUT_THROUGH, 300.0, 3.0))
    day.missed(at(9, 50))
    day.cell = "460-00-7731-2"
    day.call(at(10, 44), 175, POLICE, (seen.SAME_AGAIN, 1260.0, 1.0), (seen.NEW_CELL, 0.0, 1.0))
    for minutes in (0, 31, 58, 64):
        day.missed(at(11, 20) + minutes * MINUTE)
    day.call(at(13, 47), 118, POLICE, (seen.SAME_AGAIN, 480.0, 1.0))
    day.see(at(15, 49), seen.RINGS_BANK, 0.0, 2.5, PERSON, call_id="b")
    day.call(at(15, 55), 41, POLICE, (seen.SAME_AGAIN, 600.0, 0.8), end=seen.PERSON_LEFT)
    day.see(at(16, 52), seen.TALKS, 0.0, -1.0, "+8613700000001", call_id="t")
    return day.story([at(14, 32)], case="case-1")


def short() -> Story:
    """Half an hour from the first ring to the transfer."""
    day = Day()
    day.call(at(20, 3), 6, None, (seen.UNNAMED_RINGS, 60.0, 4.0))
    day.call(at(20, 11), 22, POLICE, (seen.PUT_THROUGH, 120.0, 4.0), end=seen.BROKE_OFF)
    day.pays(at(20, 31), 9_900.0)
    return day.story([at(20, 26)], watch=True, subject="+8613900000060")


def still_up() -> Story:
    day = Day()
    day.call(at(9), 12, OFFICIAL, (seen.ABROAD_RINGS, 60.0, 5.0))
    day.call(at(9, 20), 100, POLICE, (seen.PUT_THROUGH, 480.0, 3.0), end=None)
    return day.story([at(9, 50)], open_end=True, subject="+8613900000061")


def second_number() -> Story:
    """A second number in the same phone, and transfers before and after the alert."""
    day = Day()
    day.call(at(8, 30), 25, OFFICIAL, (seen.FIRM_RINGS, 60.0, -2.0))
    day.call(at(9, 5), 70, POLICE, (seen.OTHER_NUMBER, 1500.0, 4.0), (seen.PUT_THROUGH, 600.0, 3.0))
    day.pays(at(9, 40), 20_000.0)
    for minutes, amount in ((0, 50_000.0), (4, 49_999.99), (9, 120_000.0), (30, 3_500.5)):
        day.pays(at(11) + minutes * MINUTE, amount)
    day.pays(at(11, 12), 300.0, seen.PAYS_KNOWN)
    day.call(at(10, 40), 95, POLICE, (seen.SAME_AGAIN, 1500.0, 1.0))
    return day.story([at(9, 52)], subject="+8613900000062")


def three_days() -> Story:
    """40 calls, nights between them, a hotel on the second day; it was recognised, ended and returned."""
    chance = random.Random(8)
    day = Day()
    for date, calls in ((14, 13), (15, 14), (16, 13)):
        time = at(9, chance.randrange(30), day=date)
        day.cell = "460-00-6212-1" if date == 14 else "460-00-9-HOTEL"
        for i in range(calls):
            length = chance.choice((1.5, 4, 8, 18, 33, 61))
            fresh = [] if day.made else [(seen.BOX_RINGS, 60.0, 4.0)]
            again = [(seen.SAME_AGAIN, 700.0, 0.6)] if day.made else []
            moved = [(seen.NEW_CELL, 0.0, 1.0)] if date == 15 and i == 0 else []
            day.call(time, length, POLICE if i % 3 else OFFICIAL, *fresh, *again, *moved)
            time += int((length + chance.uniform(4, 25)) * MINUTE)
            if i % 5 == 4:
                day.missed(time)
    day.pays(at(14, 5, day=16), 88_000.0)
    day.pays(at(14, 9, day=16), 12_000.0)
    return day.story([at(11, 40), at(10, 0, day=16)], subject="+8613900000063")


def bare() -> Story:
    """Records that tell only who rang whom, when and for how long."""
    day = Day(cells=False)
    day.call(at(9, 12), 8, OFFICIAL, (seen.ABROAD_RINGS, 60.0, 5.0), end=seen.BROKE_OFF)
    day.call(at(14, 2), 64, POLICE, (seen.PUT_THROUGH, 17_000.0, 3.0), end=seen.BROKE_OFF)
    return day.story([at(14, 40)], missing=COLUMNS, subject="+8613900000064")


def text() -> Story:
    """A text of the same case as Mr Chen's calls."""
    raised = at(17)
    body = "请将50000元转至安全账户6222020000000000"
    entry = LedgerEntry(raised, "", "+8617000000001", 1, 0.0, "words", "字", 6.0, 6.0)
    alert = Alert(
        "extortion_text", PERSON, raised, "", 9.0, 0.97, "safe account", "安全账户", [entry],
        [Episode(raised, "", raised, raised, None, None, 1)], case="case-1", text_id="0" * 16,
        demand=Demand(50_000.0, "CNY", "6222020000000000", "bank card"),
    )  # fmt: skip
    return Story(alert, [], text=body)


@cache
def pages() -> dict[str, str]:
    """Pages with scam calls, by name."""
    everyone = [chen(), short(), still_up(), second_number(), three_days(), bare()]
    return {
        "scams": "".join(render(example.summary(), [*everyone, text()])),
        "one": "".join(render(example.summary(), [chen()])),
        "bare": "".join(render(example.summary(), [bare(), example.short()])),
    }


def write(folder: Path) -> None:
    """Write them all, to be looked at."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, page in pages().items():
        (folder / f"{name}.html").write_text(page, "utf-8")
