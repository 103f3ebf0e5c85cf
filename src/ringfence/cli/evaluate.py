"""`ringfence evaluate`: alerts against the truth. The work is in `ringfence.evaluate`, whose libraries take a moment to load."""

import json as text
from pathlib import Path
from typing import Annotated

import typer

from ringfence.cli.errors import ASKED_WRONGLY, FAILED, fail


def evaluate(
    alerts: Annotated[
        Path, typer.Argument(help="alerts.jsonl, alerts.parquet, or the folder of a scan.", metavar="ALERTS")
    ],
    truth: Annotated[
        Path, typer.Argument(help="truth.json, or the folder of a simulation.", metavar="TRUTH")
    ],
    json: Annotated[
        Path | None, typer.Option("--json", help="Write all figures here too; see docs/evaluate.md.")
    ] = None,
    kind: Annotated[
        str | None, typer.Option(help="Kinds of alert to judge, such as flood; by default all. Several: a,b.")
    ] = None,
) -> None:
    """Say how good alerts are: what was recognised, how soon, and what was a false alarm."""
    from ringfence.evaluate.evaluation import evaluate as hold_against
    from ringfence.evaluate.inputs import InputError
    from ringfence.evaluate.table import show

    try:
        found = hold_against(
            alerts, truth, None if kind is None else [name.strip() for name in kind.split(",")]
        )
    except InputError as error:
        fail(str(error), ASKED_WRONGLY)
    except OSError as error:
        fail(f"{error.filename or alerts}: {error.strerror or error}", FAILED)
    show(found)
    if json is not None:
        try:
            json.write_text(text.dumps(found, ensure_ascii=False, indent=1, allow_nan=False) + "\n", "utf-8")
        except OSError as error:
            fail(f"--json {json}: {error.strerror or error}", FAILED)
