"""The report as one page of HTML that needs nothing but itself."""

import base64
import hashlib
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache, reduce
from importlib.resources import files

from jinja2 import Environment, FileSystemBytecodeCache, PackageLoader, StrictUndefined
from markupsafe import Markup

from ringfence.compiled import cache_dir
from ringfence.detect import flood, forged_caller, scam_call
from ringfence.detect.detectors import DETECTORS
from ringfence.model.alert import Episode, LedgerEntry
from ringfence.report import labels, picture, words
from ringfence.report.axis import SECOND, Axis
from ringfence.report.calls import (
    Call,
    calls_of,
    decided_at_call,
    entries_by_episode,
    threshold_of,
)
from ringfence.report.forged import Forged, forged
from ringfence.report.labels import fill
from ringfence.report.people import People, carrier, people
from ringfence.report.picture import FirstCalls, Line, Whole
from ringfence.report.scam_calls import KIND as SCAM
from ringfence.report.scam_calls import Link, Scam, describe, link, scams_of
from ringfence.report.scam_picture import MOST as MOST_MARKS
from ringfence.report.story import Story, Summary
from ringfence.report.style import sheet
from ringfence.report.texts import IN_FULL as TEXTS_IN_FULL
from ringfence.report.texts import KIND as TEXT
from ringfence.report.texts import Handed, handed_over
from ringfence.report.trunks import Trunk
from ringfence.report.words import Both, Clock

IN_FULL = 100
"""Floods that are described in full; the others stand in the table only."""
OVERVIEW_LINES = 250
_LABELLED_LINES = 40


@dataclass(frozen=True, slots=True)
class Brief:
    """A flood in one row of the table.

    Attributes:
        place: from 1; `in_full`: whether it is described further down.
        nth: the call at which it was recognised, `delay`: how long after the first.
        calls: in all episodes; `length`: from the first to the last of them.
        began, last: µs, the first and the last call; `quiet`: how long it was quiet before it was closed.
        returns: how often it came back.
    """

    story: Story
    place: int
    in_full: bool
    nth: int
    delay: Both
    calls: int
    length: Both
    state: Both
    began: int
    last: int
    quiet: Both | None
    returns: int

    @property
    def subject(self) -> str:
        """The number under attack, fit to be seen."""
        return words.plain(self.story.alert.subject)

    @property
    def heading(self) -> Both:
        """What befell the number."""
        kind = self.story.alert.kind
        if kind == flood.NAME:
            return fill("flood_on", line=self.subject)
        title = next((Both(*d.TITLE) for d in DETECTORS if kind == d.NAME), Both(kind, kind))
        return fill("story_on", what=title, line=self.subject)


@dataclass(frozen=True, slots=True)
class Part:
    """An episode on the page."""

    title: Both
    first: FirstCalls | None
    whole: Whole | None
    outcomes: list[str]
    ledger: list[LedgerEntry]


@dataclass(frozen=True, slots=True)
class Detail:
    """A flood described in full."""

    brief: Brief
    parts: list[Part]
    people: People | None


@dataclass(frozen=True, slots=True)
class Overview:
    """All floods on one axis."""

    axis: Axis
    lines: list[tuple[Brief, Line]]
    labelled: bool


def render(summary: Summary, stories: Sequence[Story], trunks: Sequence[Trunk] = ()) -> Iterator[str]:
    """Write the report, piece by piece.

    Args:
        summary: the scan.
        stories: what was found, in the order in which it was recognised.
        trunks: forged calls by trunk, the most first; their alerts are not drawn one by one.
    """
    clock = Clock(summary.timezone)
    apart = (forged_caller.NAME, TEXT, SCAM)
    briefs = _briefs([story for story in stories if story.alert.kind not in apart], clock)
    scams = scams_of(stories, clock)
    texts = handed_over(stories, _floods_by_case(briefs), _scams_by_case(scams), clock)
    links = _links(briefs, scams, texts, clock)
    forgeries = forged(trunks)
    first = summary.first if summary.first is not None else 0
    stream = (
        environment()
        .get_template("page.html")
        .stream(
            summary=summary,
            clock=clock,
            zone=clock.name(first),
            briefs=briefs,
            headline=_headline(briefs, scams, texts, forgeries),
            scams=scams,
            scams_in_full=sum(scam.in_full for scam in scams),
            described=(describe(scam, links, clock) for scam in scams if scam.in_full),
            texts=texts[:TEXTS_IN_FULL],
            more_texts=max(len(texts) - TEXTS_IN_FULL, 0),
            forged=forgeries,
            in_full=sum(brief.in_full for brief in briefs),
            overview=_overview(briefs, clock) if briefs else None,
            details=(_detail(brief, clock) for brief in briefs if brief.in_full),
            policy=_policy(),
        )
    )
    stream.enable_buffering(100)
    yield from stream


def _floods_by_case(briefs: Sequence[Brief]) -> dict[str, int]:
    floods = [brief for brief in briefs if brief.in_full and brief.story.alert.kind == flood.NAME]
    return {b.story.alert.case: b.place for b in floods if b.story.alert.case is not None}


def _scams_by_case(scams: Sequence[Scam]) -> dict[str, int]:
    """The first of each case."""
    told = [scam for scam in reversed(scams) if scam.in_full]
    return {s.story.alert.case: s.place for s in told if s.story.alert.case is not None}


def _links(
    briefs: Sequence[Brief], scams: Sequence[Scam], texts: Sequence[Handed], clock: Clock
) -> list[tuple[str, Link]]:
    """All parts of the page that belong to a case."""
    found = [(b.story, Link(f"flood-{b.place}", b.heading)) for b in briefs if b.in_full]
    found += [(scam.story, link(scam)) for scam in scams if scam.in_full]
    for text in texts[:TEXTS_IN_FULL]:
        words_of = fill("related_text", time=clock.minute(text.sent))
        found.append((text.story, Link(f"text-{text.place}", words_of)))
    return [(story.alert.case, one) for story, one in found if story.alert.case is not None]


def _headline(
    briefs: Sequence[Brief], scams: Sequence[Scam], texts: Sequence[Handed], forgeries: Forged | None
) -> Both:
    told: list[Both] = []
    if scams:
        n = words.count(len(scams))
        told.append(fill("headline_scam_one") if len(scams) == 1 else fill("headline_scams", n=n))
    if briefs or forgeries or not (scams or texts):
        told.append(_calls_headline(briefs, forgeries))
    if texts:
        n = words.count(len(texts))
        told.append(fill("headline_text_one") if len(texts) == 1 else fill("headline_texts", n=n))
    return reduce(lambda one, other: fill("headline_and", one=one, other=other), told)


def _calls_headline(briefs: Sequence[Brief], forgeries: Forged | None) -> Both:
    if forgeries is None:
        return _others_headline(briefs)
    calls = words.count(forgeries.calls)
    if briefs:
        return fill("headline_both", others=_others_headline(briefs), calls=calls)
    return fill("headline_forged_one") if forgeries.calls == 1 else fill("headline_forged", calls=calls)


def _others_headline(briefs: Sequence[Brief]) -> Both:
    if not briefs:
        return fill("headline_none")
    if any(brief.story.alert.kind != flood.NAME for brief in briefs):
        return fill("headline_alerts", n=words.count(len(briefs)))
    return fill("headline_one") if len(briefs) == 1 else fill("headline_many", lines=words.count(len(briefs)))


def _briefs(stories: Sequence[Story], clock: Clock) -> list[Brief]:
    strongest = sorted(range(len(stories)), key=lambda i: -stories[i].alert.bits)
    in_full = set(strongest[:IN_FULL])
    return [_brief(story, i + 1, i in in_full, clock) for i, story in enumerate(stories)]


def _brief(story: Story, place: int, in_full: bool, clock: Clock) -> Brief:
    episodes = _episodes(story)
    first, last = episodes[0], episodes[-1]
    ledger = calls_of(story.alert.ledger)
    return Brief(
        story=story,
        place=place,
        in_full=in_full,
        nth=first.calls_at_alert or decided_at_call(ledger, first.raised_at),
        delay=words.duration((first.raised_at - first.began_at) / SECOND),
        calls=sum(episode.calls for episode in episodes),
        length=words.duration((last.last_call_at - first.began_at) / SECOND),
        state=_state(last, clock),
        began=first.began_at,
        last=last.last_call_at,
        quiet=None if last.closed_at is None or last.quiet_s is None else words.duration(last.quiet_s),
        returns=len(episodes) - 1,
    )


def _episodes(story: Story) -> list[Episode]:
    """At least one: an alert whose story was cut short has none yet."""
    alert = story.alert
    if alert.episodes:
        return alert.episodes
    began = alert.ledger[0].at if alert.ledger else alert.raised_at
    return [Episode(alert.raised_at, alert.call_id, began, alert.raised_at)]


def _state(last: Episode, clock: Clock) -> Both:
    if last.closed_at is None:
        return fill("going_on")
    return fill("over", last=clock.minute(last.last_call_at))


def _overview(briefs: Sequence[Brief], clock: Clock) -> Overview:
    episodes = {brief.place: _episodes(brief.story) for brief in briefs}
    axis = picture.overview_axis([episode for some in episodes.values() for episode in some], clock)
    lines = [(brief, picture.overview_line(episodes[brief.place], axis)) for brief in briefs[:OVERVIEW_LINES]]
    return Overview(axis, lines, labelled=len(lines) <= _LABELLED_LINES)


def _detail(brief: Brief, clock: Clock) -> Detail:
    episodes = _episodes(brief.story)
    kept = entries_by_episode(brief.story, episodes)
    calls = [calls_of(entries) for entries in kept]
    parts = [_part(brief.story, i, episodes, calls[i], clock) for i in range(len(episodes))]
    everyone = [call for some in calls for call in some if call.begun]
    return Detail(brief, parts, people(everyone) if everyone else None)


def _part(story: Story, i: int, episodes: Sequence[Episode], calls: Sequence[Call], clock: Clock) -> Part:
    episode = episodes[i]
    quiet = None if i == 0 else words.duration((episode.began_at - episodes[i - 1].last_call_at) / SECOND)
    first = picture.first_calls(calls, episode, threshold_of(story, i), clock) if calls else None
    more = calls and (first is None or len(first.marks) + first.earlier < len(calls))
    entries = [entry for call in calls for entry in call.entries]
    until_alert = sorted((e for e in entries if e.at <= episode.raised_at), key=lambda entry: entry.at)
    return Part(
        title=fill("episode_first") if quiet is None else fill("episode_again", quiet=quiet),
        first=first,
        whole=picture.whole(calls, episode, clock) if more else None,
        outcomes=_outcomes(first),
        ledger=story.alert.ledger if i == 0 else until_alert,
    )


def _outcomes(first: FirstCalls | None) -> list[str]:
    """Which heads the legend must explain."""
    if first is None:
        return []
    found = dict.fromkeys(mark.outcome for mark in first.marks)
    if any(mark.again for mark in first.marks):
        found["again"] = None
    return list(found)


# --- the page's tools ------------------------------------------------------------------------------------------------


def say(both: Both) -> Markup:
    """A text in both languages; the style sheet shows one of them."""
    if both.en == both.zh:
        return Markup("<bdi>{}</bdi>").format(both.en)
    return Markup('<span lang="en">{}</span><span lang="zh">{}</span>').format(*both)


def say_svg(both: Both) -> Markup:
    """The same within a picture."""
    if both.en == both.zh:
        return Markup("{}").format(both.en)
    return Markup('<tspan lang="en">{}</tspan><tspan lang="zh">{}</tspan>').format(*both)


def _text(key: str, **values: Both | str | float) -> Markup:
    return say(fill(key, **values))


def _text_svg(key: str, **values: Both | str | float) -> Markup:
    return say_svg(fill(key, **values))


def _one(key: str, **values: Both | str | float) -> str:
    """Both languages in one string, where no markup is possible."""
    both = fill(key, **values)
    return both.en if both.en == both.zh else f"{both.en} / {both.zh}"


def _kept_templates() -> FileSystemBytecodeCache | None:
    """Compiled templates, kept between runs: compiling them takes longer than a small scan."""
    folder = cache_dir() / "templates"
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return None
    return FileSystemBytecodeCache(str(folder)) if os.access(folder, os.W_OK) else None


@cache
def environment() -> Environment:
    """The templates with all that they use; the desk draws with them too."""
    made = Environment(
        loader=PackageLoader("ringfence.report"),
        bytecode_cache=_kept_templates(),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters.update(say=say, svg=say_svg, bits=words.bits, count=words.count, colour=picture.colour)
    made.globals.update(
        t=_text, ts=_text_svg, one=_one, w=words, labels=labels, style=Markup(sheet()), script=_asset("script.js"),  # noqa: S704  (files of ours)
        sum_top=picture.SUM_TOP, sum_height=picture.SUM_HEIGHT, colours=picture.CLASS_NAMES, prior=_prior(),
        carrier=carrier, sums=scam_call.SUMS, most_marks=MOST_MARKS,
    )  # fmt: skip
    return made


def _prior() -> Both:
    return words.odds(flood.PRIOR_BITS)


@cache
def _asset(name: str) -> Markup:
    """A file of ours, which may stand on the page as it is."""
    return Markup((files("ringfence.report") / "templates" / name).read_text("utf-8"))  # noqa: S704


@cache
def _policy() -> str:
    """Nothing but this very style sheet and script, known by their hashes."""
    return (
        f"default-src 'none'; style-src '{_hash(sheet())}'; script-src '{_hash(_asset('script.js'))}'; "
        "base-uri 'none'; form-action 'none'"
    )


def _hash(text: str) -> str:
    digest = hashlib.sha256(text.encode()).digest()
    return f"sha256-{base64.b64encode(digest).decode()}"
