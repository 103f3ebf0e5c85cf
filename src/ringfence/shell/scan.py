"""`ringfence scan`: records in, explained alerts out; can be interrupted at any time and goes on where it was."""

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from ringfence import __version__
from ringfence.detect.engine import Arrays, Engine
from ringfence.detect.moments import Unfolder
from ringfence.ingest.format import Chunk, Rejected, Settings
from ringfence.ingest.normalise import ROW_BITS, calls_of
from ringfence.ingest.reorder import WINDOW_ROWS, Reorder
from ringfence.model.alert import Alert
from ringfence.model.calls import NEVER, Calls
from ringfence.model.numbers import Names, NumberPlan
from ringfence.report.page import render
from ringfence.report.story import SourceFile, Story, Summary
from ringfence.shell.checkpoint import Checkpoint
from ringfence.shell.outputs import JsonLines, replace_file, write_alerts
from ringfence.shell.sources import Merge, open_sources, rejected_row
from ringfence.shell.stories import Stories

BATCH_ROWS = 1 << 16
CHECKPOINT_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Options:
    """What a scan is asked to do.

    Attributes:
        files: what to read; out: where to write.
        format: name of the format of all files, None: recognised by content.
        detect: names of detectors, None: all.
        settings: country, zone and mapping for the readers.
        window: rows within which disorder is repaired.
        batch: calls judged at a time (no influence on the alerts).
        shards: parts of the state (no influence on the alerts).
    """

    files: list[Path]
    out: Path
    format: str | None = None
    detect: tuple[str, ...] | None = None
    settings: Settings = field(default_factory=Settings)
    window: int = WINDOW_ROWS
    batch: int = BATCH_ROWS
    shards: int = 1


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a scan is: bytes of all files, calls judged, alerts raised, seconds at work."""

    done: int
    total: int
    calls: int
    alerts: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Result:
    """What a scan found."""

    summary: Summary
    stories: list[Story]
    broken: list[str]
    finished: bool


class ResumeError(Exception):
    """A scan cannot be resumed: one line, why and what to do."""


class Scan:
    """One scan.

    Args:
        options: what to do.
        resume: go on from the checkpoint in the output folder, if there is one.

    Raises:
        UnreadableError: a file cannot be opened or recognised.
        ResumeError: the checkpoint belongs to other files or settings.
    """

    def __init__(self, options: Options, *, resume: bool = False) -> None:
        self._options = options
        self._plan = NumberPlan.of(options.settings.country)
        self._names = Names()
        self._sources = open_sources(options.files, options.format, options.settings)
        self._reorder = Reorder(options.window)
        self._unfolder = Unfolder()
        self._engine = Engine(options.detect, options.shards)
        self._stories = Stories(self._names)
        self._counts: Counter[str] = Counter()
        self._reasons: Counter[str] = Counter()
        self._times: tuple[int, int] | None = None
        self._before = 0.0
        options.out.mkdir(parents=True, exist_ok=True)
        self._checkpoint = Checkpoint(options.out / ".resume")
        sizes = self._resume() if resume else None
        self._alerts = JsonLines(options.out / "alerts.jsonl", sizes["alerts"] if sizes else 0)
        self._rejected = JsonLines(options.out / "rejected.jsonl", sizes["rejected"] if sizes else 0)
        self._merge = Merge(self._sources)

    def run(
        self,
        should_stop: Callable[[], bool] = lambda: False,
        on_progress: Callable[[Progress], None] = lambda _: None,
    ) -> Result:
        """Read, judge, write.

        Args:
            should_stop: asked between batches; if it says so, a checkpoint is written and the scan ends unfinished.
            on_progress: told after every batch.
        """
        began = time.monotonic()
        saved = began
        finished = True
        while (step := self._merge.next()) is not None:
            self._take(*step)
            self._judge(self._reorder.ready(self._merge.safe()), self._reorder.watermark)
            now = time.monotonic()
            on_progress(self._progress(now - began))
            if should_stop():
                finished = False
                break
            if now - saved > CHECKPOINT_SECONDS:
                self._save(now - began)
                saved = time.monotonic()
        seconds = self._before + time.monotonic() - began
        if not finished:
            self._save(time.monotonic() - began)
            return self._result(seconds, finished=False)
        self._judge(self._reorder.flush(), NEVER)
        result = self._result(self._before + time.monotonic() - began, finished=True)
        self._write(result)
        return result

    def _take(self, place: int, chunk: Chunk) -> None:
        """Take a chunk into the reorder window."""
        source = self._sources[place]
        self._counts.update(chunk.notes)
        self._put_aside(place, list(chunk.rejected))
        if chunk.table != "calls":
            self._counts[f"{chunk.table}_not_used_yet"] += len(chunk.rows)
            return
        calls, rejected = calls_of(chunk, place, self._plan, self._names)
        source.rejected += len(rejected)
        source.calls += len(calls)
        self._put_aside(place, rejected)
        if len(calls):
            self._merge.advance(place, int(calls.start.max()))
            self._put_late_aside(self._reorder.push(calls))

    def _put_aside(self, place: int, rejected: list[Rejected]) -> None:
        self._rejected.write(rejected_row(self._sources[place], row) for row in rejected)
        self._reasons.update(row.reason for row in rejected)

    def _put_late_aside(self, late: Calls) -> None:
        for origin in late.origin.tolist():
            place, row = origin >> ROW_BITS, origin & ((1 << ROW_BITS) - 1)
            self._sources[place].rejected += 1
            self._sources[place].calls -= 1
            reason = "begins before calls already judged: sort the file or raise --reorder-rows"
            self._put_aside(place, [Rejected(row, reason)])

    def _judge(self, calls: Calls, until: int) -> None:
        """Run the pass over ordered calls, some at a time, never cutting an instant apart."""
        first = 0
        while first < len(calls):
            last = min(first + self._options.batch, len(calls))
            if last < len(calls):
                cut = int(np.searchsorted(calls.start, calls.start[last]))
                last = cut if cut > first else int(np.searchsorted(calls.start, calls.start[last], "right"))
            watermark = int(calls.start[last]) if last < len(calls) else until
            self._judge_batch(calls.slice(first, last), watermark)
            first = last
        if not len(calls) and until == NEVER:
            self._judge_batch(calls, until)

    def _judge_batch(self, calls: Calls, watermark: int) -> None:
        self._stories.ids.add(calls)
        if len(calls):
            first = self._times[0] if self._times else int(calls.start[0])
            self._times = (first, int(calls.start[-1]))
        self._counts["judged"] += len(calls)
        moments = self._unfolder.unfold(calls, watermark)
        alerts = self._stories.take(*self._engine.process(moments, watermark))
        self._alerts.write(alert.as_dict() for alert in alerts)
        self._counts["alerts"] += len(alerts)

    def _progress(self, seconds: float) -> Progress:
        done = sum(source.position() for source in self._sources)
        total = sum(source.size for source in self._sources)
        return Progress(
            done, total, self._counts["judged"] + len(self._reorder), self._counts["alerts"], seconds
        )

    def _result(self, seconds: float, *, finished: bool) -> Result:
        counts = self._counts
        notes = {k: v for k, v in sorted(counts.items()) if k not in {"judged", "alerts"}}
        notes |= {"repeated": self._reorder.repeated, "reordered": self._reorder.moved}
        settings = self._options.settings
        summary = Summary(
            files=[
                SourceFile(str(s.path), s.format.NAME, s.rows, s.calls, s.rejected) for s in self._sources
            ],
            calls=counts["judged"],
            lines=None,
            first=self._times[0] if self._times else None,
            last=self._times[1] if self._times else None,
            rejected=dict(self._reasons.most_common()),
            notes={name: count for name, count in notes.items() if count},
            seconds=seconds,
            country=settings.country,
            timezone=settings.timezone,
            finished=finished,
        )
        broken = [source.broken for source in self._sources if source.broken]
        return Result(summary, list(self._stories), broken, finished)

    def _write(self, result: Result) -> None:
        """Put the final files into place."""
        self._rejected.write(
            {"file": str(source.path), "row": None, "reason": source.broken}
            for source in self._sources
            if source.broken
        )
        self._alerts.close()
        self._rejected.close()
        alerts: list[Alert] = [story.alert for story in result.stories]
        write_alerts(self._options.out, alerts)
        pieces = (piece.encode() for piece in render(result.summary, result.stories))
        replace_file(self._options.out / "report.html", pieces)
        self._checkpoint.remove()

    def _asked(self) -> dict[str, Any]:
        """What a checkpoint must agree with."""
        options = self._options
        return {
            "version": __version__,
            "files": [source.signature() for source in self._sources],
            "formats": [source.format.NAME for source in self._sources],
            "detect": list(options.detect) if options.detect else None,
            "settings": asdict(options.settings),
            "window": options.window,
            "shards": options.shards,
        }

    def _save(self, seconds: float) -> None:
        arrays: Arrays = {}
        for part, state in self._parts().items():
            arrays |= {f"{part}:{name}": array for name, array in state.arrays().items()}
        state = {
            "asked": self._asked(),
            "sources": [source.as_json() for source in self._sources],
            "stories": self._stories.as_json(),
            "names": self._names.to_lists(),
            "counts": self._counts,
            "reasons": self._reasons,
            "times": self._times,
            "seconds": self._before + seconds,
            "sizes": {"alerts": self._alerts.size(), "rejected": self._rejected.size()},
        }
        self._checkpoint.save(arrays, state)

    def _parts(self) -> dict[str, Any]:
        return {
            "engine": self._engine,
            "unfolder": self._unfolder,
            "reorder": self._reorder,
            "ids": self._stories.ids,
        }

    def _resume(self) -> dict[str, int] | None:
        try:
            found = self._checkpoint.load()
        except ValueError as error:
            raise ResumeError(str(error)) from error
        if found is None:
            return None
        arrays, state = found
        if state["asked"] != self._asked():
            raise ResumeError(
                "the interrupted scan had other files, settings or another version; scan without --resume"
            )
        for part, keeper in self._parts().items():
            prefix = f"{part}:"
            keeper.restore({k.removeprefix(prefix): v for k, v in arrays.items() if k.startswith(prefix)})
        for source, saved in zip(self._sources, state["sources"], strict=True):
            source.restore(saved)
        self._names = self._stories.names = Names.of_lists(*state["names"])
        self._stories.restore(state["stories"])
        self._counts = Counter(state["counts"])
        self._reasons = Counter(state["reasons"])
        self._times = tuple(state["times"]) if state["times"] else None
        self._before = state["seconds"]
        sizes: dict[str, int] = state["sizes"]
        return sizes


def scan(options: Options, **how: Any) -> Result:
    """Scan in one go."""
    return Scan(options).run(**how)
