"""`ringfence token`: who may use the API, and for what."""

import getpass
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from ringfence.cli.errors import ASKED_WRONGLY, FAILED, fail, plain, say

if TYPE_CHECKING:
    from ringfence.shell.store.store import Store
    from ringfence.shell.store.tokens import Token

token = typer.Typer(
    name="token",
    help="Make, list and revoke the tokens of the API; docs/tokens.md says what each scope opens.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
Data = Annotated[Path, typer.Option("--data", help="The folder of the service's data.", metavar="FOLDER")]
_DAY: Final = 86_400_000_000


@token.command()
def create(
    name: Annotated[str, typer.Argument(help="Who it is for; stands in the audit log.", metavar="NAME")],
    scope: Annotated[
        list[str], typer.Option("--scope", help="What it may do; once for each scope, or with commas.")
    ],
    data: Data,
    days: Annotated[
        int | None,
        typer.Option("--days", help="It expires after so many days; without, never.", min=1, max=36500),
    ] = None,
) -> None:
    """Make a token and show it, this once: only its hash is kept.

    Exit codes: 0 done, 1 it could not do the work, 2 it was asked wrongly.
    """
    from ringfence.shell.store.tokens import TokenError

    scopes = [each.strip() for said in scope for each in said.split(",") if each.strip()]
    now = now_us()
    until = None if days is None else now + days * _DAY
    with opened(data) as store:
        try:
            store.tokens.may_create(name, scopes, at=now, expires_at=until)
            _write_down(store, "token.create", name, now)
            secret = store.tokens.create(name, scopes, at=now, expires_at=until)
        except TokenError as error:
            fail(str(error), ASKED_WRONGLY)
    typer.echo(secret)
    say("keep it now: it is not shown again")


@token.command(name="list")
def show(data: Data) -> None:
    """List all tokens that ever were: how they begin, what they may do, when they were last used."""
    with opened(data) as store:
        tokens = store.tokens.list()
    now = now_us()
    for each in tokens:
        used = "never used" if each.used_at is None else f"used {_day(each.used_at)}"
        typer.echo(
            f"{each.beginning}…  {_standing(each, now):18} {used:16} {plain(each.name)}: {', '.join(each.scopes)}"
        )


@token.command()
def revoke(
    name: Annotated[str, typer.Argument(help="Whose.", metavar="NAME")],
    data: Data,
) -> None:
    """Make a token worthless; a running service knows within five seconds."""
    from ringfence.shell.store.tokens import TokenError

    now = now_us()
    with opened(data) as store:
        try:
            store.tokens.may_revoke(name)
            _write_down(store, "token.revoke", name, now)
            store.tokens.revoke(name, now)
        except TokenError as error:
            fail(str(error), ASKED_WRONGLY)
    typer.echo(f"revoked: {plain(name)}")


@contextmanager
def opened(data: Path) -> Iterator["Store"]:
    """The store of a service, or one line that says why not."""
    from ringfence.shell.store.database import FILE, StoreError
    from ringfence.shell.store.store import Store

    if not data.is_dir():
        fail(
            f"{data}: there is no such folder; name the one that the service keeps its {FILE} in",
            ASKED_WRONGLY,
        )
    try:
        with Store.open(data) as store:
            yield store
    except StoreError as error:
        fail(str(error), FAILED)


def now_us() -> int:
    """The clock, µs since 1970."""
    return time.time_ns() // 1000


def operator() -> str:
    """Who sits at the command line, for the audit log."""
    from ringfence.shell.store.redact import strings_with_a_number

    try:
        name = f"cli:{getpass.getuser()}"
    except (KeyError, OSError):
        return "cli"
    return "cli" if strings_with_a_number(name) else name


def _write_down(store: "Store", what: str, name: str, at: int) -> None:
    from ringfence.shell.store.audit import Access

    store.audit.append(at, Access(who=operator(), what=what, object=name))


def _standing(each: "Token", now: int) -> str:
    if each.revoked_at is not None:
        return f"revoked {_day(each.revoked_at)}"
    if each.expires_at is None:
        return "valid"
    return f"{'expired' if each.expires_at <= now else 'until'} {_day(each.expires_at)}"


def _day(at: int) -> str:
    from ringfence.model.alert import rfc3339

    return str(rfc3339(at))[:10]
