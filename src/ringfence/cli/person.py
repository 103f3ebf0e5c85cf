"""`ringfence person`: what is kept of a person, in one archive, or gone. The service must not be running; else ask its API."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ringfence.cli.errors import ASKED_WRONGLY, FAILED, fail, need_folder_of, say
from ringfence.cli.token import operator

if TYPE_CHECKING:
    from ringfence.shell.service.service import Service

person = typer.Typer(
    name="person",
    help="Export or erase what is kept of a person (the service is stopped; else POST /v1/persons/…).",
    no_args_is_help=True,
    rich_markup_mode=None,
)
Number = Annotated[str, typer.Argument(help="The person's number, E.164.", metavar="NUMBER")]
Name = Annotated[bool, typer.Option("--name", help="NUMBER may be a name that callers show.")]
Config = Annotated[Path | None, typer.Option("--config", help="The configuration of the service.")]
Data = Annotated[Path | None, typer.Option("--data", help="Its data folder, if there is no configuration.")]


@person.command()
def export(
    number: Number,
    out: Annotated[Path, typer.Option("--out", help="ZIP to write: records, alerts, who looked.")],
    name: Name = False,
    config: Config = None,
    data: Data = None,
) -> None:
    """Write all that is kept of a person into a ZIP.

    Exit codes: 0 done, 1 it could not do the work, 2 it was asked wrongly.
    """
    from ringfence.shell.service.person import export as export_person
    from ringfence.shell.service.person import number_of

    need_folder_of(out)
    with _opened(config, data) as service:
        _write_down(service, "person.export", number_of(service, number, name=name)[1])
        counts = export_person(service, number, out, name=name)
    say(f"{out}: {_exported(counts)}")


@person.command()
def erase(number: Number, name: Name = False, config: Config = None, data: Data = None) -> None:
    """Erase a person's number from records, alerts and memory; what cases hold goes with them.

    Exit codes: 0 done, 1 it could not do the work, 2 it was asked wrongly.
    """
    from ringfence.shell.service.person import erase as erase_person
    from ringfence.shell.service.person import number_of

    with _opened(config, data) as service:
        number_of(service, number, name=name)
        _write_down(service, "person.erase", None)
        done = erase_person(service, number, name=name)
    say(_erased(done))


def _exported(counts: dict[str, int]) -> str:
    if sum(counts.values()) <= 1:  # the entry of this export
        return "nothing was found"
    return ", ".join(f"{count:,} {name}" for name, count in counts.items())


def _erased(done: dict[str, Any]) -> str:
    records, held = (sum(done["records"][which].values()) for which in ("records", "held"))
    alerts = done["alerts"]["alerts"] + done["alerts"]["redacted"]
    if not (records or held or alerts or done["audit"] or done["memory"]):
        return "nothing was found"
    return f"erased from {records:,} records and {alerts:,} alerts; cases hold {held:,} records"


@contextmanager
def _opened(config: Path | None, data: Path | None) -> "Iterator[Service]":
    import os

    from ringfence.model.number_lists import ListError
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
    except (ListError, StoreError, RecordsError, OSError) as error:
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
    from ringfence.shell.store.audit import Access

    service.store.audit.append(service.clock(), Access(operator(), what, None, number))
