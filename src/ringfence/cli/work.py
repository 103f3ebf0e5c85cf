"""Running a scan for somebody at a terminal: progress, signals, errors in one line, a short table."""

import resource
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from ringfence.cli.errors import ASKED_WRONGLY, FAILED, fail, plain
from ringfence.compiled import is_compiled
from ringfence.ingest.format import UnreadableError
from ringfence.model.alert import Alert, rfc3339
from ringfence.model.number_lists import ListError
from ringfence.model.spans import span
from ringfence.shell.checkpoint import DamagedError
from ringfence.shell.scan import Options, OptionsError, Result, ResumeError, Scan
from ringfence.shell.scan import Progress as Step
from ringfence.shell.warm_up import warm_up

_SHOWN = 20


def run_scan(options: Options, *, resume: bool = False) -> Result:
    """Run a scan with a progress bar; ends the program with one line if it cannot."""
    with failing_plainly(options.out), _stop_on_signal() as should_stop:
        _check_files(options.files)
        _allow_files(len(options.files))
        scan = Scan(options, resume=resume)
        if not is_compiled("detect"):
            typer.echo("compiling the engine, once on this machine (two minutes or so)", err=True)
            warm_up()
        with _progress_bar() as on_progress:
            return scan.run(should_stop, on_progress)


@contextmanager
def failing_plainly(out: Path) -> Iterator[None]:
    """Turn what can go wrong outside the program into one line and an exit code."""
    try:
        yield
    except (ListError, OptionsError, ResumeError, UnreadableError) as error:
        fail(str(error), ASKED_WRONGLY)
    except DamagedError as error:
        fail(str(error), FAILED)
    except OSError as error:
        fail(f"{error.filename or out}: {error.strerror or error}", FAILED)


def _check_files(files: list[Path]) -> None:
    for path in files:
        if path.is_dir():
            fail(f"{path}: is a folder; name the files in it", ASKED_WRONGLY)
        if not path.exists():
            fail(f"{path}: no such file", ASKED_WRONGLY)
        if not path.is_file():
            fail(f"{path}: is not a regular file; write the records into one first", ASKED_WRONGLY)


def _allow_files(count: int) -> None:
    """Let the process hold many files open: those whose times overlap are read side by side."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = count + 200
    if soft != resource.RLIM_INFINITY and wanted > soft:
        most = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))


@contextmanager
def _stop_on_signal() -> Iterator[Callable[[], bool]]:
    """SIGINT and SIGTERM ask the scan to stop at the next batch and leave a checkpoint; a second one ends it at once."""
    asked: list[int] = []

    def note(number: int, _: FrameType | None) -> None:
        asked.append(number)
        signal.signal(number, before[signal.Signals(number)])

    before = {number: signal.signal(number, note) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield lambda: bool(asked)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def _progress_bar() -> Iterator[Callable[[Step], None]]:
    console = Console(stderr=True)
    columns = (
        TextColumn("scanning"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f} %  {task.fields[calls]:,} calls  {task.fields[rate]:,.0f}/s"),
        TimeRemainingColumn(),
        TextColumn("{task.fields[alerts]} alerts"),
    )
    with Progress(*columns, console=console, disable=not console.is_terminal, transient=True) as bar:
        task = bar.add_task("scan", calls=0, rate=0.0, alerts=0, total=None)

        def show_step(step: Step) -> None:
            rate = step.calls_now / max(step.seconds, 1e-3)
            bar.update(
                task, completed=step.done, total=step.total, calls=step.calls, rate=rate, alerts=step.alerts
            )

        yield show_step


def show(result: Result, out: Path) -> None:
    """Print what was found: a short table, and where the report lies."""
    console = Console(
        width=None if Console().is_terminal else 120, highlight=False, markup=False, emoji=False
    )
    summary = result.summary
    rejected = sum(summary.rejected.values())
    rate = summary.calls / max(summary.seconds, 1e-3)
    console.print(
        f"{_count(summary.calls, 'call')} in {span(summary.seconds)} ({rate:,.0f}/s),"
        f" {_count(rejected, 'row')} put aside, {_count(len(result.stories), 'alert')}",
        soft_wrap=True,
    )
    if rejected and not summary.calls:
        most = next(iter(summary.rejected))
        console.print(
            f"no row could be used; most often: {most} (all reasons: rejected.jsonl)", soft_wrap=True
        )
    if result.stories:
        console.print(_table([story.alert for story in result.stories]))
    console.print(f"report: {plain(str(out / 'report.html'))}", soft_wrap=True)


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}" + ("" if number == 1 else "s")


def _table(alerts: list[Alert]) -> Table:
    table = Table(box=None, pad_edge=False)
    for heading in ("kind", "subject", "recognised", "after", "calls", "closed", "how", "probability"):
        table.add_column(heading)
    for alert in alerts[:_SHOWN]:
        table.add_row(*(Text(plain(cell)) for cell in _cells(alert)))
    if len(alerts) > _SHOWN:
        table.caption = f"and {len(alerts) - _SHOWN} more in alerts.jsonl"
    return table


def _cells(alert: Alert) -> tuple[str, ...]:
    return (
        alert.kind,
        alert.subject,
        (rfc3339(alert.raised_at) or "")[:19],
        span((alert.raised_at - alert.episodes[0].began_at) / 1e6),
        str(sum(episode.calls for episode in alert.episodes)),
        (rfc3339(alert.closed_at) or "still going on")[:19],
        alert.hypothesis,
        f"{alert.probability:.3f}",
    )
