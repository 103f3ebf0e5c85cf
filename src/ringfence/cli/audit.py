"""`ringfence audit`: whether the log of who looked at whom is whole, and the log itself."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from ringfence.cli.errors import ASKED_WRONGLY, FAILED, fail, need_folder_of
from ringfence.cli.token import Data, now_us, opened, operator

audit = typer.Typer(
    name="audit",
    help="Check and export the log of who read or changed what; docs/audit.md says what it can show.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


@audit.command()
def verify(
    data: Data,
    head: Annotated[
        str | None,
        typer.Option(
            "--head", help="What this command printed before, kept elsewhere: NUMBER:HASH.", metavar="HEAD"
        ),
    ] = None,
) -> None:
    """Follow the chain of the audit log from its first entry to its last, and print its head.

    Exit codes: 0 it is whole, 1 it is not (the line says where), 2 it was asked wrongly.
    """
    from ringfence.shell.store.audit import Head

    try:
        expected = None if head is None else Head.parse(head)
    except ValueError as error:
        fail(f"--head: {error}", ASKED_WRONGLY)
    with opened(data) as store:
        found = store.audit.verify(expected)
    if found.broken is not None:
        fail(f"the audit log is broken at entry {found.broken}: {found.why}", FAILED)
    typer.echo(str(found.head))


@audit.command()
def export(
    data: Data,
    numbers: Annotated[
        bool,
        typer.Option("--numbers/--no-numbers", help="With telephone numbers, or with their digests only."),
    ] = True,
    out: Annotated[
        Path | None,
        typer.Option("--out", help="The file to write; without, standard output.", metavar="FILE"),
    ] = None,
) -> None:
    """Write all entries as JSON Lines; that is written into the log, too."""
    from ringfence.shell.store.audit import Access

    if out is not None:
        need_folder_of(out)
    with opened(data) as store:
        access = Access(who=operator(), what="audit.export", details={"numbers": numbers})
        store.audit.append(now_us(), access)
        lines = store.audit.lines(numbers=numbers)
        if out is None:
            sys.stdout.buffer.writelines(lines)
            return
        try:
            with out.open("xb") as file:
                out.chmod(0o600)
                file.writelines(lines)
        except FileExistsError:
            fail(f"{out}: is there already; name a new file", ASKED_WRONGLY)
        except OSError as error:
            fail(f"{out}: {error.strerror}", FAILED)
