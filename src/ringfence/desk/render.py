"""View models as HTML. Both languages stand in it, and the style sheet shows one: so what is drawn once serves every page."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from importlib.resources import files
from typing import Any, Final

from jinja2 import ChoiceLoader, Environment, PackageLoader
from markupsafe import Markup

from ringfence.desk import live, pictures
from ringfence.desk.told import form_of, title_of
from ringfence.desk.words import CLASSES, STATES, STATUSES, fill
from ringfence.model.alert import LedgerEntry
from ringfence.report import people, picture, words
from ringfence.report.calls import calls_of, entries_by_episode, threshold_of
from ringfence.report.labels import reason
from ringfence.report.page import environment, say, say_svg
from ringfence.report.picture import FirstCalls, Whole
from ringfence.report.scam_labels import STAGES
from ringfence.report.scam_picture import ScamPicture
from ringfence.report.scam_picture import draw as draw_scam
from ringfence.report.style import COLOURS, PICTURES, sheet
from ringfence.report.words import Both, Clock
from ringfence.shell.store.alerts import microseconds

MOST_SINCE: Final = 40
"""Observations after the alert that an opened row lists, the newest."""
MOST_WHY: Final = 10
"""Observations that the standing of a number lists, the newest."""


@dataclass(frozen=True, slots=True)
class _Part:
    """A flood's beginning as the report draws it."""

    first: FirstCalls
    outcomes: list[str]


@dataclass(frozen=True, slots=True)
class _Titled:
    """What the report's picture of a scam call asks for."""

    place: str
    subject: str
    lead: Both


@cache
def _environment() -> Environment:
    made = environment().overlay(
        loader=ChoiceLoader([PackageLoader("ringfence.desk"), PackageLoader("ringfence.report")])
    )
    made.globals = {
        **made.globals,
        "t": lambda key, **values: say(fill(key, **values)),
        "ts": lambda key, **values: say_svg(fill(key, **values)),
        "one": _one,
        "titles": title_of, "forms": form_of, "states": STATES, "statuses": STATUSES, "classes": CLASSES,
        "stages": STAGES, "reason": reason, "origin": people.origin, "at": microseconds, "WIDTH": pictures.WIDTH,
        "STRIP": pictures.STRIP_HEIGHT, "CURVE": pictures.CURVE_HEIGHT,
    }  # fmt: skip
    return made


def _one(key: str, **values: Both | str | float) -> str:
    """Both languages in one string, where no markup is possible."""
    both = fill(key, **values)
    return both.en if both.en == both.zh else f"{both.en} / {both.zh}"


def _drawn(name: str, **values: Any) -> str:
    return _environment().get_template(name).render(**values)


def heads() -> str:
    """The heads of marks, which pictures point at; once on a page."""
    module: Any = _environment().get_template("picture.html").module
    return str(module.heads())


def figures(found: live.Figures, clock: Clock) -> str:
    """The figures at the top."""
    return _drawn("desk_figures.html", f=found, clock=clock)


def row(found: live.Row) -> str:
    """An alert in one row."""
    return _drawn("desk_row.html", row=found)


def detail(found: live.Row, clock: Clock) -> str:
    """An alert opened: picture, ledger, what people said."""
    story = found.story
    return _drawn(
        "desk_detail.html",
        row=found,
        alert=story.alert,
        clock=clock,
        part=_beginning(found, clock),
        whole=_whole(found, clock),
        scam=_scam_picture(found, clock),
        titled=_Titled(found.key, found.subject, title_of(found.kind)),
        since=live.since_alert(story, MOST_SINCE),
        dated=_dated(story.alert.ledger, clock),
    )


def _dated(entries: Sequence[LedgerEntry], clock: Clock) -> bool:
    return len({clock.at(entry.at).date() for entry in entries}) > 1


def _present(found: live.Row) -> tuple[int, list[Any]]:
    """The number of the last episode, and its calls."""
    story = found.story
    if found.strip is None or not story.alert.episodes:
        return 0, []
    place = len(story.alert.episodes) - 1
    return place, calls_of(entries_by_episode(story, story.alert.episodes)[place])


def _beginning(found: live.Row, clock: Clock) -> _Part | None:
    place, calls = _present(found)
    if not calls:
        return None
    episode = found.story.alert.episodes[place]
    if calls[0].at > episode.began_at + 60_000_000:
        if place:
            return None  # its beginning is no longer kept
        calls = calls_of(found.story.alert.ledger)  # but that of the first attack stands in the alert itself
    first = picture.first_calls(calls, episode, threshold_of(found.story, place), clock)
    if first is None:
        return None
    outcomes = list(dict.fromkeys(mark.outcome for mark in first.marks))
    return _Part(first, [*outcomes, *(["again"] if any(mark.again for mark in first.marks) else [])])


def _whole(found: live.Row, clock: Clock) -> Whole | None:
    place, calls = _present(found)
    if len(calls) <= picture.FIRST_CALLS:
        return None
    return picture.whole(calls, found.story.alert.episodes[place], clock)


def _scam_picture(found: live.Row, clock: Clock) -> ScamPicture | None:
    alert = found.story.alert
    if alert.victim is None:
        return None
    return draw_scam(found.story.entries or alert.ledger, alert.victim, alert.episodes, clock)


def forged(found: live.Forged) -> str:
    """Forged callers, counted."""
    return _drawn("desk_forged.html", forged=found)


def standing(found: Mapping[str, Any], clock: Clock) -> str:
    """What is known of a number."""
    place = people.origin(found["number"])
    return _drawn("desk_standing.html", s=found, clock=clock, place=place, most=MOST_WHY)


def sign_in(problem: Both | None, language: str) -> str:
    """The page that asks for a token."""
    return _drawn("desk_sign_in.html", problem=problem, language=language, css=css_path())


def full(language: str) -> str:
    """The page that says that no more can be opened."""
    return _drawn("desk_full.html", language=language, css=css_path())


# --- the desk's own files --------------------------------------------------------------------------------------------


@cache
def css() -> str:
    """The style sheet: the report's colours and pictures, then the desk's own rules."""
    return sheet(COLOURS, PICTURES) + _text("desk.css")


@cache
def script() -> str:
    """The script: a few keys, and the language."""
    return _text("desk.js")


def _text(name: str) -> str:
    return (files("ringfence.desk") / "templates" / name).read_text("utf-8")


def css_path() -> str:
    """Where the style sheet is served; the name changes with what is in it."""
    return f"/desk/{_digest(css())}/desk.css"


def script_path() -> str:
    """The same of the script."""
    return f"/desk/{_digest(script())}/desk.js"


def _digest(text: str) -> str:
    return sha256(text.encode()).hexdigest()[:12]


def safe(text: str) -> str:
    """A text as HTML."""
    return str(Markup("<bdi>{}</bdi>").format(words.plain(text)))
