"""`ringfence train`: weights learned from labelled data. The work is in `ringfence.train`, whose libraries load slowly."""

import datetime as dt
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from ringfence.cli.errors import ASKED_WRONGLY, FAILED, fail, plain

if TYPE_CHECKING:
    from ringfence.train.measure import Measured
    from ringfence.train.recipe import Recipe

train = typer.Typer(
    name="train",
    help="Learn what evidence is worth from labelled data.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
_SHOWN: Final = 12


@train.command()
def lines(
    features: Annotated[
        Path, typer.Argument(help="Lines as rows: CSV (also .gz) or Parquet.", metavar="FEATURES")
    ],
    out: Annotated[Path, typer.Option(help="Where the model is written (JSON).")],
    label: Annotated[str, typer.Option(help="The column that is 1 for fraud lines, 0 for others.")] = "label",
    report: Annotated[
        Path | None, typer.Option(help="Folder for figures.json and report.html, from cross-validation.")
    ] = None,
    groups: Annotated[
        list[str] | None,
        typer.Option(
            help="Measure some columns by themselves: NAME=BEGINNING[,BEGINNING…]. May be repeated."
        ),
    ] = None,
    ignore: Annotated[str, typer.Option(help="Columns that are no measurements: a,b.")] = "",
    recipe: Annotated[
        Path | None, typer.Option(help="Recipe of further features (TOML); see docs/train.md.")
    ] = None,
    folds: Annotated[int, typer.Option(help="Folds of the cross-validation.", min=2, max=20)] = 5,
    repeats: Annotated[int, typer.Option(help="How often, with other folds each time.", min=1, max=50)] = 2,
    pairs: Annotated[
        int, typer.Option(help="Most pairs of features with a table of their own.", min=0, max=200)
    ] = 20,
    trees: Annotated[
        int,
        typer.Option(
            help="Most trees for shapes with jumps and pairs; 0: smooth shapes only.", min=0, max=5000
        ),
    ] = 800,
    seed: Annotated[
        int, typer.Option(help="Of all chance; the same seed, the same model.", min=0, max=2**31 - 1)
    ] = 1,
    date: Annotated[str | None, typer.Option(help="Written into the model; by default today.")] = None,
) -> None:
    """Fit an explainable model of fraud lines: bits per feature, in a file that can be read.

    Exit codes: 0 done, 1 it could not do the work, 2 it was asked wrongly.
    """
    from ringfence.train import recipe as recipes
    from ringfence.train.fitting import Settings, fit
    from ringfence.train.table import check, read

    settings = Settings(seed=seed, pairs=pairs, trees=trees)
    wanted = _groups(groups or [])
    with _failing_plainly(features):
        table = read(
            _bytes(features), label, ignore=[name.strip() for name in ignore.split(",") if name.strip()]
        )
        check(table)
    with _failing_plainly(recipe or features):
        found = (
            recipes.parse(_bytes(recipe).decode("utf-8"))
            if recipe
            else recipes.recognise(list(table.columns))
        )
    with _failing_plainly(features):
        model = fit(table, settings, found, date or dt.datetime.now(dt.UTC).date().isoformat())
    _write(out, model.to_json())
    typer.echo(
        f"{model.made['lines']:,} lines, {model.made['frauds']:,} of them fraud; {len(model.shapes)} features"
        f"{f' (with those of: {found.title})' if found.title else ''}, {len(model.pairs)} pairs: {plain(str(out))}"
    )
    for name, why in model.made["left_out"].items():
        typer.echo(f"left out: {plain(name)} ({plain(why)})")
    if report:
        with _failing_plainly(features):
            measured = _measure(table, settings, found, wanted, folds, repeats)
        _report(report, model, measured)
        _show(measured)
    _show_weights(model)


@train.command()
def judge(
    model: Annotated[Path, typer.Argument(help="A model that `train lines` wrote.", metavar="MODEL")],
    features: Annotated[
        Path, typer.Argument(help="Labelled lines the model has not seen.", metavar="FEATURES")
    ],
    label: Annotated[str, typer.Option(help="The column that is 1 for fraud lines, 0 for others.")] = "label",
    scores: Annotated[
        Path | None, typer.Option(help="Write bits of every line and of each of its features here (CSV).")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Apply a model to lines that were kept back, and say how good it is."""
    from ringfence.train.additive import from_json
    from ringfence.train.measure import FIGURES, figures
    from ringfence.train.table import TableError, read

    with _failing_plainly(model):
        learned = from_json(_bytes(model).decode("utf-8"))
    with _failing_plainly(features):
        table = read(_bytes(features), label, learned.needs)
        if not 0 < table.label.sum() < len(table.label):
            raise TableError("all lines have the same label: nothing can be judged")
        scored = learned.score(table.columns)
    if scores:
        _write_scores(scores, scored.names, scored.bits, scored.parts)
    found = figures(learned, table.label, scored.bits)
    if as_json:
        typer.echo(
            json.dumps({"lines": len(table.label), "frauds": int(table.label.sum()), **found}, indent=1)
        )
        return
    typer.echo(f"{len(table.label):,} lines, {int(table.label.sum()):,} of them fraud")
    if table.digest == learned.made.get("digest"):
        typer.echo("these are the lines the model was made from: the figures flatter it")
    for name, title in FIGURES.items():
        typer.echo(f"{title:<38}{found[name]:.4f}")


@train.command()
def fraud_line(
    cities: Annotated[
        list[Path], typer.Argument(help="Folders that `ringfence simulate` wrote.", metavar="CITY…")
    ],
    out: Annotated[Path, typer.Option(help="Where the weights are written (JSON).")],
    seed: Annotated[
        int, typer.Option(help="Of all chance; the same seed, the same weights.", min=0, max=2**31 - 1)
    ] = 1,
    date: Annotated[str | None, typer.Option(help="Written into the file; by default today.")] = None,
) -> None:
    """Learn what the detector `fraud_line` goes by, from cities whose truth is known; docs/fraud_line.md."""
    from ringfence.evaluate.inputs import InputError
    from ringfence.train.fraud_line import learn

    with _failing_plainly(cities[0]):
        try:
            model = learn(cities, date or dt.datetime.now(dt.UTC).date().isoformat(), seed)
        except InputError as error:
            fail(str(error), ASKED_WRONGLY)
    _write(out, model.to_json())
    typer.echo(
        f"{model.made['lines']:,} days of lines, {model.made['frauds']:,} of lines of fraud: {plain(str(out))}"
    )
    _show_weights(model)


@train.command()
def flood(
    out: Annotated[Path, typer.Option(help="Where the weights are written (TOML).")],
    cities: Annotated[
        list[Path] | None, typer.Argument(help="Folders that `ringfence simulate` wrote.", metavar="[CITY…]")
    ] = None,
    labels: Annotated[
        Path | None,
        typer.Option(
            help="What people said of a service's alerts (JSON Lines): the prior is set by them, without cities."
        ),
    ] = None,
    prior: Annotated[
        bool,
        typer.Option(
            "--prior",
            help="Keep the weights in force; set only the prior, so that probabilities are true here.",
        ),
    ] = False,
    report: Annotated[
        Path | None,
        typer.Option(help="Folder for reliability.svg and figures.json, of the weights in force."),
    ] = None,
    pseudo: Annotated[
        float,
        typer.Option(help="Floods that the weights chosen by hand count for as a prior.", min=0.1, max=1e6),
    ] = 100.0,
    broad: Annotated[
        float, typer.Option(help="Share of floods taken to be unlike those of the cities.", min=0.0, max=0.9)
    ] = 0.1,
    seed: Annotated[int, typer.Option(help="Of the bootstrap.", min=0, max=2**31 - 1)] = 1,
) -> None:
    """Learn what the detector `flood` holds its observations worth from labelled cities.

    Exit codes: 0 done, 1 it could not do the work, 2 it was asked wrongly.
    """
    from ringfence.detect.weights import FLOOD, WeightsError, parse, shipped
    from ringfence.evaluate.inputs import InputError
    from ringfence.train.alert_labels import read_labels
    from ringfence.train.flood import Settings, alerts_of, learn, made_from, see
    from ringfence.train.flood_file import to_toml
    from ringfence.train.flood_prior import calibrate, figures, plot

    if bool(cities) == (labels is not None):
        fail("name cities, or --labels FILE, one of them", ASKED_WRONGLY)
    try:
        seen = [see(city) for city in cities or ()]
        alerts = alerts_of(seen) if labels is None else read_labels(labels, FLOOD.prior)
        if prior or labels is not None:
            text = calibrate(shipped(), alerts, [city.made for city in seen])
        else:
            settings = Settings(pseudo, broad, seed)
            learned = learn(seen, settings)
            text = to_toml(made_from(learned, seen, settings), learned.tables)
    except (InputError, WeightsError) as error:
        fail(str(error), ASKED_WRONGLY)
    except OSError as error:
        fail(f"{error.filename}: {error.strerror}" if error.filename else str(error), FAILED)
    _write(out, text)
    typer.echo(f"weights: {plain(str(out))}")
    if report:
        bits = FLOOD.prior if seen and not prior else parse(text).prior
        found = figures(alerts, bits)
        where = f"{len(seen)} cities" if seen else "a network"
        title = f"{found['alerts']} alerts of {where}, prior {bits:.1f} bits"
        _write(report / "reliability.svg", plot(found, title))
        _write(report / "figures.json", json.dumps(found, indent=1) + "\n")
        typer.echo(f"report: {plain(str(report / 'reliability.svg'))}")


@contextmanager
def _failing_plainly(path: Path) -> Iterator[None]:
    from ringfence.train.additive import ModelError
    from ringfence.train.recipe import RecipeError
    from ringfence.train.table import TableError

    try:
        yield
    except (TableError, RecipeError, ModelError) as error:
        fail(f"{path}: {error}", ASKED_WRONGLY)
    except UnicodeDecodeError:
        fail(f"{path}: it is not UTF-8 text", ASKED_WRONGLY)


def _bytes(path: Path) -> bytes:
    if path.is_dir():
        fail(f"{path}: is a folder; name the file in it", ASKED_WRONGLY)
    try:
        return path.read_bytes()
    except OSError as error:
        fail(f"{path}: {error.strerror}", ASKED_WRONGLY)


def _write(path: Path, text: str) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        fail(f"{path}: {error.strerror}", FAILED)


def _groups(said: Sequence[str]) -> dict[str, list[str]]:
    found = {}
    for text in said:
        name, equals, beginnings = text.partition("=")
        parts = [part.strip() for part in beginnings.split(",") if part.strip()]
        if not equals or not name.strip() or not parts:
            fail(f"--groups {text}: write NAME=BEGINNING, such as voice=voc_", ASKED_WRONGLY)
        found[name.strip()] = parts
    return found


def _measure(
    table: Any, settings: Any, recipe: "Recipe", wanted: Mapping[str, Sequence[str]], folds: int, repeats: int
) -> list["Measured"]:
    from ringfence.train.measure import cross_validate, groups_of

    tables = {"all": table, **groups_of(table, recipe, wanted)}
    for name in wanted:
        if name not in tables:
            fail(f"--groups {name}: no column begins so", ASKED_WRONGLY)
    with _progress(len(tables) * folds * repeats) as advance:
        return [
            cross_validate(some, settings, recipe, name=name, folds=folds, repeats=repeats, on_fold=advance)
            for name, some in tables.items()
        ]


@contextmanager
def _progress(total: int) -> Iterator[Callable[[], None]]:
    from rich.console import Console
    from rich.progress import Progress

    console = Console(stderr=True)
    with Progress(console=console, disable=not console.is_terminal, transient=True) as bar:
        task = bar.add_task("measuring", total=total)
        yield lambda: bar.advance(task)


def _report(folder: Path, model: Any, measured: Sequence["Measured"]) -> None:
    from ringfence.train.report import as_dict, page

    _write(folder / "figures.json", json.dumps(as_dict(model, measured), ensure_ascii=False, indent=1) + "\n")
    _write(folder / "report.html", page(model, measured))
    typer.echo(f"report: {plain(str(folder / 'report.html'))}")


def _show(measured: Sequence["Measured"]) -> None:
    from rich.console import Console
    from rich.table import Table

    from ringfence.train.measure import FIGURES
    from ringfence.train.report import cells

    table = Table(box=None, pad_edge=False)
    table.add_column("on lines kept out")
    for one in measured:
        table.add_column(f"{one.name} ({one.features})", justify="right")
    for figure, title in FIGURES.items():
        table.add_row(title, *(cells(one, figure) for one in measured))
    Console(width=None if Console().is_terminal else 150, highlight=False, markup=False).print(table)


def _show_weights(model: Any) -> None:
    from ringfence.train.measure import weights

    typer.echo("what tells most (bits between fraud and ordinary lines, within the model; by itself):")
    for weight in weights(model)[:_SHOWN]:
        typer.echo(f"  {weight.within:5.2f} {weight.alone:5.2f}  {plain(weight.shape.en)}")


def _write_scores(path: Path, names: Sequence[str], bits: Any, parts: Any) -> None:
    import io

    import pyarrow as pa
    import pyarrow.csv as pacsv

    columns = {"bits": bits, **{name: parts[:, place] for place, name in enumerate(names)}}
    stream = io.BytesIO()
    pacsv.write_csv(pa.table(columns), stream)
    _write(path, stream.getvalue().decode("utf-8"))
