"""`ringfence simulate`: a city of calls, with the truth beside."""

from datetime import date
from pathlib import Path
from typing import Annotated

import typer

from ringfence.cli.errors import ASKED_WRONGLY, FAILED, fail


def simulate(
    subscribers: Annotated[int, typer.Option(help="Own lines of the city.", min=500, max=20_000_000)],
    days: Annotated[float, typer.Option(help="How long it lives.", min=0.1, max=3_660)],
    out: Annotated[Path, typer.Option(help="Folder for calls, texts, transfers and the truth.")],
    seed: Annotated[int, typer.Option(help="The same seed gives the same city.", min=0)] = 1,
    country: Annotated[str, typer.Option(help="CN, US, GB, IN or CA.", envvar="RINGFENCE_COUNTRY")] = "CN",
    begin: Annotated[str, typer.Option(help="Its first day, such as 2026-03-02 (UTC).")] = "2026-03-02",
    intensity: Annotated[
        list[str] | None,
        typer.Option(
            help="NAME=FACTOR, several times: how much more of a crime or look-alike (by name, or `crime`, `look_alike`), "
            "of `texts` or `transfers`; a bare factor is for all crimes; 0: none."
        ),
    ] = None,
    quiet: Annotated[bool, typer.Option("--quiet", help="No progress bar and no summary.")] = False,
) -> None:
    """Write the records of a made-up city: ordinary life, what looks like crime, crime, and the truth about it.

    Records only: nothing here can place a call. Exit codes: 0 done, 1 it could not do the work (or was interrupted; then no
    file appears), 2 it was asked wrongly.
    """
    from ringfence.simulate.cast import ALL
    from ringfence.simulate.city import City
    from ringfence.simulate.countries import COUNTRIES

    if country.strip().upper() not in COUNTRIES:
        fail(f"--country {country}: no city of this country; there are {', '.join(COUNTRIES)}", ASKED_WRONGLY)
    factors = _factors(intensity or [], {*ALL, "crime", "look_alike", "texts", "transfers"})
    city = City(subscribers, days, seed, country.strip().upper(), _day(begin), factors)
    try:
        _run(city, out, quiet=quiet)
    except OSError as error:
        fail(f"{error.filename or out}: {error.strerror or error}", FAILED)
    except KeyboardInterrupt:
        fail("interrupted; no file was written", FAILED)


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        fail(f"--begin {text}: not a day; write it as 2026-03-02", ASKED_WRONGLY)


def _factors(said: list[str], names: set[str]) -> dict[str, float]:
    found = {}
    for text in said:
        name, _, factor = text.rpartition("=")
        name = name.strip() or "crime"
        if name not in names:
            fail(f"--intensity {text}: no {name}; there are {', '.join(sorted(names))}", ASKED_WRONGLY)
        try:
            found[name] = float(factor)
        except ValueError:
            fail(f"--intensity {text}: {factor} is no number; write it as {name}=2.5", ASKED_WRONGLY)
        if not 0 <= found[name] <= 10_000:
            fail(f"--intensity {text}: the factor must lie between 0 and 10000", ASKED_WRONGLY)
    return found


def _run(city: object, out: Path, *, quiet: bool) -> None:
    import time

    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    from ringfence.compiled import is_compiled
    from ringfence.simulate.city import City
    from ringfence.simulate.write import make

    assert isinstance(city, City)
    if not quiet and not is_compiled("simulate"):
        typer.echo("compiling the city, once on this machine (about a minute)", err=True)
    console = Console(stderr=True)
    columns = (
        TextColumn("simulating"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f} %  {task.fields[calls]:,} calls"),
        TimeRemainingColumn(),
    )
    began = time.monotonic()
    with Progress(*columns, console=console, disable=quiet or not console.is_terminal, transient=True) as bar:
        task = bar.add_task("city", total=1.0, calls=0)
        rows = make(city, out, lambda done, calls: bar.update(task, completed=done, calls=calls))
    if not quiet:
        seconds = time.monotonic() - began
        told = ", ".join(f"{count:,} {name}" for name, count in rows.items() if name != "truth_calls")
        typer.echo(f"{told} in {seconds:.1f} s ({rows['calls'] / max(seconds, 1e-3):,.0f} calls/s): {out}")
