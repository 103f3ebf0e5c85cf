"""`ringfence`: the commands, put together."""

import io
import sys
from typing import Annotated

import typer

from ringfence import __version__
from ringfence.cli.audit import audit
from ringfence.cli.bench import bench
from ringfence.cli.config import config
from ringfence.cli.demo import demo
from ringfence.cli.doctor import doctor
from ringfence.cli.evaluate import evaluate
from ringfence.cli.formats import formats
from ringfence.cli.person import person
from ringfence.cli.rank import rank
from ringfence.cli.scan import scan
from ringfence.cli.serve import serve
from ringfence.cli.simulate import simulate
from ringfence.cli.token import token
from ringfence.cli.train import train

app = typer.Typer(
    name="ringfence",
    help="Recognises telephone crime from call records while it is committed, and explains every alert.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.command()(serve)
app.command()(scan)
app.command()(simulate)
app.command()(demo)
app.command()(evaluate)
app.command()(rank)
app.add_typer(train)
app.add_typer(config)
app.add_typer(token)
app.add_typer(audit)
app.add_typer(person)
app.command()(doctor)
app.command()(formats)
app.command()(bench)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"ringfence {__version__}")
        raise typer.Exit


@app.callback()
def _main(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """Hold the options that belong to no command."""


def run() -> None:
    """Run the command line; an error that is the program's own is shown whole, to be reported."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(
                errors="replace"
            )  # a file name that the terminal cannot show is no reason to fail
    app()
