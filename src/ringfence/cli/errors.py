"""How commands fail: one line on stderr that says what is wrong and what to do."""

from typing import Final, NoReturn

import typer

FAILED: Final = 1  # it could not do the work
ASKED_WRONGLY: Final = 2


def fail(message: str, code: int) -> NoReturn:
    """Say what is wrong and leave."""
    typer.echo(f"ringfence: {message}", err=True)
    raise typer.Exit(code)
