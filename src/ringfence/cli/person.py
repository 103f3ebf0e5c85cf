"""`ringfence person`: what is kept of a person, in one archive, or gone. The service must not be running; else ask its API."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ringfence.cli.errors import ASKED_WRONGLY, FAILED, fail, need_folder_of, say

if TYPE_CHECKING:
    from ringfence.shell.service.service import Service

person = typer.Typer(
    name="person",
    help="Export or erase what is kept of a person (the service is stopped; else POST /v1/persons/…).",
    no_args_is_help=True,
    rich_markup_mode=None,
)
Number = Annotated[str, typer.Argument(help="The person's number, E.164.", metavar="NUMBER")]
Config = Annotated[Path | None, typer.Option("--config", help="The configuration of the service.")]
Data = Annotated[Path | None, typer.Option("--data", help="Its data folder, if there is no configuration.")]


@person.command()
def export(
    number: Number,
    out: Annotated[Path, typer.Option("--out", help="ZIP to write: records, alerts, who looked.")],
    config: Config = None,
    data: Data = None,
) -> None:
    """Write all that is kept of a person into a ZIP.

    Exit codes: 0 done, 1 it could not do the work, 2 it was asked wrongly.
    """
    from ringfence.shell.service.person import export as export_person

    need_folder_of(out)
    with _opened(config, data) as service:
        counts = export_person(service, number, out)
        _write_down(service, "person.export", number)
    say(f"{out}: " + ", ".join(f"{count:,} {name}" for name, count in counts.items()))


@person.command()
def erase(number: Number, config: Config = None, data: Data = None) -> None:
    """Erase a person's number from records, alerts and memory; what cases hold goes with them.

    Exit codes: 0 done, 1 it could not do the work, 2 it was asked wrongly.
    """
    from ringfence.shell.service.person import erase as erase_person

    with _opened(config, data) as service:
        done = erase_person(service, number)
        _write_down(service, "person.erase", None)
    records = sum(done["records"]["records"].values())
    held = sum(done["records"]["held"].values())
    say(f"erased from {records:,} records and {done['alerts']['alerts'] + done['alerts']['redacted']:,} alerts; cases hold {held:,} records")  # fmt: skip


@contextmanager
def _opened(config: Path | None, data: Path | None) -> "Iterator[Service]":
    import os

    from ringfence.shell.records import RecordsError
    from ringfence.shell.service.config import ConfigError, load
    from ringfence.shell.service.person import NoNumberError
    from ringfence.shell.service.service import Service
    from ringfence.shell.service.wiring import plan_of
    from ringfence.shell.store.database import StoreError

    env = dict(os.environ)
    if data is not None:
        env["RINGFENCE__SERVICE__DATA"] = str(data.resolve())
    try:
        plan = plan_of(load(config, env))
        if not plan.data.is_dir():
            fail(f"{plan.data}: there is no such folder; name the service's with --data", ASKED_WRONGLY)
        service = Service(plan)
    except ConfigError as error:
        fail(error.lines[0], ASKED_WRONGLY)
    except (StoreError, RecordsError, OSError) as error:
        fail(str(error), FAILED)
    try:
        service.compile()
        service.recover()
        yield service
    except NoNumberError as error:
        fail(str(error), ASKED_WRONGLY)
    except (StoreError, RecordsError, OSError) as error:
        fail(str(error), FAILED)
    finally:
        service.stop()


def _write_down(service: "Service", what: str, number: str | None) -> None:
    import getpass

    from ringfence.shell.service.person import number_of
    from ringfence.shell.store.audit import Access

    written = None if number is None else number_of(service, number)[1]
    service.store.audit.append(service.clock(), Access(f"cli:{getpass.getuser()}", what, None, written))
