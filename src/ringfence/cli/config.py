"""`ringfence config`: the service's configuration explained. The work is in `shell/service`, whose libraries load slowly."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ringfence.cli.errors import ASKED_WRONGLY, plain, say

if TYPE_CHECKING:
    from ringfence.shell.service.settings import Config

config = typer.Typer(
    name="config",
    help="Check, show and explain the configuration of the service.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


@config.command()
def check(
    file: Annotated[Path, typer.Argument(help="Configuration (TOML).", metavar="FILE")],
) -> None:
    """Say what is wrong with a configuration, a line for each mistake, and what should be thought over.

    Exit codes: 0 it can be used (there may be warnings), 2 it has mistakes.
    """
    from ringfence.shell.service.config_check import check as found_in

    settings = _load(file)
    found = found_in(settings, file)
    for finding in found:
        say(f"{file}: {'' if finding.mistake else 'warning: '}{finding.text}")
    if any(finding.mistake for finding in found):
        raise typer.Exit(ASKED_WRONGLY)
    typer.echo(plain(f"{file}: can be used"))


@config.command()
def show(
    file: Annotated[
        Path | None,
        typer.Option("--config", help="Configuration (TOML); left out: the defaults.", metavar="FILE"),
    ] = None,
) -> None:
    """Print the settings that hold in the end: file, environment and defaults. Secrets are masked."""
    from ringfence.shell.service.settings_page import effective

    typer.echo(effective(_load(file)), nl=False)


@config.command()
def example(
    data: Annotated[
        Path | None,
        typer.Option(
            help="Folder of everything that is kept; left out: it depends on the user.", metavar="FOLDER"
        ),
    ] = None,
) -> None:
    """Print a whole configuration with comments and defaults."""
    from ringfence.shell.service.settings_page import example as text

    typer.echo(text(data), nl=False)


def _load(file: Path | None) -> "Config":
    from ringfence.shell.service.config import ConfigError, load

    try:
        return load(file)
    except ConfigError as error:
        for line in error.lines:
            say(line)
        raise typer.Exit(ASKED_WRONGLY) from error
