"""Alerts as the store has them, made up for the tests of the desk."""

from typing import Any

from ringfence.detect import flood, scam_call
from ringfence.model.alert import Alert, Demand, Episode, LedgerEntry, Payment, Victim
from ringfence.shell.service.changes import observed
from ringfence.shell.store.alerts import StoredAlert

BEGAN = 1_772_676_000_000_000  # 5 March 2026, 02:00 UTC
MINUTE = 60_000_000


def stored(alert: Alert, entries: list[LedgerEntry] | None = None, **marks: Any) -> StoredAlert:
    said = {
        "status": "new",
        "version": 0,
        "label": None,
        "reason": None,
        "marked_at": None,
        "marked_by": None,
    }
    return StoredAlert(alert.as_dict(), [observed(one) for one in entries or []], **{**said, **marks})


def ringing(calls: int, subject: str = "+8613800000001") -> tuple[Alert, list[LedgerEntry]]:
    """A flood: a withheld call a minute that is dropped at once; recognised at the third."""
    entries: list[LedgerEntry] = []
    total = 0.0
    for n in range(calls):
        at = BEGAN + n * MINUTE
        seen = [
            (
                at,
                flood.WITHHELD_SOON,
                60.0,
                "withheld number, 60 s after the last",
                "隐藏号码，距上一通 60 秒",
                5.0,
            )
        ]
        seen.append(
            (
                at + 9_000_000,
                flood.CALL_DROPPED,
                1.0,
                "dropped 1 s after the answer",
                "接通 1 秒后即挂断",
                2.0,
            )
        )
        for when, what, value, english, chinese, bits in seen:
            total += bits
            entries.append(LedgerEntry(when, f"c{n}", None, int(what), value, english, chinese, bits, total))
    raised = BEGAN + 2 * MINUTE + 9_000_000
    alert = Alert(
        kind="flood", subject=subject, raised_at=raised, call_id="c2", bits=21.0, probability=0.95, hypothesis="hang up",
        hypothesis_zh="接通即挂", ledger=[one for one in entries if one.at <= raised],
        episodes=[Episode(raised, "c2", BEGAN, entries[-1].at, calls=calls, calls_at_alert=3)], case="flood-1",
    )  # fmt: skip
    return alert, entries


def held(
    subject: str = "+8613800000002", cell: str = "cell-7", **more: Any
) -> tuple[Alert, list[LedgerEntry]]:
    """A scam call in the grip."""
    entries = [
        LedgerEntry(BEGAN + MINUTE, "s1", "+85255500001", int(scam_call.ABROAD_RINGS), 60.0, "a stranger from abroad, on the line for 60 s",
                    "境外陌生号码来电，已通话 60 秒", 3.0, 3.0, cell),
        LedgerEntry(BEGAN + 12 * MINUTE, "s1", "+85255500001", int(scam_call.ON_LINE), 720.0, "still on the line after 12 min",
                    "通话已持续 12 分钟，仍未挂断", 9.0, 12.0, cell),
    ]  # fmt: skip
    victim = Victim(
        stage="grip", stages={"contact": BEGAN, "grip": BEGAN + 12 * MINUTE}, numbers=[subject], cell=cell, on_call=True,
        grip_began_at=BEGAN, payments=[Payment(BEGAN + 20 * MINUTE, 5000.5, True)], currency="CNY", missing=["callee_cell"],
    )  # fmt: skip
    alert = Alert(
        kind="scam_call", subject=subject, raised_at=BEGAN + 12 * MINUTE, call_id="s1", bits=12.0, probability=0.93,
        hypothesis="callers abroad", hypothesis_zh="境外来电", ledger=entries,
        episodes=[Episode(BEGAN + 12 * MINUTE, "s1", BEGAN, BEGAN + 12 * MINUTE, calls=1, calls_at_alert=1)], victim=victim,
        **more,
    )  # fmt: skip
    return alert, entries


def demanding(
    account: str = "6222020000000000001", deadline: str = "今晚8点", case: str | None = "flood-1"
) -> Alert:
    """A text that demands money."""
    entry = LedgerEntry(
        BEGAN, "", "+8613800000009", 3, 0.0, "demands payment (characters 1 to 4)", "", 6.0, 6.0
    )
    return Alert(
        kind="extortion_text", subject="+8613800000001", raised_at=BEGAN, call_id="", bits=6.0, probability=0.8,
        hypothesis="pay or it goes on", hypothesis_zh="不付钱就继续：敲诈勒索", ledger=[entry], text_id="0123456789abcdef",
        demand=Demand(500.0, "CNY", account, "bank card", deadline), case=case,
    )  # fmt: skip


def forging(trunk: str | None, what: str, calls: int = 1, number: int = 1) -> Alert:
    """A forged caller id."""
    entry = LedgerEntry(BEGAN, "f1", f"+8610000{number:04}", 1, 0.0, what, "", 20.0, 20.0)
    return Alert(
        kind="forged_caller", subject=f"+8610000{number:04}", raised_at=BEGAN + number, call_id=f"f{number}", bits=20.0,
        probability=1.0, hypothesis="impossible number", hypothesis_zh="不可能的号码", ledger=[entry], trunk=trunk,
        episodes=[Episode(BEGAN, "f1", BEGAN, BEGAN, calls=calls, calls_at_alert=1)], callee="+8613800000003",
    )  # fmt: skip
