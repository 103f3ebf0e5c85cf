"""The files of `ringfence rank`: alerts, officers, places. Errors name the file and the row."""

import csv
import io
import json
import math
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from ringfence.respond.case import BRUSHED_OFF, CALL, NO_ANSWER, STAGES, VISIT, Attempt, Case, Officer, Place

RANKED: Final = "scam_call"
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


class InputError(ValueError):
    """A file that cannot be used; one line that names it, the row, and what is wrong."""


@dataclass(frozen=True, slots=True)
class Alerts:
    """What the alerts say.

    Attributes:
        at: µs, the moment that was asked for or the latest in the file.
        cases: scam calls open then.
        others: how many alerts of other kinds are open then, by kind.
        closed: how many scam calls there were that are not open then.
    """

    at: int
    cases: tuple[Case, ...]
    others: dict[str, int]
    closed: int


def read_alerts(path: Path, at: int | None, currency: str) -> Alerts:
    """Read the open cases.

    Args:
        path: alerts.jsonl or the folder that holds it.
        at: µs, None: the latest moment at which an alert was raised or closed.
        currency: of sums that are not told.

    Raises:
        InputError, OSError: it cannot be read.
    """
    if path.is_dir():
        path = path / "alerts.jsonl"
    rows = list(_json_lines(path, _text(path)))
    if rows and at is None:
        at = max(_latest(where, row) for where, row in rows)
    cases: dict[str, Case] = {}
    others: dict[str, int] = {}
    closed = 0
    for where, row in rows:
        kind = _known(row, "kind", str, where)
        over = _time(row, "closed_at", where)
        assert at is not None
        is_open = _raised(where, row) <= at and (over is None or over > at)
        if kind == RANKED and is_open:
            case = _case(where, row, currency)
            cases[case.case_id] = case  # several alerts of one case: the last tells most
        elif kind == RANKED:
            closed += 1
        elif is_open:
            others[kind] = others.get(kind, 0) + 1
    return Alerts(at or 0, tuple(cases.values()), others, closed)


def read_officers(path: Path) -> tuple[Officer, ...]:
    """Read officers: CSV with a header, or JSON lines; `officer`, and of `station`, `lat` and `lon`, `minutes`, `free_from` what is known.

    Raises:
        InputError, OSError: it cannot be read.
    """
    found: dict[str, Officer] = {}
    for where, row in _rows(path):
        name = _known(row, "officer", str, where)
        if name in found:
            raise InputError(f"{where}: officer {name} is there twice; give each an id of their own")
        found[name] = Officer(
            name,
            _maybe(row, "station", str, where) or "",
            _place(row, where),
            _number(row, "minutes", where, 0.0, math.inf),
            _time(row, "free_from", where) or 0,
            _maybe(row, "under_way_to", str, where),
        )
    return tuple(found.values())


def read_places(path: Path) -> dict[str, Place]:
    """Read where cells are: `cell`, `lat`, `lon`, as CSV with a header or JSON lines.

    Raises:
        InputError, OSError: it cannot be read.
    """
    found = {}
    for where, row in _rows(path):
        place = _place(row, where)
        if place is None:
            raise InputError(f"{where}: lat and lon are missing")
        found[_known(row, "cell", str, where)] = place
    return found


def moment(text: str) -> int:
    """An RFC 3339 time in µs; without a zone UTC is meant.

    Raises:
        ValueError: it is none.
    """
    time = datetime.fromisoformat(text)
    span = (time if time.tzinfo else time.replace(tzinfo=UTC)) - _EPOCH
    return (span.days * 86_400 + span.seconds) * 1_000_000 + span.microseconds


Row = dict[str, Any]


def _text(path: Path) -> str:
    try:
        return path.read_text("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: is not UTF-8 text; save it as CSV or JSON lines in UTF-8") from error


def _rows(path: Path) -> Iterator[tuple[str, Row]]:
    text = _text(path)
    if text.lstrip().startswith("{"):
        yield from _json_lines(path, text)
        return
    reader = csv.DictReader(io.StringIO(text, newline=""))
    for row in reader:
        where = f"{path}: line {reader.line_num}"
        if None in row:
            raise InputError(f"{where}: has more cells than the header")
        cells = {str(name).strip(): (cell or "").strip() or None for name, cell in row.items()}
        if any(cell is not None for cell in cells.values()):
            yield where, cells


def _json_lines(path: Path, text: str) -> Iterator[tuple[str, Row]]:
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except ValueError:
            row = None
        if not isinstance(row, dict):
            raise InputError(f"{path}: line {number}: is not a JSON object; there is one on each line")
        yield f"{path}: line {number}", row


def _known(row: Row, name: str, kind: type[str], where: str) -> str:
    value = _maybe(row, name, kind, where)
    if not value:
        raise InputError(f"{where}: {name} is missing")
    return value


def _maybe(row: Row, name: str, kind: type[str], where: str) -> str | None:
    value = row.get(name)
    if value is None or isinstance(value, kind):
        return value
    raise InputError(f"{where}: {name} cannot be {json.dumps(value)[:60]}")


def _number(row: Row, name: str, where: str, least: float, most: float) -> float | None:
    value = row.get(name)
    if value is None:
        return None
    try:
        number = math.nan if isinstance(value, bool) else float(value)
    except (TypeError, ValueError):
        number = math.nan
    if not least <= number <= most or math.isinf(number):
        limits = f"a number of at least {least:g}" if math.isinf(most) else f"between {least:g} and {most:g}"
        raise InputError(f"{where}: {name} must be {limits}, not {str(value)[:60]}")
    return number


def _time(row: Row, name: str, where: str) -> int | None:
    text = _maybe(row, name, str, where)
    if text is None:
        return None
    try:
        return moment(text)
    except ValueError:
        raise InputError(f"{where}: {name} {text[:60]} is not a time such as 2026-03-02T08:00:00Z") from None


def _place(row: Row, where: str) -> Place | None:
    lat, lon = _number(row, "lat", where, -90.0, 90.0), _number(row, "lon", where, -180.0, 180.0)
    if (lat is None) != (lon is None):
        raise InputError(f"{where}: has only one of lat and lon; give both or neither")
    return None if lat is None or lon is None else Place(lat, lon)


def _raised(where: str, row: Row) -> int:
    raised = _time(row, "raised_at", where)
    if raised is None:
        raise InputError(f"{where}: is not an alert: it has no raised_at")
    return raised


def _latest(where: str, row: Row) -> int:
    return max(_raised(where, row), _time(row, "closed_at", where) or 0)


def _part(row: Row, name: str) -> Row:
    """A nested object; of another shape it counts as absent."""
    value = row.get(name)
    return value if isinstance(value, dict) else {}


def _case(where: str, row: Row, currency: str) -> Case:
    reach, money = _part(row, "reach"), _part(row, "money")
    subject = _known(row, "subject", str, where)
    grip = _time(row, "grip_began_at", where)
    stage = row.get("stage")
    if stage not in STAGES:
        stage = "contact" if grip is None else "grip"
    numbers = reach.get("numbers")
    numbers = [n for n in numbers if isinstance(n, str) and n] if isinstance(numbers, list) else []
    probability = _number(row, "probability", where, 0.0, 1.0)
    return Case(
        case_id=_maybe(row, "case", str, where) or _maybe(row, "alert_id", str, where) or where,
        subject=subject,
        kind=RANKED,
        stage=stage,
        probability=0.5 if probability is None else probability,
        opened_at=_raised(where, row),
        grip_began_at=grip,
        at_risk=_number(money, "at_risk", where, 0.0, math.inf),
        moved=_number(money, "moved", where, 0.0, math.inf),
        currency=_maybe(money, "currency", str, where) or currency,
        numbers=tuple(dict.fromkeys(numbers)) or (subject,),
        cell=_maybe(reach, "cell", str, where),
        on_call=reach.get("on_call") is True,
        attempts=_attempts(where, row),
        watch=row.get("watch") is True,
    )


def _attempts(where: str, row: Row) -> tuple[Attempt, ...]:
    """What the squad has booked into the alert, if it has: `attempts` of `by`, `at`, `outcome`."""
    found = []
    for each in row.get("attempts") or ():
        at = _time(each, "at", where) if isinstance(each, dict) else None
        if at is None or each.get("by") not in (CALL, VISIT):
            raise InputError(f"{where}: an attempt needs `by` ({CALL} or {VISIT}) and `at`")
        brushed = each.get("outcome") == BRUSHED_OFF
        found.append(Attempt(each["by"], at, BRUSHED_OFF if brushed else NO_ANSWER))
    return tuple(found)
