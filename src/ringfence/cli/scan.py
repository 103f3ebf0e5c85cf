"""`ringfence scan`."""

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from ringfence.cli.errors import ASKED_WRONGLY, FAILED, fail
from ringfence.ingest.format import Settings, UnreadableError, formats
from ringfence.ingest.reorder import WINDOW_ROWS
from ringfence.model.alert import Alert, rfc3339
from ringfence.model.spans import span
from ringfence.shell.scan import Options, Result, ResumeError, Scan
from ringfence.shell.scan import Progress as Step


def scan(
    files: Annotated[
        list[Path], typer.Argument(help="Call records, in any format that is known.", metavar="FILES…")
    ],
    out: Annotated[Path, typer.Option(help="Folder for alerts, rejected rows and the report.")],
    format: Annotated[  # noqa: A002
        str | None, typer.Option(help="Format of all files; by default each is recognised by its content.")
    ] = None,
    detect: Annotated[
        str | None, typer.Option(help="Detectors to run, such as flood; by default all. Several: a,b.")
    ] = None,
    country: Annotated[
        str,
        typer.Option(
            help="Country of numbers written in national form (ISO 3166).", envvar="RINGFENCE_COUNTRY"
        ),
    ] = "CN",
    timezone: Annotated[
        str, typer.Option(help="Zone of times written without one (IANA).", envvar="RINGFENCE_TIMEZONE")
    ] = "UTC",
    mapping: Annotated[
        Path | None, typer.Option(help="Mapping file (TOML) for CSV of another shape; see docs/formats.md.")
    ] = None,
    reorder_rows: Annotated[
        int, typer.Option(help="Rows held back to put disorder right.", min=1)
    ] = WINDOW_ROWS,
    each_call: Annotated[
        bool,
        typer.Option("--each-call", help="One forged_caller alert for each call, not one a number and day."),
    ] = False,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on where an interrupted scan stopped.")
    ] = False,
) -> None:
    """Read call records, recognise crime in them, write explained alerts and a report."""
    del each_call  # concerns forged_caller only
    options = Options(
        files=files,
        out=out,
        format=_known_format(format, mapping),
        detect=tuple(detect.split(",")) if detect else None,
        settings=Settings(country.upper(), timezone, _text_of(mapping)),
        window=reorder_rows,
    )
    result = run_scan(options, resume=resume)
    show(result, options.out)
    for message in result.broken:
        typer.echo(f"ringfence: {message}", err=True)
    if not result.finished:
        fail(f"interrupted; go on with: ringfence scan … --out {out} --resume", FAILED)
    if result.broken:
        raise typer.Exit(FAILED)


def _known_format(name: str | None, mapping: Path | None) -> str | None:
    if name is None:
        return "mapped_csv" if mapping else None
    if name not in formats():
        fail(f"--format {name} is not known; it is one of {', '.join(sorted(formats()))}", ASKED_WRONGLY)
    return name


def _text_of(mapping: Path | None) -> str | None:
    try:
        return mapping.read_text("utf-8") if mapping else None
    except (OSError, ValueError) as error:
        fail(f"--mapping {mapping} cannot be read: {error}", ASKED_WRONGLY)


def run_scan(options: Options, *, resume: bool = False) -> Result:
    """Run a scan with a progress bar; ends the program with one line if it cannot."""
    missing = [str(path) for path in options.files if not path.is_file()]
    if missing:
        fail(f"{missing[0]}: no such file", ASKED_WRONGLY)
    try:
        with _stop_on_signal() as should_stop, _progress_bar() as on_progress:
            return Scan(options, resume=resume).run(should_stop, on_progress)
    except (ResumeError, UnreadableError, ValueError) as error:
        fail(str(error), ASKED_WRONGLY)
    except OSError as error:
        fail(f"{error.filename or options.out}: {error.strerror}", FAILED)


@contextmanager
def _stop_on_signal() -> Iterator[Callable[[], bool]]:
    """SIGINT and SIGTERM ask the scan to stop at the next batch and leave a checkpoint."""
    asked: list[int] = []

    def note(number: int, _: FrameType | None) -> None:
        asked.append(number)

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
            rate = step.calls / max(step.seconds, 1e-3)
            bar.update(
                task, completed=step.done, total=step.total, calls=step.calls, rate=rate, alerts=step.alerts
            )

        yield show_step


def show(result: Result, out: Path) -> None:
    """Print what was found: a short table, and where the report lies."""
    console = Console(width=None if Console().is_terminal else 120)
    summary = result.summary
    rejected = sum(summary.rejected.values())
    rate = summary.calls / max(summary.seconds, 1e-3)
    console.print(
        f"{summary.calls:,} calls in {span(summary.seconds)} ({rate:,.0f}/s), {rejected:,} rows put aside,"
        f" {len(result.stories)} alerts",
        highlight=False,
    )
    if result.stories:
        console.print(_table([story.alert for story in result.stories]))
    if result.finished:
        console.print(f"report: {out / 'report.html'}", highlight=False, soft_wrap=True)


_SHOWN = 20


def _table(alerts: list[Alert]) -> Table:
    table = Table(box=None, pad_edge=False)
    for heading in ("kind", "subject", "recognised", "after", "calls", "closed", "how", "probability"):
        table.add_column(heading)
    for alert in alerts[:_SHOWN]:
        first = alert.episodes[0]
        table.add_row(
            alert.kind,
            alert.subject,
            (rfc3339(alert.raised_at) or "")[:19],
            span((alert.raised_at - first.began_at) / 1e6),
            str(sum(episode.calls for episode in alert.episodes)),
            (rfc3339(alert.closed_at) or "still going on")[:19],
            alert.hypothesis,
            f"{alert.probability:.3f}",
        )
    if len(alerts) > _SHOWN:
        table.caption = f"and {len(alerts) - _SHOWN} more in alerts.jsonl"
    return table
