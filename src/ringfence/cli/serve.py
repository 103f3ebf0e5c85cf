"""`ringfence serve`: the live service."""

import gc
import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ringfence.cli.errors import ASKED_WRONGLY, FAILED, fail, say

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ringfence.shell.service.settings import Config


def serve(
    config: Annotated[Path | None, typer.Option(help="Configuration (TOML); docs/configuration.md.")] = None,
    demo: Annotated[
        bool,
        typer.Option(
            "--demo", help="A live synthetic city; the desk is open without a token, on loopback only."
        ),
    ] = False,
    data: Annotated[Path | None, typer.Option(help="Folder of everything that is kept.")] = None,
    port: Annotated[int | None, typer.Option(help="Port of desk and API.", min=0, max=65_535)] = None,
    replay: Annotated[
        list[Path] | None, typer.Option(help="Records to be told live; may be given several times.")
    ] = None,
    speed: Annotated[
        float,
        typer.Option(help="Of the replay: seconds of theirs in one of ours; 0: as fast as possible.", min=0),
    ] = 1.0,
    format: Annotated[str | None, typer.Option(help="Format of the replayed files.")] = None,  # noqa: A002
) -> None:
    """Take events in, recognise crime while it is committed, show it at the desk, tell it on.

    Stops on SIGTERM and Ctrl-C with everything on disk; after a crash it goes on where it was.
    """
    env = dict(os.environ)
    if demo:
        env["RINGFENCE__SERVICE__DEMO"] = "true"
    if data is not None:
        env["RINGFENCE__SERVICE__DATA"] = str(data.resolve())
    if port is not None:
        env["RINGFENCE__SERVICE__PORT"] = str(port)
    gc.disable()  # nothing of what is loaded is let go of, and looking it through takes a tenth of the start; `run` enables it
    try:
        _serve(config, env, replay or [], speed, format)
    finally:
        gc.enable()


def _serve(
    file: Path | None,
    env: "Mapping[str, str]",
    replay: list[Path],
    speed: float,
    format: str | None,  # noqa: A002
) -> None:
    from ringfence.model.number_lists import ListError
    from ringfence.shell.records import RecordsError
    from ringfence.shell.service.config import ConfigError
    from ringfence.shell.service.endpoints import EndpointError
    from ringfence.shell.store.database import StoreError

    found = _checked(file, env, replay=bool(replay))
    from ringfence.shell.service.run import run
    from ringfence.shell.service.wiring import Told

    told = Told(replay, speed, format) if replay else None
    secure = "https" if found.service.tls_cert else "http"
    say(f"Ringfence: {secure}://{found.service.host}:{found.service.port}/ (Ctrl-C stops it)")
    try:
        run(found, told)
    except (ConfigError, EndpointError) as error:
        fail(str(error), ASKED_WRONGLY)
    except (ListError, StoreError, RecordsError, OSError) as error:
        fail(str(error), FAILED)


def _checked(file: Path | None, env: "Mapping[str, str]", *, replay: bool) -> "Config":
    """The configuration, once nothing in it is wrong; what should be thought over is said."""
    from ringfence.shell.service.config import ConfigError, load
    from ringfence.shell.service.config_check import check

    try:
        config = load(file, env)
    except ConfigError as error:
        for line in error.lines:
            say(line)
        raise typer.Exit(ASKED_WRONGLY) from error
    found = check(config, file, env, replay=replay)
    for finding in found:
        say(f"{file or 'configuration'}: {'' if finding.mistake else 'warning: '}{finding.text}")
    if any(finding.mistake for finding in found):
        raise typer.Exit(ASKED_WRONGLY)
    return config
