"""Alerts as the store keeps them, told as stories again, so that the report's pictures can be drawn of them.

A stored alert is a document in the form of the contract, with its newest observations beside it. The ledger in the document is in
English only; observations have both languages. What the observations no longer hold is translated back by the words of its detector.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from ringfence.detect.detectors import DETECTORS
from ringfence.detect.text_detectors import TEXT_DETECTORS
from ringfence.model.alert import EARLIER, Alert, Demand, Episode, LedgerEntry, Payment, Victim
from ringfence.report.story import Story
from ringfence.report.words import Both
from ringfence.shell.store.alerts import microseconds

Document = Mapping[str, Any]

_ALL: Final = (*DETECTORS, *TEXT_DETECTORS)
_UNITS: Final = {"d": "天", "h": "小时", "min": "分钟", "s": "秒"}
_SPAN: Final = re.compile(r"(?<=\d) (d|h|min|s)\b")
_PLACE: Final = re.compile(r"(?P<words>.*) \(characters (?P<first>\d+) to (?P<last>\d+)\)", re.DOTALL)
_FIELD: Final = re.compile(r"\{[^}]*\}")


def title_of(kind: str) -> Both:
    """What a kind of alert is called; one of another program stands for itself."""
    return next((Both(*one.TITLE) for one in _ALL if kind == one.NAME), Both(kind, kind))


def form_of(kind: str, hypothesis: str | None) -> Both:
    """Which form of the crime."""
    forms = (form for one in _ALL if kind == one.NAME for form in one.HYPOTHESES)
    return next(
        (Both(*form) for form in forms if form[0] == hypothesis), Both(hypothesis or "", hypothesis or "")
    )


def prior_of(kind: str) -> float:
    """Bits against it before anything is seen."""
    return next((float(one.PRIOR_BITS) for one in _ALL if kind == one.NAME), 0.0)


@dataclass(frozen=True, slots=True)
class _Known:
    """Words of a detector: its code, what they look like in English, and the Chinese with places for figures."""

    code: int
    pattern: re.Pattern[str]
    chinese: str


@cache
def _vocabulary(kind: str) -> tuple[_Known, ...]:
    found = []
    for one in _ALL:
        if kind != one.NAME:
            continue
        for code, (english, chinese) in one.WORDS.items():
            pieces = [re.escape(piece) for piece in _FIELD.split(english)]
            found.append(_Known(int(code), re.compile("(.+?)".join(pieces), re.DOTALL), chinese))
    return tuple(found)


def translated(kind: str, english: str) -> tuple[int, str]:
    """The code of an observation that is told in English, and its Chinese; unknown words stay as they are, with code 0."""
    if place := _PLACE.fullmatch(english):
        code, chinese = translated(kind, place["words"])
        return code, f"{chinese}（第 {place['first']} 至 {place['last']} 字）"
    for known in _vocabulary(kind):
        if match := known.pattern.fullmatch(english):
            return known.code, _filled(known.chinese, match.groups())
    return EARLIER, english


def _filled(words: str, figures: Sequence[str]) -> str:
    """Words with figures, whose units are put into Chinese."""
    chinese = iter([_SPAN.sub(lambda unit: f" {_UNITS[unit[1]]}", figure) for figure in figures])
    return _FIELD.sub(lambda _: next(chinese, ""), words)


def story_of(document: Document, observations: Sequence[Document] = ()) -> Story:
    """An alert with all that is kept of it.

    Args:
        document: in the form of the contract.
        observations: as `shell.service.changes.observed` made them, in order.
    """
    kind = str(document["kind"])
    currency = (document.get("money") or {}).get("currency")
    entries = [_observed(one, currency) for one in observations]
    raised = microseconds(document["raised_at"]) or 0
    return Story(
        Alert(
            kind=kind,
            subject=str(document["subject"]),
            raised_at=raised,
            call_id=document.get("call_id") or "",
            bits=float(document["bits"]),
            probability=float(document["probability"]),
            hypothesis=document.get("hypothesis") or "",
            hypothesis_zh=form_of(kind, document.get("hypothesis")).zh,
            ledger=_ledger(kind, document.get("ledger") or (), entries, raised),
            episodes=[_episode(one, raised) for one in document.get("episodes") or ()],
            callee=document.get("callee"),
            trunk=document.get("trunk"),
            case=document.get("case"),
            victim=_victim(document, raised),
            text_id=document.get("text_id"),
            demand=_demand(document.get("demand")),
        ),
        entries,
        dropped=_dropped(document.get("ledger") or (), entries),
    )


def _observed(one: Document, currency: str | None) -> LedgerEntry:
    return LedgerEntry(
        at=microseconds(one["at"]) or 0,
        call_id=one.get("call_id") or "",
        caller=one.get("caller"),
        what=int(one.get("code") or 0),
        value=float(one.get("value") or 0.0),
        text=str(one["what"]),
        text_zh=str(one.get("what_zh") or one["what"]),
        bits=float(one["bits"]),
        total=float(one.get("total") or 0.0),
        cell=one.get("cell"),
        other=one.get("other"),
        currency=currency,
    )


def _ledger(
    kind: str, told: Sequence[Document], entries: Sequence[LedgerEntry], raised: int
) -> list[LedgerEntry]:
    """Until the alert: as it was observed, where that is kept whole."""
    kept = [entry for entry in entries if entry.at <= raised]
    if kept and len(kept) >= len(told):
        return kept[: len(told)]
    total, found = 0.0, []
    for one in told:
        code, chinese = translated(kind, str(one["what"]))
        total = max(total + float(one["bits"]), 0.0)
        observed = _observed({**one, "code": code, "what_zh": chinese, "total": round(total, 2)}, None)
        found.append(observed)
    return found


def _dropped(told: Sequence[Document], entries: Sequence[LedgerEntry]) -> int:
    """How many of the alert's own observations are no longer kept one by one, at the least."""
    if not told or not entries:
        return 0
    first = entries[0].at
    return sum((microseconds(one["at"]) or 0) < first for one in told)


def _episode(one: Document, raised: int) -> Episode:
    return Episode(
        raised_at=microseconds(one.get("raised_at")) or raised,
        call_id=one.get("call_id") or "",
        began_at=microseconds(one.get("began_at")) or raised,
        last_call_at=microseconds(one.get("last_call_at")) or raised,
        closed_at=microseconds(one.get("closed_at")),
        quiet_s=one.get("quiet_s"),
        calls=int(one.get("calls") or 0),
        calls_at_alert=int(one.get("calls_at_alert") or 0),
    )


def _victim(document: Document, raised: int) -> Victim | None:
    if document.get("stage") is None:
        return None
    reach, money = document.get("reach") or {}, document.get("money") or {}
    return Victim(
        stage=str(document["stage"]),
        stages={str(one["stage"]): microseconds(one["at"]) or raised for one in document.get("stages") or ()},
        numbers=list(reach.get("numbers") or ()),
        cell=reach.get("cell"),
        on_call=bool(reach.get("on_call")),
        grip_began_at=microseconds(document.get("grip_began_at")),
        payments=[
            Payment(microseconds(one["at"]) or raised, float(one["amount"]), bool(one["new_payee"]))
            for one in money.get("transfers") or ()
        ],
        currency=money.get("currency"),
        missing=list(document.get("missing") or ()),
        watch=bool(document.get("watch")),
    )


def _demand(one: Document | None) -> Demand | None:
    if one is None:
        return None
    return Demand(
        amount=None if one.get("amount") is None else float(one["amount"]),
        currency=one.get("currency"),
        account=one.get("account"),
        account_kind=one.get("account_kind"),
        deadline=one.get("deadline"),
        deadline_at=microseconds(one.get("deadline_at")),
    )
