"""Why somebody is to be reached now, in words; English and Chinese."""

from typing import Final

from ringfence.model.spans import span, span_zh
from ringfence.respond.case import BRUSHED_OFF, NO_ANSWER, Case
from ringfence.respond.loss import MINUTE

STAGE: Final = {
    "contact": ("first contact", "初步接触"),
    "hand_over": ("handed over to “the police”", "转接“公安”"),
    "grip": ("held on the line", "被通话控制"),
    "isolation": ("isolated: hotel or second number", "被诱导独处：酒店或新号码"),
    "payment": ("paying", "正在转账"),
}

_SINCE: Final = ("held for {}", "被控制已 {}")
_MOVED: Final = ("{} has gone already", "已转出 {}")
_TOLD: Final = ("a bank tells what is left", "银行已告知余额")
_ENGAGED: Final = ("the line is engaged: text first", "通话中，先发短信")
_MISSED: Final = ("{} without an answer", "{} 次未接通或未见到人")
_TRIES: Final = (("1 try", "{} tries"), ("{}", "{}"))
_BRUSHED: Final = ("did not believe it {}", "{} 次劝阻未被采信")
_TIMES: Final = (("once", "{} times"), ("{}", "{}"))
_WATCH: Final = ("on the watch list", "重点回访对象")
_FAIR: Final = ("has waited longest: {}", "等候最久：{}")
_UNKNOWN: Final = ("no cell known", "位置未知")


def stage(case: Case, zh: bool) -> str:
    """The stage in words."""
    return STAGE[case.stage][zh]


def money(amount: float, currency: str, zh: bool) -> str:
    """A sum, to two figures that matter; such as "CNY 12,000", "12,000 元"."""
    digits = max(len(str(int(abs(amount)))) - 2, 0)
    sum_ = f"{round(amount, -digits):,.0f}"
    return f"{sum_} 元" if zh and currency == "CNY" else f"{currency} {sum_}"


def why(case: Case, now: int, *, fair: bool, visited: bool, zh: bool) -> str:
    """The reasons that stand behind a place in the list.

    Args:
        case: of the list.
        now: µs.
        fair: it is the turn of whoever has waited longest.
        visited: an officer is sent.
        zh: Chinese, not English.
    """
    words, parts = (span_zh if zh else span), []
    if fair:
        parts.append(_FAIR[zh].format(words((now - _waits_since(case)) / 1e6)))
    if case.grip_began_at is not None:
        parts.append(_SINCE[zh].format(words((now - case.grip_began_at) // MINUTE * 60)))
    if case.moved:
        parts.append(_MOVED[zh].format(money(case.moved, case.currency, zh)))
    if case.at_risk is not None:
        parts.append(_TOLD[zh])
    if case.on_call:
        parts.append(_ENGAGED[zh])
    for outcome, text, count in ((NO_ANSWER, _MISSED, _TRIES), (BRUSHED_OFF, _BRUSHED, _TIMES)):
        tries = sum(attempt.outcome == outcome for attempt in case.attempts)
        if tries:
            parts.append(text[zh].format(count[zh][tries > 1].format(tries)))
    if case.watch:
        parts.append(_WATCH[zh])
    if visited and case.cell is None:
        parts.append(_UNKNOWN[zh])
    return ("；" if zh else "; ").join(parts)


def _waits_since(case: Case) -> int:
    return max([case.opened_at, *(attempt.at for attempt in case.attempts)])
