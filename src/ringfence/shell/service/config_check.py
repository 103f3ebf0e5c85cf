"""What a configuration means for this machine: paths, addresses, names and secrets, before anything is started."""

import io
import ipaddress
import os
import ssl
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from ringfence.ingest.format import Settings, UnreadableError, formats
from ringfence.model.numbers import NumberPlan
from ringfence.shell.service.config import ConfigError, auth_key, endpoint_of
from ringfence.shell.service.endpoints import EndpointError
from ringfence.shell.service.setting_types import is_loopback, split_address
from ringfence.shell.service.settings import (
    MOST_LINES,
    Config,
    Folder,
    Hep,
    Source,
    Syslog,
    Tail,
    Webhook,
)

_LINES: Final = {"parquet", "arrow_ipc"}
"""Formats that are no text: they cannot be followed line by line."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What is wrong, or should be known. `text` is one line and shows no secret; a mistake keeps the service from starting."""

    text: str
    mistake: bool = True


def check(
    config: Config, path: Path | None = None, env: Mapping[str, str] | None = None, *, replay: bool = False
) -> list[Finding]:
    """Hold a configuration against this machine; nothing is changed or opened for listening.

    Args:
        config: valid by itself.
        path: its file, for a look at its permissions.
        env: where secrets may lie; None: the environment of the process.
        replay: files are told beside the sources.
    """
    found = [
        *_service(config),
        *_network(config),
        *_detect(config),
        *_addresses(config),
        *_hooks(config, env),
    ]
    for name, source in config.sources.items():
        found += [Finding(f"[sources.{name}] {each.text}", each.mistake) for each in _source(source)]
    if not config.sources and not config.service.demo and not replay:
        found.append(Finding("no [sources]: records come by POST /v1/events only", mistake=False))
    if path is not None and _has_secret(config) and path.stat().st_mode & stat.S_IROTH:
        found.append(Finding(f"{path}: holds secrets and everybody may read it; chmod o-r it", mistake=False))
    return found


# --- the process ----------------------------------------------------------------------------------------------------


def _service(config: Config) -> Iterator[Finding]:
    service = config.service
    yield from _writable(service.data, "[service] data")
    if service.port == 0:
        yield Finding("[service] port: 0 is another port at every start; name one", mistake=False)
    if service.tls_cert is not None and service.tls_key is not None:
        yield from _tls(service.tls_cert, service.tls_key)
    elif not is_loopback(service.host):
        yield Finding(
            f"[service] host: {service.host} is reached from other machines without TLS; set tls_cert and tls_key, or put a"
            " proxy with TLS in front",
            mistake=False,
        )


def _writable(path: Path, what: str) -> Iterator[Finding]:
    there = path
    while not there.exists() and there != there.parent:
        there = there.parent
    if not there.is_dir():
        yield Finding(f"{what}: {there} is no folder; name another")
    elif not os.access(there, os.W_OK | os.X_OK):
        advice = "run as its owner" if there == path else f"create {path} for this user"
        yield Finding(f"{what}: {there} cannot be written by this user; {advice} or name another")


def _tls(cert: Path, key: Path) -> Iterator[Finding]:
    for path, what in ((cert, "tls_cert"), (key, "tls_key")):
        if not os.access(path, os.R_OK):
            yield Finding(f"[service] {what}: {path} cannot be read; check the path and its permissions")
            return
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(cert, key, password=lambda: b"")
    except (ssl.SSLError, ValueError, OSError):
        yield Finding("[service] tls_cert: certificate and key are no PEM files that belong together")
        return
    if key.stat().st_mode & (stat.S_IROTH | stat.S_IWOTH):
        yield Finding(f"[service] tls_key: everybody may read {key}; chmod it to 600 or 640", mistake=False)


# --- the network and what is looked for -----------------------------------------------------------------------------


def _network(config: Config) -> Iterator[Finding]:
    yield from _place_and_time(config.network.country, config.network.timezone, "[network] ")
    lists = config.network.lists
    if lists is not None and not lists.is_dir():
        yield Finding(
            f"[network] lists: {lists} is no folder; name the one that holds own.txt, never.txt and so on"
        )


def _place_and_time(country: str | None, timezone: str | None, where: str = "") -> Iterator[Finding]:
    if country is not None:
        try:
            NumberPlan.of(country)
        except ValueError:
            yield Finding(f"{where}country: {country} is not known; give its ISO 3166 code, such as CN")
    if timezone is not None:
        try:
            ZoneInfo(timezone)
        except (KeyError, ValueError, OSError):
            yield Finding(
                f"{where}timezone: {timezone} is not known; an IANA name is needed, such as Asia/Shanghai"
            )


def _detectors() -> list[str]:
    from ringfence.detect.text_detectors import ALL_DETECTORS

    return sorted(detector.NAME for detector in ALL_DETECTORS)


def _detect(config: Config) -> Iterator[Finding]:
    if config.detect.lines > MOST_LINES:
        yield Finding(
            f"[detect] lines: above {MOST_LINES:,} no more is remembered; what is weakest is forgotten sooner",
            mistake=False,
        )
    wanted = config.detect.detectors
    if wanted is None:
        return
    for name in wanted:
        if name not in _detectors():
            yield Finding(f"[detect] detectors: no detector {name}; there are {', '.join(_detectors())}")
    if not wanted:
        yield Finding("[detect] detectors: is empty; leave it out to run all")


# --- addresses ------------------------------------------------------------------------------------------------------


def _addresses(config: Config) -> Iterator[Finding]:
    taken: list[tuple[str, str, int, str]] = [
        ("tcp", config.service.host, config.service.port, "[service] port")
    ]
    for name, source in config.sources.items():
        if not isinstance(source, Hep | Syslog):
            continue
        for kind, address in (("udp", source.udp), ("tcp", source.tcp)):
            if address is None:
                continue
            host, port = split_address(address)
            what = f"[sources.{name}] {kind}"
            other = next(
                (used[3] for used in taken if used[0] == kind and _clash(used[1:3], (host, port))), None
            )
            if other is not None:
                yield Finding(f"{what}: {address} is taken by {other}; choose another port")
            taken.append((kind, host, port, what))
            guarded = isinstance(source, Hep) and (source.auth_key or source.auth_key_file)
            if not is_loopback(host) and not source.allow and not guarded:
                yield Finding(
                    f"{what}: whoever reaches {address} can send records; name the senders in allow",
                    mistake=False,
                )


def _clash(one: tuple[str, int], other: tuple[str, int]) -> bool:
    if one[1] != other[1]:
        return False
    hosts = [
        ipaddress.ip_address("127.0.0.1" if host == "localhost" else host) for host in (one[0], other[0])
    ]
    return hosts[0] == hosts[1] or any(host.is_unspecified for host in hosts)


# --- sources --------------------------------------------------------------------------------------------------------


def _source(source: Source) -> Iterator[Finding]:
    yield from _place_and_time(source.country, source.timezone)
    if isinstance(source, Hep):
        try:
            auth_key(source)
        except ConfigError as error:
            yield Finding(f"auth_key_file: {error}")
    elif isinstance(source, Tail):
        yield from _tail(source)
    elif isinstance(source, Folder):
        yield from _folder(source)


def _tail(source: Tail) -> Iterator[Finding]:
    if source.format in _LINES:
        yield Finding(
            f"format: {source.format} is no text that grows line by line; use kind folder for whole files"
        )
    else:
        yield from _format(source.format, source.mapping)
    if source.path.exists():
        if not source.path.is_file() or not os.access(source.path, os.R_OK):
            yield Finding(f"path: {source.path} is no file that this user can read")
    elif not source.path.parent.is_dir():
        yield Finding(f"path: there is no folder {source.path.parent} yet; it is waited for", mistake=False)


def _folder(source: Folder) -> Iterator[Finding]:
    if source.format is not None or source.mapping is not None:
        yield from _format(source.format or "mapped_csv", source.mapping)
    if not source.path.is_dir():
        yield Finding(f"path: {source.path} is no folder; make it")
        return
    needed = os.R_OK | os.X_OK | (0 if source.after == "keep" else os.W_OK)
    if not os.access(source.path, needed):
        verb = "read" if source.after == "keep" else "read and written"
        yield Finding(f"path: {source.path} must be {verb} by this user; change its owner")


def _format(name: str, mapping: Path | None) -> Iterator[Finding]:
    known = formats()
    if name not in known:
        yield Finding(f"format: no format {name}; there are {', '.join(sorted(known))}")
        return
    text = None
    if mapping is not None:
        try:
            text = mapping.read_text("utf-8")
        except (OSError, ValueError):
            yield Finding(f"mapping: {mapping} cannot be read as text")
            return
    if getattr(known[name], "NEEDS_MAPPING", False):
        try:
            list(known[name].read(io.BytesIO(), Settings(mapping=text)))
        except UnreadableError as error:
            yield Finding(str(error).replace("with --mapping", "as mapping"))
    elif text is not None:
        yield Finding(f"mapping: format {name} takes none; leave it out or use mapped_csv")


# --- webhooks -------------------------------------------------------------------------------------------------------


def _hooks(config: Config, env: Mapping[str, str] | None) -> Iterator[Finding]:
    for webhook in config.webhooks:
        for found in _hook(webhook, env):
            yield Finding(f"[[webhooks]] {webhook.name} {found.text}", found.mistake)


def _hook(webhook: Webhook, env: Mapping[str, str] | None) -> Iterator[Finding]:
    known = [*_detectors(), "gang"]
    for kind in webhook.kinds or ():
        if kind not in known:
            yield Finding(f"kinds: no kind {kind}; there are {', '.join(known)}")
    try:
        if not endpoint_of(webhook, env).secrets:
            yield Finding("has no secret: its receiver cannot tell who sends; set one", mistake=False)
    except (ConfigError, EndpointError) as error:
        yield Finding(str(error).removeprefix(f"webhook {webhook.name}: "))
        return
    parts = urlsplit(webhook.url)
    if parts.scheme == "http" and not _on_loopback(parts.hostname or ""):
        yield Finding("url: sends numbers over the network without TLS; use https", mistake=False)


def _on_loopback(host: str) -> bool:
    try:
        return is_loopback(host)
    except ValueError:
        return False


def _has_secret(config: Config) -> bool:
    return any(webhook.secret is not None for webhook in config.webhooks) or any(
        isinstance(source, Hep) and source.auth_key is not None for source in config.sources.values()
    )
