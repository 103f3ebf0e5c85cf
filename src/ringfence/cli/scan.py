"""`ringfence scan`: what can be asked for. The work is in `work`, whose libraries take a second to load."""

import shlex
import sys
from pathlib import Path
from typing import Annotated

import typer

from ringfence.cli.errors import ASKED_WRONGLY, FAILED, fail, say


def scan(
    files: Annotated[
        list[Path],
        typer.Argument(
            help="Call records, and texts that recipients handed over; any format that is known.",
            metavar="FILES…",
        ),
    ],
    out: Annotated[Path, typer.Option(help="Folder for alerts, rejected rows and the report.")],
    format: Annotated[  # noqa: A002
        str | None, typer.Option(help="Format of all files; by default each is recognised by its content.")
    ] = None,
    detect: Annotated[
        str | None,
        typer.Option(help="Detectors to run, such as flood or extortion_text; by default all. Several: a,b."),
    ] = None,
    country: Annotated[
        str,
        typer.Option(
            help="Country whose rules hold, and of numbers written in national form (ISO 3166).",
            envvar="RINGFENCE_COUNTRY",
        ),
    ] = "CN",
    timezone: Annotated[
        str, typer.Option(help="Zone of times written without one (IANA).", envvar="RINGFENCE_TIMEZONE")
    ] = "UTC",
    mapping: Annotated[
        Path | None, typer.Option(help="Mapping file (TOML) for CSV of another shape; see docs/formats.md.")
    ] = None,
    reorder_rows: Annotated[int, typer.Option(help="Rows held back to put disorder right.", min=1)] = 1 << 19,
    lists: Annotated[
        Path | None,
        typer.Option(
            help="Folder with the operator's own lists (own.txt, never.txt, …); see docs/packs.md.",
            metavar="FOLDER",
        ),
    ] = None,
    each_call: Annotated[
        bool,
        typer.Option("--each-call", help="One forged_caller alert for each call, not one a number and day."),
    ] = False,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on where an interrupted scan stopped.")
    ] = False,
) -> None:
    """Read call records, recognise crime in them, write explained alerts and a report.

    An interrupted scan (Ctrl-C) says how to go on. Exit codes: 0 done, 1 it could not do the work (or was
    interrupted), 2 it was asked wrongly.
    """
    from ringfence.cli.work import run_scan, show
    from ringfence.ingest.format import Settings
    from ringfence.shell.scan import Options

    options = Options(
        files=files,
        out=out,
        format=format,
        detect=None if detect is None else tuple(name.strip() for name in detect.split(",")),
        settings=Settings(country.strip().upper(), timezone, _text_of(mapping)),
        window=reorder_rows,
        each_call=each_call,
        lists=lists,
    )
    result = run_scan(options, resume=resume)
    show(result, out)
    for message in result.broken:
        say(message)
    if not result.finished:
        fail(f"interrupted; go on with: {_again()}", FAILED)
    if result.broken:
        raise typer.Exit(FAILED)


def _text_of(mapping: Path | None) -> str | None:
    try:
        return mapping.read_text("utf-8") if mapping else None
    except OSError as error:
        fail(f"--mapping {mapping}: {error.strerror}", ASKED_WRONGLY)
    except ValueError:
        fail(f"--mapping {mapping}: it is not UTF-8 text", ASKED_WRONGLY)


def _again() -> str:
    """The command that goes on with this scan."""
    said = sys.argv[1:]
    return shlex.join(["ringfence", *said, *([] if "--resume" in said else ["--resume"])])
