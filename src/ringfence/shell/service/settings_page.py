"""docs/configuration.md, the commented example and the settings as they are, all made from the models in `settings`.

`python -m ringfence.shell.service.settings_page` prints the page.
"""

import inspect
import json
import textwrap
import types
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Final, Literal, Union, get_args, get_origin
from urllib.parse import urlsplit

from pydantic import BaseModel, SecretStr
from pydantic.fields import FieldInfo

from ringfence.shell.service.settings import KINDS, Config, Service, Webhook, shown_default, varies

_HEAD: Final = """# Configuration

Made by `python -m ringfence.shell.service.settings_page` from the models in `src/ringfence/shell/service/settings.py`.

`ringfence serve --config FILE` reads one TOML file; every setting has a default, so it may be short. `ringfence config example`
prints a commented file (with `--data FOLDER` it names that data folder), `ringfence config check FILE` explains mistakes in a line each, `ringfence config show --config FILE` prints what holds in the
end, secrets masked.

An environment variable stands above the file: `RINGFENCE__SECTION__KEY`, such as `RINGFENCE__SERVICE__PORT=9000` or
`RINGFENCE__SOURCES__PROXY__UDP=127.0.0.1:9060`. Its value is written as in TOML (`["flood", "scam_call"]`, `true`); text needs no quotation
marks. Relative paths are meant from the folder of the file; without a file, from the working folder.

Nothing is guessed: an unknown key, text where a number belongs or a number out of its bounds is a mistake, and the service does not start.
Secrets belong into files of their own (`…_file`, mode 600) or, under systemd, credentials; they never appear in logs, errors or `config show`.
"""
_EXAMPLES: Final = {
    "hep": {"udp": "127.0.0.1:9060"},
    "syslog": {"udp": "127.0.0.1:5514"},
    "tail": {"path": "/var/log/asterisk/cdr-csv/Master.csv", "format": "asterisk_csv"},
    "folder": {"path": "/srv/records", "pattern": "*.parquet"},
}
_NAMES: Final = {"hep": "proxy", "syslog": "accounting", "tail": "switch", "folder": "drop"}
_HOOK: Final = {
    "name": "desk",
    "url": "https://desk.example/alerts",
    "secret_file": "/etc/ringfence/desk.secret",
}


# --- the page -------------------------------------------------------------------------------------------------------


def page() -> str:
    """docs/configuration.md."""
    return "\n".join(_page())


def _page() -> Iterator[str]:
    yield _HEAD
    for name, model in _sections():
        yield f"## [{name}]\n\n{_doc(model)}\n"
        yield from _table(model)
    yield "## [sources.NAME]\n\nAny number of sources, each with a name of its own. `POST /v1/events` needs none.\n"
    for kind, source in KINDS.items():
        yield f'### kind = "{kind}"\n\n{_doc(source)}\n'
        yield from _table(source)
    yield f"## [[webhooks]]\n\n{_doc(Webhook)}\n"
    yield from _table(Webhook)


def _table(model: type[BaseModel]) -> Iterator[str]:
    yield "| setting | type | default | what it does |\n| --- | --- | --- | --- |"
    for name, field in model.model_fields.items():
        yield f"| `{name}` | {_type(field)} | {_default(field)} | {_cell(field.description or '')} |"
    yield ""


def _sections() -> Iterator[tuple[str, type[BaseModel]]]:
    for name, field in Config.model_fields.items():
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            yield name, field.annotation


def _doc(model: type[BaseModel]) -> str:
    return inspect.getdoc(model) or ""


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def _default(field: FieldInfo) -> str:
    default = shown_default(field)
    if default is ...:
        return "required"
    return "" if default in (None, (), {}) else f"`{_toml(default)}`"


def _type(field: FieldInfo) -> str:
    text = _type_of(field.annotation)
    bounds = [
        f"{sign} {value:g}"
        for rule in field.metadata
        for sign, key in (("≥", "ge"), (">", "gt"), ("≤", "le"), ("<", "lt"))
        if (value := getattr(rule, key, None)) is not None
    ]
    return f"{text}, {', '.join(bounds)}" if bounds else text


def _type_of(annotation: Any) -> str:
    origin = get_origin(annotation)
    if origin is Annotated:
        return _type_of(get_args(annotation)[0])
    if origin is Literal:
        return " ".join(f'`"{word}"`' for word in get_args(annotation))
    if origin in {Union, types.UnionType}:
        return " or ".join(_type_of(part) for part in get_args(annotation) if part is not type(None))
    if origin is tuple:
        return f"list of {_type_of(get_args(annotation)[0])}"
    if origin is dict:
        return f"table of {_type_of(get_args(annotation)[1])}"
    words = {
        bool: "true, false",
        int: "whole number",
        float: "number",
        str: "text",
        Path: "path",
        SecretStr: "secret",
    }
    return words[annotation]


# --- the example ----------------------------------------------------------------------------------------------------


def example(data: Path | None = None) -> str:
    """A whole file: defaults in force, whatever has none behind a comment sign, sources and webhooks as examples.

    Args:
        data: the data folder; None: what it is by itself depends on the user, so it stands behind a comment sign.
    """
    return "\n".join(_example(data))


def _example(data: Path | None) -> Iterator[str]:
    yield "# Ringfence: all settings with their defaults. Environment variables stand above them (docs/configuration.md)."
    for name, model in _sections():
        yield from ("", *_comment(_doc(model)), f"[{name}]")
        values = {"data": data} if model is Service and data is not None else {}
        yield from _settings(model, values, live=True)
    for kind, source in KINDS.items():
        yield from ("", *_comment(_doc(source)), f"# [sources.{_NAMES[kind]}]")
        yield from _settings(source, {"kind": kind, **_EXAMPLES[kind]}, live=False)
    yield from ("", *_comment(_doc(Webhook)), "# [[webhooks]]")
    yield from _settings(Webhook, _HOOK, live=False)
    yield ""


def _settings(model: type[BaseModel], values: Mapping[str, Any], *, live: bool) -> Iterator[str]:
    for name, field in model.model_fields.items():
        yield from _comment(field.description or "")
        value = values.get(name, shown_default(field))
        if value is None or value is ...:
            yield f"# {name} ="
        else:
            holds = live and (name in values or not varies(field))
            yield f"{'' if holds else '# '}{name} = {_toml(value)}"


def _comment(text: str) -> Iterator[str]:
    return ("# " + line for line in textwrap.wrap(" ".join(text.split()), 110))


# --- what holds -----------------------------------------------------------------------------------------------------


def effective(config: Config) -> str:
    """The settings that hold in the end, as TOML; secrets and what may hold one (a URL's user and query) masked."""
    return "\n".join(_effective(config))


def _effective(config: Config) -> Iterator[str]:
    for name, _ in _sections():
        yield from _values(f"[{name}]", getattr(config, name))
    for name, source in config.sources.items():
        yield from _values(f"[sources.{name}]", source)
    for webhook in config.webhooks:
        yield from _values("[[webhooks]]", webhook)


def _values(title: str, section: BaseModel) -> Iterator[str]:
    yield title
    for name in type(section).model_fields:
        value = getattr(section, name)
        if value is not None:
            yield f"{name} = {_toml(_masked_url(value) if name == 'url' else value)}"
    yield ""


def _masked_url(url: str) -> str:
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    return parts._replace(
        netloc=f"***@{host}" if "@" in parts.netloc else host, query="***" if parts.query else "", fragment=""
    ).geturl()


def _toml(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return f"{value}"
    if isinstance(value, SecretStr):
        return '"***"'
    if isinstance(value, str | Path):
        return json.dumps(str(value), ensure_ascii=False)
    if isinstance(value, Mapping):
        return (
            "{ " + ", ".join(f"{json.dumps(key)} = {_toml(each)}" for key, each in value.items()) + " }"
            if value
            else "{}"
        )
    return "[" + ", ".join(_toml(each) for each in value) + "]"


if __name__ == "__main__":
    print(page(), end="")  # noqa: T201
