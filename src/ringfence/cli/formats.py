"""`ringfence formats`: what is read, and how."""

import inspect
from collections.abc import Iterator
from typing import Annotated

import typer

from ringfence.cli.errors import ASKED_WRONGLY, fail

_HEAD = """# Formats

Made by `ringfence formats --markdown`; each part is the documentation of one file in `src/ringfence/ingest/`.

`ringfence scan` recognises the format of every file by its content; `--format NAME` names it. Files may be plain, gzip or
Zstandard. Numbers may be written in national form (of `--country`), with `00` or `+`, as tel: or SIP URI. Times without a zone are in
`--timezone`; of a time that a clock change repeats the first is meant, one that it skips becomes the moment of the change; both are counted.
A clock that stepped by up to an hour during a call is put right and counted; more is rejected. Rows may be out of order and repeated.
"""


def formats(
    name: Annotated[str | None, typer.Argument(help="Show all there is to know about this format.")] = None,
    markdown: Annotated[bool, typer.Option("--markdown", help="Everything, as docs/formats.md.")] = False,
) -> None:
    """List the formats that are read."""
    from ringfence.ingest.format import formats as found

    if markdown:
        typer.echo("".join(pages()), nl=False)
    elif name is None:
        for known, fmt in sorted(found().items()):
            typer.echo(f"{known:18} {fmt.TITLE}")
    elif name in found():
        typer.echo(inspect.getdoc(found()[name]))
    else:
        fail(f"no format {name}; there are {', '.join(sorted(found()))}", ASKED_WRONGLY)


def pages() -> Iterator[str]:
    """docs/formats.md."""
    from ringfence.ingest.format import formats as found

    yield _HEAD
    for name, fmt in sorted(found().items()):
        yield f"\n## {name}\n\n{inspect.getdoc(fmt)}\n"
