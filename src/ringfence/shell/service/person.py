"""A person's data: all of it in one archive, or gone."""

import re
import zipfile
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import numpy as np
import orjson

from ringfence.detect.evidence import OPEN
from ringfence.detect.table import GONE, STRONG, Table
from ringfence.model.numbers import to_text
from ringfence.shell.service.cases import held_by
from ringfence.shell.service.service import Service
from ringfence.shell.service.standing import standing

_TELEPHONE: Final = re.compile(r"\+?[0-9]+")


class NoNumberError(ValueError):
    """What was given is no telephone number."""


def number_of(service: Service, text: str, *, name: bool = False) -> tuple[int, str]:
    """A number as the engine knows it, and as the records write it.

    Args:
        service: whose records.
        text: as somebody wrote it.
        name: a name that a caller shows will do as well; else a mistyped number would be one of which nothing is kept.

    Raises:
        NoNumberError: it is none.
    """
    judge = service.pipeline.judge
    try:
        number = judge.plan.parse_one(text)
    except ValueError:
        number = 0
    written = to_text(number, judge.names) or ""
    if not written or not (name or _TELEPHONE.fullmatch(written)):
        raise NoNumberError(
            'this is no telephone number; if callers show it as a name, say so (--name, or "name": true)'
        )
    return number, written


def export(service: Service, text: str, path: Path, *, name: bool = False) -> dict[str, int]:
    """Write all that is kept of a number into a ZIP; returns how many records, by what they are.

    Args:
        service: whose records.
        text: the number.
        path: of the ZIP.
        name: it may be a name that a caller shows.

    Raises:
        NoNumberError: it is none.
        RecordsError, StoreError, OSError: it cannot be done.
    """
    number, written = number_of(service, text, name=name)
    counts = service.records.export(written, path)
    with service.pipeline.lock:
        known = standing(service.pipeline.judge, number)
    parts = {
        "alerts.jsonl": service.store.people.find(written),
        "audit.jsonl": list(service.store.audit.entries(number=written)),
        "standing.json": [known],
    }
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive:
        for part, rows in parts.items():
            archive.writestr(part, b"".join(orjson.dumps(row) + b"\n" for row in rows))
    return counts | {"alerts": len(parts["alerts.jsonl"]), "audit": len(parts["audit.jsonl"])}


def erase(service: Service, text: str, *, name: bool = False) -> dict[str, Any]:
    """Erase a number from records, alerts, the audit log's names and the engine's memory.

    What an open or kept case holds of the records goes when the case does. The journal holds what came in for
    `journal.keep_h` hours more, and two snapshots until newer ones replace them.

    Args:
        service: whose records.
        text: the number.
        name: it may be a name that a caller shows.

    Raises:
        NoNumberError: it is none.
        RecordsError, StoreError: it cannot be done; to be asked again.
    """
    number, written = number_of(service, text, name=name)
    now = service.clock()
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=now)
    alerts = service.store.people.erase(written, now)
    records = service.records.erase(written, moment, lambda: held_by(service.store.alerts))
    audit = service.store.audit.erase(written)
    with service.pipeline.changing, service.pipeline.lock:
        memory = _forget(service, number)
    return {"alerts": asdict(alerts), "records": asdict(records), "audit": audit, "memory": memory}


def _forget(service: Service, number: int) -> int:
    """Take a number's rows out of the engine's tables; returns how many there were."""
    shard = service.pipeline.judge.engine.shard_of(number)
    tables = [shard.lines, shard.profiles, shard.money, *shard.cases]
    return sum(_forget_in(table, number) for table in tables)


def _forget_in(table: Table, number: int) -> int:
    row = table.row(number)
    if row is None or ("state" in (row.dtype.names or ()) and row["state"] == OPEN):
        return 0  # an attack that goes on is needed until it is over
    keys = table.rows["key"]
    table.make_room(np.where((keys == 0) | (keys == number), GONE, STRONG).astype(np.uint8))
    return 1
