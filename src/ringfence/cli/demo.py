"""`ringfence demo`: a first look, on a sample."""

from pathlib import Path
from typing import Annotated

import typer

from ringfence.cli.errors import FAILED, fail


def demo(
    out: Annotated[Path, typer.Option(help="Folder for the sample and what is found in it.")] = Path(
        "out/demo"
    ),
) -> None:
    """Scan a sample: real calls from Copenhagen, with the newspaper's flood of calls put in."""
    from ringfence.cli.work import failing_plainly, run_scan, show
    from ringfence.samples.salesman import write_sample
    from ringfence.shell.scan import Options

    sample = out / "calls.csv"
    with failing_plainly(out):
        out.mkdir(parents=True, exist_ok=True)
        write_sample(sample)
    result = run_scan(Options([sample], out))
    show(result, out)
    if not result.finished:
        fail("interrupted", FAILED)
