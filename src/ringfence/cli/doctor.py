"""`ringfence doctor`: what is wrong with an installation."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Final

import typer

from ringfence.cli.errors import FAILED, plain


class Language(StrEnum):
    """Of what is printed."""

    en = "en"
    zh = "zh"


_WORDS: Final = {"ok": ("ok  ", "正常"), "warn": ("warn", "注意"), "bad": ("bad ", "故障")}


def doctor(
    config: Annotated[
        Path | None, typer.Option(help="Configuration (TOML); left out: the defaults.", metavar="FILE")
    ] = None,
    language: Annotated[Language, typer.Option(help="Of what is printed.")] = Language.en,
) -> None:
    """Look at this installation: a line for each check, and what to do where something is wrong.

    Exit codes: 0 nothing is wrong (there may be warnings), 1 something is.
    """
    from ringfence.shell.service.doctor import admit, examine

    place = 0 if language is Language.en else 1
    worst = False
    for finding in examine(admit(config)):
        worst |= finding.level == "bad"
        advice = finding.do[place]
        arrow = " -> " if place == 0 else " → "
        typer.echo(
            plain(f"{_WORDS[finding.level][place]}  {finding.what[place]}{arrow + advice if advice else ''}")
        )
    if worst:
        raise typer.Exit(FAILED)
