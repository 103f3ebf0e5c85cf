"""How commands fail: one line on stderr that says what is wrong and what to do."""

from pathlib import Path
from typing import Final, NoReturn

import typer

FAILED: Final = 1  # it could not do the work
ASKED_WRONGLY: Final = 2


def plain(text: str) -> str:
    """Text fit for a terminal and for one line: what cannot be printed becomes a question mark."""
    return "".join(character if character.isprintable() else "?" for character in text)


def say(message: str) -> None:
    """Say something on stderr, in one line."""
    typer.echo(f"ringfence: {plain(message)}", err=True)


def fail(message: str, code: int) -> NoReturn:
    """Say what is wrong and leave."""
    say(message)
    raise typer.Exit(code)


def need_folder_of(file: Path) -> None:
    """Leave if the folder that a file is to be written into is not there."""
    if not file.parent.is_dir():
        fail(f"{file}: there is no folder {file.parent}; make the folder first", ASKED_WRONGLY)
