"""`ringfence rank`: whom to warn now, and by whom. The work is in `ringfence.respond`."""

import json as text
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from ringfence.cli.errors import ASKED_WRONGLY, FAILED, fail, plain

if TYPE_CHECKING:
    from ringfence.cli.rank_inputs import Alerts
    from ringfence.respond.case import Case, Officer, Situation
    from ringfence.respond.plan import Assignment, Plan

_LANGUAGES: Final = ("en", "zh")
_HEADINGS: Final = (
    ("", ""),
    ("by", "由谁"),
    ("reach at", "联系方式"),
    ("stage", "阶段"),
    ("right", "概率"),
    ("at risk", "涉险资金"),
    ("prevented", "预计挽损"),
    ("why", "理由"),
)
_CALLER: Final = ("caller {}", "坐席 {}")
_OFFICER: Final = ("{}, {:.0f} min", "{}，{:.0f} 分钟")
_WAITS: Final = ("waits", "待处置")
_CELL: Final = ("cell {}", "基站 {}")
_ABOUT: Final = ("about {}", "约 {}")
_NOBODY: Final = ("no scam call is open at {} ({} closed or later); choose another moment with --at", "{} 没有未结的涉诈通话（{} 起已结或尚未发生）；可用 --at 另选时间")  # fmt: skip
_MORE: Final = ("and {} more waiting (--limit)", "另有 {} 起待处置（--limit）")
_OTHERS: Final = ("open but not ranked, because no money moves within minutes: {}", "未结但不参与排序（数分钟内不涉及转账）：{}")  # fmt: skip
_SUM: Final = ("{}: {} open, {} to ring, {} to visit; prevents {} a minute of work, proven within {:.2%} of the best", "{}：未结 {} 起，电话劝阻 {} 起，上门 {} 起；每工作分钟预计挽损 {}，与最优相差不超过 {:.2%}")  # fmt: skip


def rank(
    alerts: Annotated[Path, typer.Argument(help="alerts.jsonl, or the folder of a scan.", metavar="ALERTS")],
    callers: Annotated[int, typer.Option(help="Callers who are free.", min=0, max=10_000)],
    officers: Annotated[
        Path | None,
        typer.Option(help="CSV or JSON lines: officer, station, lat, lon (or minutes), free_from."),
    ] = None,
    places: Annotated[Path | None, typer.Option(help="CSV or JSON lines: cell, lat, lon.")] = None,
    at: Annotated[str | None, typer.Option(help="The moment; by default the latest in ALERTS.")] = None,
    turn: Annotated[int, typer.Option(help="Calls begun before; every 20th goes to who waited longest.", min=0)] = 0,
    limit: Annotated[int, typer.Option(help="Rows to show.", min=1)] = 50,
    currency: Annotated[str, typer.Option(help="Of money that nobody tells.")] = "CNY",
    lang: Annotated[str, typer.Option(help="en or zh.")] = "en",
    json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
) -> None:  # fmt: skip
    """Say who is to be reached next, and by whom: what prevents the most loss a minute of a caller or officer.

    Exit codes: 0 done, 1 a file cannot be read, 2 it was asked wrongly.
    """
    from ringfence.cli.rank_inputs import InputError, moment, read_alerts, read_officers, read_places
    from ringfence.respond.case import Situation
    from ringfence.respond.plan import plan

    if lang not in _LANGUAGES:
        fail(f"--lang {lang}: there are {' and '.join(_LANGUAGES)}", ASKED_WRONGLY)
    try:
        when = None if at is None else moment(at)
    except ValueError:
        fail(f"--at {at}: not a time; write it as 2026-03-02T08:00:00Z", ASKED_WRONGLY)
    for path in (alerts, officers, places):
        if path is not None and not path.exists():
            fail(f"{path}: no such file", ASKED_WRONGLY)
    try:
        found = read_alerts(alerts, when, currency)
        crew = () if officers is None else read_officers(officers)
        cells = {} if places is None else read_places(places)
    except InputError as error:
        fail(str(error), FAILED)
    except OSError as error:
        fail(f"{error.filename or alerts}: {error.strerror or error}", FAILED)
    situation = Situation(found.cases, callers, crew, cells, turn)
    planned = plan(situation, found.at)
    rows = _list(situation, planned, found.at)
    if json:
        typer.echo(text.dumps(_as_dict(found, planned, rows[:limit]), ensure_ascii=False, indent=1))
    else:
        _print(found, planned, rows, limit, zh=lang == "zh")


@dataclass(frozen=True, slots=True)
class _Line:
    """One case of the list.

    Attributes:
        caller: 1 is the first, None: nobody rings; `officer`: who drives.
        money: at risk, in the case's currency; `prevented`: by all who are sent, overlap counted once.
    """

    case: "Case"
    money: float
    caller: int | None
    call: "Assignment | None"
    officer: "Officer | None"
    visit: "Assignment | None"
    prevented: float
    why: tuple[str, str]


def _list(situation: "Situation", planned: "Plan", now: int) -> list[_Line]:
    """All open cases: those who are reached now, what prevents most first; then those who wait."""
    from ringfence.respond.assumptions import USUAL
    from ringfence.respond.case import CALL
    from ringfence.respond.loss import money_of
    from ringfence.respond.words import why

    calls = [each for each in planned.assignments if each.by == CALL]
    callers = {each.case_id: place for place, each in enumerate(calls, 1)}
    call_of = {each.case_id: each for each in calls}
    visit_of = {each.case_id: each for each in planned.assignments if each.by != CALL}
    officers = {officer.officer_id: officer for officer in situation.officers}
    cases = {case.case_id: case for case in situation.cases}
    lines = []
    for name in [*dict.fromkeys(each.case_id for each in planned.assignments), *planned.waiting]:
        case, call, visit = cases[name], call_of.get(name), visit_of.get(name)
        prevented = call.prevented if call else 0.0
        prevented += visit.prevented * (1.0 - call.success if call else 1.0) if visit else 0.0
        fair = call is not None and call.fair
        reasons = [why(case, now, fair=fair, visited=visit is not None, zh=zh) for zh in (False, True)]
        officer = officers[visit.officer_id or ""] if visit else None
        lines.append(_Line(case, money_of(case, USUAL), callers.get(name), call, officer, visit, prevented, (reasons[0], reasons[1])))  # fmt: skip
    busy = len(lines) - len(planned.waiting)
    return sorted(lines[:busy], key=lambda line: -line.prevented) + lines[busy:]


def _as_dict(found: "Alerts", planned: "Plan", rows: list[_Line]) -> dict[str, Any]:
    from ringfence.model.alert import rfc3339

    return {
        "at": rfc3339(found.at),
        "open": len(found.cases),
        "not_ranked": found.others,
        "within_of_best": _gap(planned),
        "list": [
            {
                "case": line.case.case_id,
                "subject": line.case.subject,
                "caller": line.caller,
                "officer": line.officer.officer_id if line.officer else None,
                "station": line.officer.station if line.officer else None,
                "minutes": round(line.visit.minutes, 1) if line.visit else None,
                "numbers": list(line.case.numbers),
                "cell": line.case.cell,
                "stage": line.case.stage,
                "probability": line.case.probability,
                "at_risk": round(line.money, 2),
                "at_risk_told": line.case.at_risk is not None,
                "currency": line.case.currency,
                "grip_minutes": _grip_minutes(line.case, found.at),
                "prevented": round(line.prevented, 2),
                "fair_turn": line.call is not None and line.call.fair,
                "why": line.why[0],
                "why_zh": line.why[1],
            }
            for line in rows
        ],
    }


def _grip_minutes(case: "Case", now: int) -> float | None:
    return None if case.grip_began_at is None else round((now - case.grip_began_at) / 60e6, 1)


def _gap(planned: "Plan") -> float:
    return max(planned.bound / planned.value - 1.0, 0.0) if planned.value > 0 else 0.0


def _print(found: "Alerts", planned: "Plan", rows: list[_Line], limit: int, *, zh: bool) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from ringfence.model.alert import rfc3339
    from ringfence.respond.words import money

    console = Console(
        width=None if Console().is_terminal else 160, highlight=False, markup=False, emoji=False
    )
    when = (rfc3339(found.at) or "")[:19]
    if not rows:
        console.print(_NOBODY[zh].format(when, found.closed), soft_wrap=True)
    else:
        table = Table(box=None, pad_edge=False)
        for heading in _HEADINGS:
            table.add_column(heading[zh])
        for place, line in enumerate(rows[:limit], 1):
            table.add_row(*(Text(plain(cell)) for cell in (str(place), *_cells(line, zh))))
        console.print(table)
        if len(rows) > limit:
            console.print(_MORE[zh].format(len(rows) - limit), soft_wrap=True)
        rung = sum(line.caller is not None for line in rows)
        sent = sum(line.officer is not None for line in rows)
        worth = money(*_in_money(planned, rows), zh)
        said = _SUM[zh].format(when, len(rows), rung, sent, worth, _gap(planned))
        console.print(said, soft_wrap=True)
    if found.others:
        counts = ", ".join(f"{count} {plain(kind)}" for kind, count in sorted(found.others.items()))
        console.print(_OTHERS[zh].format(counts), soft_wrap=True)


def _in_money(planned: "Plan", rows: list[_Line]) -> tuple[float, str]:
    """The plan's value in the currency of its first case."""
    from ringfence.respond.assumptions import USUAL
    from ringfence.respond.loss import wage_of

    currency = rows[0].case.currency
    return planned.value * wage_of(currency, USUAL), currency


def _cells(line: _Line, zh: bool) -> tuple[str, ...]:
    from ringfence.respond.words import money, stage

    by = [_CALLER[zh].format(line.caller)] if line.caller else []
    if line.officer and line.visit:
        who = " ".join(part for part in (line.officer.station, line.officer.officer_id) if part)
        by.append(_OFFICER[zh].format(who, line.visit.minutes))
    where = [*line.case.numbers, *([_CELL[zh].format(line.case.cell)] if line.case.cell else [])]
    sum_ = money(line.money, line.case.currency, zh)
    return (
        " + ".join(by) or _WAITS[zh],
        ", ".join(where),
        stage(line.case, zh),
        f"{line.case.probability:.2f}",
        sum_ if line.case.at_risk is not None else _ABOUT[zh].format(sum_),
        money(line.prevented, line.case.currency, zh) if by else "-",
        line.why[zh],
    )
