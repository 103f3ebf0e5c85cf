"""The configuration: one TOML file, with environment variables above it.

`RINGFENCE__SECTION__KEY` stands above the file: `RINGFENCE__SERVICE__PORT=9000`, `RINGFENCE__SOURCES__PROXY__UDP=…`. Its value is
written as in TOML; text needs no quotation marks. What neither names has its default (see `settings`).
"""

import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from pydantic import SecretStr, ValidationError
from pydantic_settings import TomlConfigSettingsSource

from ringfence.shell.service.endpoints import Endpoint
from ringfence.shell.service.mistakes import ENV, lines
from ringfence.shell.service.setting_types import BASE, data_folder
from ringfence.shell.service.settings import Config, Hep, Webhook

__all__ = ["Config", "ConfigError", "auth_key", "endpoint_of", "load", "webhook_secrets"]

_LARGEST: Final = 1 << 20  # bytes of the file; one that is larger is some other file

Place = tuple[str, ...]


class ConfigError(Exception):
    """The configuration cannot be used; its text has a line for each mistake. No value is repeated in it."""

    @property
    def lines(self) -> list[str]:
        """One mistake each."""
        return str(self).splitlines()


def load(path: Path | None, env: Mapping[str, str] | None = None) -> Config:
    """Read the configuration.

    Args:
        path: the file; None: defaults and environment only. Relative paths in it are meant from its folder.
        env: the environment; None: that of the process.

    Raises:
        ConfigError: the file cannot be read, or something in it or in the environment is wrong.
    """
    env = os.environ if env is None else env
    said = {} if path is None else _read_file(path)
    overrides = _overrides(env)
    where = "configuration" if path is None else str(path)
    token = BASE.set(Path.cwd() if path is None else path.resolve().parent)
    try:
        return _validated(said, overrides, env)
    except ValidationError as error:
        raise ConfigError("\n".join(lines(error, where, _alone(overrides, said)))) from None
    finally:
        BASE.reset(token)


def auth_key(source: Hep) -> bytes | None:
    """The key that HEP agents must send, if one is asked of them.

    Raises:
        ConfigError: its file cannot be read or is empty.
    """
    if source.auth_key_file is not None:
        return _secrets_in(source.auth_key_file)[0].encode()
    return None if source.auth_key is None else source.auth_key.get_secret_value().encode()


def webhook_secrets(webhook: Webhook, env: Mapping[str, str] | None = None) -> tuple[SecretStr, ...]:
    """The secrets a webhook's messages are signed with, the newest first; none: they are not signed.

    Raises:
        ConfigError: the file or the variable with the secret is missing or empty.
    """
    if webhook.secret_file is not None:
        return tuple(SecretStr(secret) for secret in _secrets_in(webhook.secret_file))
    if webhook.secret_env is not None:
        secret = (os.environ if env is None else env).get(webhook.secret_env)
        if not secret:
            raise ConfigError(f"webhook {webhook.name}: the variable {webhook.secret_env} is not set; set it")
        return (SecretStr(secret),)
    return () if webhook.secret is None else (webhook.secret,)


def endpoint_of(webhook: Webhook, env: Mapping[str, str] | None = None) -> Endpoint:
    """A webhook as the sender knows it.

    Raises:
        ConfigError: the file or the variable with the secret is missing or empty.
        EndpointError: its address or its secrets cannot be used.
    """
    return Endpoint(
        webhook.name,
        str(webhook.url),
        tuple(secret.get_secret_value() for secret in webhook_secrets(webhook, env)),
        webhook.body,
        kinds=frozenset(webhook.kinds or ()),
        least=webhook.min_probability,
        connect_s=webhook.connect_s,
        answer_s=webhook.response_s,
        max_age_s=webhook.retry_h * 3600,
    )


def _secrets_in(path: Path) -> list[str]:
    try:
        with path.open("rb") as file:
            text = file.read(_LARGEST).decode()
    except UnicodeDecodeError:
        raise ConfigError(f"{path}: the secret is no text") from None
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}; the secret must be readable by the service") from error
    secrets = [line.strip() for line in text.splitlines() if line.strip()]
    if not secrets:
        raise ConfigError(f"{path}: holds no secret; write it into the first line")
    return secrets


def _read_file(path: Path) -> dict[str, Any]:
    try:
        if path.stat().st_size > _LARGEST:
            raise ConfigError(f"{path}: is larger than 1 MiB; this is no configuration")
        if not path.is_file():
            raise ConfigError(f"{path}: is not a file")
        return TomlConfigSettingsSource(Config, path)()
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path}: not TOML: {error}") from None
    except UnicodeDecodeError:
        raise ConfigError(f"{path}: is not UTF-8 text") from None
    except FileNotFoundError as error:
        raise ConfigError(
            f"{path}: {error.strerror}; `ringfence config example > FILE` writes one"
        ) from error
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}") from error


def _overrides(env: Mapping[str, str]) -> dict[Place, str]:
    found = {}
    for name, value in env.items():
        if name.startswith(ENV):
            parts = tuple(name.removeprefix(ENV).lower().split("__"))
            if not all(parts):
                raise ConfigError(f"{name}: names no setting; write {ENV}SECTION__KEY")
            found[parts] = value
    return found


def _validated(said: dict[str, Any], overrides: dict[Place, str], env: Mapping[str, str]) -> Config:
    values: dict[Place, Any] = {place: _as_toml(text) for place, text in overrides.items()}
    try:
        return Config(**_merged(said, values, env))
    except ValidationError as error:
        # A secret of digits only is text although TOML would call it a number.
        meant = {place for place in values if _wants_text(error, place) and values[place] != overrides[place]}
        if not meant:
            raise
        values |= {place: overrides[place] for place in meant}
        return Config(**_merged(said, values, env))


def _merged(said: dict[str, Any], values: dict[Place, Any], env: Mapping[str, str]) -> dict[str, Any]:
    merged = _copied(said)
    for place, value in sorted(values.items()):
        table = merged
        for part in place[:-1]:
            inner = table.get(part)
            if not isinstance(inner, dict):
                inner = table[part] = {}
            table = inner
        table[place[-1]] = value
    service = merged.setdefault("service", {})
    if isinstance(service, dict):
        service.setdefault("data", str(data_folder(env)))
    return merged


def _alone(overrides: Mapping[Place, str], said: dict[str, Any]) -> set[Place]:
    """The overrides of which the file says nothing, or which are what a whole setting is."""
    return {
        place
        for place in overrides
        if place[0] not in said or not isinstance(said[place[0]], dict) or len(place) == 2
    }


def _copied(table: dict[str, Any]) -> dict[str, Any]:
    return {key: _copied(value) if isinstance(value, dict) else value for key, value in table.items()}


def _as_toml(text: str) -> Any:
    try:
        table = tomllib.loads(f"value = {text}")
    except tomllib.TOMLDecodeError:
        return text
    return table["value"] if list(table) == ["value"] else text


def _wants_text(error: ValidationError, place: Place) -> bool:
    last = place[-1]
    return any(
        found["type"] == "string_type" and found["loc"][0] == place[0] and found["loc"][-1] == last
        for found in error.errors(include_url=False, include_context=False, include_input=False)
    )
