"""`ringfence scan`: records in, explained alerts out; can be interrupted at any time and goes on where it was."""

import fcntl
import os
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from io import BytesIO
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

from ringfence import __version__
from ringfence.detect.memory import LINE_LIFE
from ringfence.detect.shard import Arrays
from ringfence.detect.text_detectors import ALL_DETECTORS
from ringfence.ingest.format import Chunk, Rejected, Settings, UnreadableError, formats
from ringfence.ingest.normalise import ROW_BITS
from ringfence.ingest.reorder import WINDOW_ROWS, Reorder
from ringfence.model.alert import Alert
from ringfence.model.calls import NEVER, Calls
from ringfence.model.numbers import NumberPlan
from ringfence.report.page import render
from ringfence.report.story import SourceFile, Story, Summary
from ringfence.report.trunks import Trunk
from ringfence.shell.checkpoint import Checkpoint
from ringfence.shell.judge import Charge, Judge, batches
from ringfence.shell.lists import read_lists
from ringfence.shell.outputs import (
    ALERTS_JSONL,
    OUTPUTS,
    REJECTED,
    REPORT,
    JsonLines,
    replace_file,
    write_alerts,
)
from ringfence.shell.sources import Merge, open_sources, rejected_row
from ringfence.shell.trunks import (
    JOURNAL,
    TRUNKS_CSV,
    clear,
    forged_calls,
    found_trunks,
    journal_rows,
    write_trunks,
)

BATCH_ROWS: Final = 1 << 16
CHECKPOINT_SECONDS = 60.0
CHECKPOINT: Final = ".resume.npz"
_REORDER: Final = "reorder:"
LATE: Final = "begins before calls already judged; sort the file or raise --reorder-rows"


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
        each_call: one alert for each forged call, not one a number and day.
        lists: folder of the operator's lists, None: there are none.
    """

    files: list[Path]
    out: Path
    format: str | None = None
    detect: tuple[str, ...] | None = None
    settings: Settings = field(default_factory=Settings)
    window: int = WINDOW_ROWS
    batch: int = BATCH_ROWS
    shards: int = 1
    each_call: bool = False
    lists: Path | None = None


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a scan is.

    Attributes:
        done, total: bytes of all files.
        calls: read so far; calls_now: since the scan was started or resumed, in `seconds`.
        alerts: raised so far.
    """

    done: int
    total: int
    calls: int
    calls_now: int
    alerts: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Result:
    """What a scan found.

    Attributes:
        summary: what was read.
        stories: the alerts, in the order in which they were raised.
        broken: for each file that could not be read to its end, one line that says why.
        finished: False: it was stopped and can be resumed.
    """

    summary: Summary
    stories: list[Story]
    broken: list[str]
    finished: bool


class OptionsError(Exception):
    """A scan was asked for wrongly: one line, what is wrong."""


class ResumeError(Exception):
    """A scan cannot be resumed: one line, why and what to do."""


class Scan:
    """One scan.

    Args:
        options: what to do.
        resume: go on from the checkpoint in the output folder, if there is one.

    Raises:
        OptionsError: the options make no sense.
        UnreadableError: the format of a file is not known.
        ListError: a list of the operator's cannot be used.
        OSError: or not be read.
    """

    def __init__(self, options: Options, *, resume: bool = False) -> None:
        _check(options)
        self._options = options
        self._known = read_lists(options.lists, NumberPlan.of(options.settings.country))
        self._sources = open_sources(options.files, options.format, options.settings)
        self._reorder = Reorder(options.window)
        self._judge = Judge(
            Charge(
                options.settings.country,
                options.settings.timezone,
                options.detect,
                options.each_call,
                self._known,
                options.shards,
            )
        )
        self._counts: Counter[str] = Counter()
        self._reasons: Counter[str] = Counter()
        self._span = _Span()
        self._before = 0.0
        self._wanted = resume
        self._checkpoint = Checkpoint(options.out / CHECKPOINT)

    def run(
        self,
        should_stop: Callable[[], bool] = lambda: False,
        on_progress: Callable[[Progress], None] = lambda _: None,
    ) -> Result:
        """Read, judge, write. Can be done once.

        Args:
            should_stop: asked between batches; if it says so, a checkpoint is written and the scan ends unfinished.
            on_progress: told after every batch.

        Raises:
            OptionsError: another scan is writing into the output folder.
            ResumeError: the checkpoint belongs to other files or settings.
            DamagedError: the checkpoint cannot be read.
            OSError: the output folder cannot be written to.
        """
        self._options.out.mkdir(parents=True, exist_ok=True)
        with _locked(self._options.out):
            self._open_outputs()
            self._merge = Merge(self._sources)
            try:
                return self._run(should_stop, on_progress)
            finally:
                self._merge.close()
                self._alerts.close()
                self._rejected.close()
                self._forged.close()

    def _open_outputs(self) -> None:
        out = self._options.out
        sizes = self._resume() if self._wanted else None
        if sizes is None:
            self._checkpoint.remove()  # before anything else: it does not belong to the new files
            for name in (*OUTPUTS, JOURNAL):
                (out / name).unlink(missing_ok=True)
            clear(out)
        try:
            self._rejected = JsonLines(out / REJECTED, sizes["rejected"] if sizes else 0)
            self._forged = JsonLines(out / JOURNAL, sizes["forged"] if sizes else 0)
        except ValueError as error:
            raise ResumeError(f"{error}; scan without --resume") from error
        self._alerts = JsonLines(out / ALERTS_JSONL)
        self._write_raised([story.alert for story in self._judge.found()])

    def _run(self, should_stop: Callable[[], bool], on_progress: Callable[[Progress], None]) -> Result:
        began = saved = time.monotonic()
        pause = CHECKPOINT_SECONDS
        calls_before = self._counts["judged"] + len(self._reorder)
        while (step := self._merge.next()) is not None:
            self._take(*step)
            calls = self._reorder.ready(self._merge.safe(), self._merge.slack())
            self._judge_calls(calls, self._reorder.watermark)
            now = time.monotonic()
            on_progress(self._progress(now - began, calls_before))
            if should_stop():
                self._save(now - began)
                return self._write(self._before + time.monotonic() - began, finished=False)
            if now - saved >= pause:
                self._save(now - began)
                saved = time.monotonic()
                pause = max(CHECKPOINT_SECONDS, 20 * (saved - now))  # a large state is saved less often
        self._judge_calls(self._reorder.flush(), NEVER)
        result = self._write(self._before + time.monotonic() - began, finished=True)
        self._checkpoint.remove()
        (self._options.out / JOURNAL).unlink(missing_ok=True)
        return result

    def _take(self, place: int, chunk: Chunk) -> None:
        """Take a chunk into the reorder window."""
        source = self._sources[place]
        self._counts.update(chunk.notes)
        self._put_aside(place, chunk.rejected)
        if chunk.table != "calls":
            self._take_others(place, chunk)
            return
        calls, rejected = self._judge.take_calls(chunk, place)
        source.calls += len(calls)
        self._put_aside(place, rejected)
        self._put_late_aside(self._reorder.push(calls))

    def _take_others(self, place: int, chunk: Chunk) -> None:
        if chunk.table == "texts":
            rejected = self._judge.take_texts(chunk)
        else:
            rejected = self._judge.take_transfers(chunk, place)
        self._sources[place].ignored -= len(rejected)
        self._put_aside(place, rejected)
        self._raise(self._judge.new_texts())

    def _raise(self, alerts: Sequence[Alert]) -> None:
        self._write_raised(alerts)
        self._counts["alerts"] += len(alerts)

    def _write_raised(self, alerts: Sequence[Alert]) -> None:
        self._alerts.write(alert.as_dict() for alert in alerts)

    def _put_aside(self, place: int, rejected: Sequence[Rejected]) -> None:
        source = self._sources[place]
        source.rejected += len(rejected)
        self._rejected.write(rejected_row(source, row) for row in rejected)
        self._reasons.update(row.reason for row in rejected)

    def _put_late_aside(self, late: Calls) -> None:
        """Put rows aside that come too late; all are of the file that was just read."""
        if not len(late):
            return
        place = int(late.origin[0]) >> ROW_BITS
        rows = (late.origin & ((1 << ROW_BITS) - 1)).tolist()
        self._sources[place].calls -= len(rows)
        self._put_aside(place, [Rejected(row, LATE) for row in rows])

    def _judge_calls(self, calls: Calls, until: int) -> None:
        """Run the pass over ordered calls, some at a time."""
        if len(calls) or until == NEVER:
            for part, watermark in batches(calls, until, self._options.batch):
                self._judge_batch(part, watermark)

    def _judge_batch(self, calls: Calls, watermark: int) -> None:
        self._counts["judged"] += len(calls)
        alerts = self._judge.judge(calls, watermark)
        self._forged.write(journal_rows(self._judge.stories.named, self._judge.callers))
        self._span.take(calls, self._judge.engine.last)
        self._raise(alerts)

    def _progress(self, seconds: float, calls_before: int) -> Progress:
        return Progress(
            done=self._merge.done,
            total=sum(source.size for source in self._sources),
            calls=self._counts["judged"] + len(self._reorder),
            calls_now=self._counts["judged"] + len(self._reorder) - calls_before,
            alerts=self._counts["alerts"],
            seconds=seconds,
        )

    def _lines(self) -> int | None:
        """How many lines were called; None where the memory has begun to forget lines."""
        tables = [shard.lines for shard in self._judge.engine.shards]
        if self._span.length > LINE_LIFE or any(table.forgotten for table in tables):
            return None
        return sum(int(table.count[0]) for table in tables)

    def _summary(self, seconds: float, *, finished: bool) -> Summary:
        counts = self._counts + self._judge.counts
        notes = {k: v for k, v in sorted(counts.items()) if k not in {"judged", "alerts"}}
        notes |= {"repeated": self._reorder.repeated, "late": self._reorder.moved}
        notes["transfers_repeated"] = self._judge.transfers.repeated
        settings = self._options.settings
        return Summary(
            files=[SourceFile(s.name, s.format.NAME, s.rows, s.calls, s.rejected) for s in self._sources],
            calls=counts["judged"],
            lines=self._lines(),
            first=self._span.first,
            last=self._span.last,
            rejected=dict(self._reasons.most_common()),
            notes={name: count for name, count in notes.items() if count},
            seconds=seconds,
            country=settings.country,
            timezone=settings.timezone,
            finished=finished,
        )

    def _write(self, seconds: float, *, finished: bool) -> Result:
        """Put the files into place: what was found, in its final form or as far as it is known."""
        summary = self._summary(seconds, finished=finished)
        stories = self._judge.found()
        self._rejected.write(
            {"file": source.name, "row": None, "reason": source.broken}
            for source in self._sources
            if source.broken
        )
        write_alerts(self._options.out, [story.alert for story in stories])
        trunks = self._write_trunks()
        pieces = (piece.encode() for piece in render(summary, stories, trunks))
        replace_file(self._options.out / REPORT, pieces)
        return Result(summary, stories, [s.broken for s in self._sources if s.broken], finished)

    def _write_trunks(self) -> list[Trunk]:
        options, journal = self._options, self._options.out / JOURNAL
        judge = self._judge
        found = found_trunks(journal, judge.callers, judge.trunks)
        calls = forged_calls(journal, judge.callers)
        write_trunks(options.out, found, calls, judge.engine.last, options.settings.timezone)
        return found

    def _asked(self) -> dict[str, Any]:
        """What a checkpoint must agree with."""
        options = self._options
        return {
            "version": __version__,
            "files": [source.signature for source in self._sources],
            "formats": [source.format.NAME for source in self._sources],
            "detectors": list(options.detect) if options.detect else None,
            "settings": asdict(options.settings),
            "window": options.window,
            "shards": options.shards,
            "each_call": options.each_call,
            "lists": self._known.digest,
        }

    def _save(self, seconds: float) -> None:
        arrays = self._judge.arrays()
        arrays |= {f"{_REORDER}{name}": array for name, array in self._reorder.arrays().items()}
        state = {
            "asked": self._asked(),
            "sources": [source.as_json() for source in self._sources],
            "judge": self._judge.as_json(),
            "counts": self._counts,
            "reasons": self._reasons,
            "span": asdict(self._span),
            "seconds": self._before + seconds,
            "sizes": {"rejected": self._rejected.size(), "forged": self._forged.size()},
        }
        self._checkpoint.save(arrays, state)

    def _resume(self) -> dict[str, int] | None:
        found = self._checkpoint.load()
        if found is None:
            return None
        arrays, state = found
        self._compare(state.get("asked", {}))
        try:
            return self._restore(arrays, state)
        except (KeyError, ValueError) as error:
            raise ResumeError(
                "the scan was interrupted in another version of the program; scan without --resume"
            ) from error

    def _restore(self, arrays: Arrays, state: dict[str, Any]) -> dict[str, int]:
        self._judge.restore(arrays, state["judge"])
        held = {k.removeprefix(_REORDER): v for k, v in arrays.items() if k.startswith(_REORDER)}
        self._reorder.restore(held)
        for source, saved in zip(self._sources, state["sources"], strict=True):
            source.restore(saved)
        self._counts = Counter(state["counts"])
        self._reasons = Counter(state["reasons"])
        self._span = _Span(**state["span"])
        self._before = state["seconds"]
        sizes: dict[str, int] = state["sizes"]
        return sizes

    def _compare(self, before: dict[str, Any]) -> None:
        """Refuse to go on with other files or settings."""
        asked = self._asked()
        if before == asked:
            return
        different = next(name for name in asked if before.get(name) != asked[name])
        what = f"the {different} of the interrupted scan were others"
        if different == "version":
            what = "the scan was interrupted in another version of the program"
        elif different == "files" and [f[:1] for f in before["files"]] == [f[:1] for f in asked["files"]]:
            changed = next(s for s, f in zip(self._sources, before["files"], strict=True) if s.signature != f)
            what = f"{changed.name} has changed since the scan was interrupted"
        raise ResumeError(f"{what}; scan without --resume to begin again")


@dataclass(slots=True)
class _Span:
    """µs: the first and the last set-up, and the latest moment judged."""

    first: int | None = None
    last: int | None = None
    latest: int = 0

    def take(self, calls: Calls, latest: int) -> None:
        if len(calls):
            self.first = int(calls.start[0]) if self.first is None else self.first
            self.last = int(calls.start[-1])
        self.latest = latest

    @property
    def length(self) -> int:
        return self.latest - self.first if self.first is not None else 0


def _check(options: Options) -> None:
    """Refuse options that make no sense, before anything is written."""
    try:
        NumberPlan.of(options.settings.country)
    except ValueError as error:
        raise OptionsError(str(error)) from error
    try:
        ZoneInfo(options.settings.timezone)
    except (KeyError, ValueError, OSError) as error:
        raise OptionsError(
            f"unknown timezone {options.settings.timezone!r}; an IANA name is needed, such as Asia/Shanghai"
        ) from error
    if options.format is not None and options.format not in formats():
        known = ", ".join(sorted(formats()))
        raise OptionsError(f"unknown format {options.format!r}; known are {known}")
    _check_mapping(options)
    names = {detector.NAME for detector in ALL_DETECTORS}
    unknown = [name for name in options.detect or () if name not in names]
    if unknown or options.detect == ():
        wanted = unknown[0] if unknown else ""
        raise OptionsError(f"unknown detector {wanted!r}; known are {', '.join(sorted(names))}")
    if min(options.window, options.batch, options.shards) < 1:
        raise OptionsError("window, batch and shards must be at least 1")
    if options.out.exists() and not options.out.is_dir():
        raise OptionsError(f"{options.out} is a file, not a folder; name another folder with --out")
    written = {(options.out / name).resolve() for name in (*OUTPUTS, TRUNKS_CSV, JOURNAL, CHECKPOINT)}
    for path in options.files:
        if path.resolve() in written:
            raise OptionsError(f"{path} would be overwritten; name another folder with --out")


def _check_mapping(options: Options) -> None:
    """Refuse a mapping that is missing or wrong."""
    for fmt in formats().values():
        needs = getattr(fmt, "NEEDS_MAPPING", False)
        if needs and (options.settings.mapping is not None or options.format == fmt.NAME):
            try:
                next(fmt.read(BytesIO(), options.settings), None)
            except UnreadableError as error:
                raise OptionsError(str(error)) from error


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Keep a second scan out of a folder for as long as this one, or its process, lives."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise OptionsError(
                f"another scan is writing into {folder}; name another folder with --out"
            ) from error
        except OSError:
            pass  # a file system without locks
        yield
    finally:
        os.close(descriptor)


def scan(options: Options, **how: Any) -> Result:
    """Scan in one go."""
    return Scan(options).run(**how)
