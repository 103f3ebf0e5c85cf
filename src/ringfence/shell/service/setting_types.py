"""What settings are made of: addresses, folders, names; each says in its error what must stand there."""

import ipaddress
import os
from collections.abc import Mapping
from contextvars import ContextVar
from pathlib import Path
from typing import Annotated, Final, Literal, TypeVar
from urllib.parse import urlsplit

from pydantic import AfterValidator, Strict, StringConstraints

SYSTEM_DATA: Final = Path("/var/lib/ringfence")
BASE: ContextVar[Path] = ContextVar("base")
"""The folder that relative paths are meant from while a file is validated; unset: the working folder."""

_T = TypeVar("_T")


def data_folder(env: Mapping[str, str]) -> Path:
    """Where data lie if nothing is said: systemd's state folder, /var/lib/ringfence for root, else the user's own."""
    if state := env.get("STATE_DIRECTORY"):
        return Path(state.partition(":")[0])
    if os.geteuid() == 0:
        return SYSTEM_DATA
    own = env.get("XDG_DATA_HOME") or str(Path(env.get("HOME") or "~").expanduser() / ".local" / "share")
    return Path(own) / "ringfence"


def split_address(text: str) -> tuple[str, int]:
    """Return host and port of `127.0.0.1:9060` or `[::1]:9060`.

    Raises:
        ValueError: it is no address and port.
    """
    host, colon, port = text.rpartition(":")
    bracketed = host.startswith("[") and host.endswith("]")
    host = host[1:-1] if bracketed else host
    try:
        numeric = ipaddress.ip_address(host)
    except ValueError:
        numeric = None
    fit = numeric.version == (6 if bracketed else 4) if numeric else host == "localhost" and not bracketed
    if not (colon and fit and port.isascii() and port.isdecimal() and 1 <= int(port) <= 65_535):
        raise ValueError('must be an IP address and a port, such as "127.0.0.1:9060" or "[::1]:9060"')
    return host, int(port)


def is_loopback(host: str) -> bool:
    """Return whether only this machine reaches an address."""
    return host == "localhost" or ipaddress.ip_address(host).is_loopback


def _address(text: str) -> str:
    split_address(text)
    return text


def _peer(text: str) -> str:
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        raise ValueError('must be an IP address, such as "192.0.2.7"') from None


def _network(text: str) -> str:
    try:
        ipaddress.ip_network(text, strict=False)
    except ValueError:
        raise ValueError('must be an IP address or network, such as "10.0.0.0/8"') from None
    return text


def _url(text: str) -> str:
    try:
        parts = urlsplit(text)
        good = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        good = False
    if not good or any(character.isspace() for character in text):
        raise ValueError('must be a URL such as "https://desk.example/ringfence"')
    return text


def _listens_on(text: str) -> str:
    if text != "localhost":
        try:
            ipaddress.ip_address(text)
        except ValueError:
            raise ValueError('must be an IP address such as "127.0.0.1", or "localhost"') from None
    return text


def _absolute(path: Path) -> Path:
    try:
        return BASE.get(Path.cwd()) / path.expanduser()
    except RuntimeError:
        raise ValueError("there is no such user's folder; write the path without ~") from None


Place = Annotated[Path, Strict(strict=False), AfterValidator(_absolute)]
Many = Annotated[tuple[_T, ...], Strict(strict=False)]
Host = Annotated[str, AfterValidator(_listens_on)]
Url = Annotated[str, AfterValidator(_url)]
Address = Annotated[str, AfterValidator(_address)]
Peer = Annotated[str, AfterValidator(_peer)]
Network = Annotated[str, AfterValidator(_network)]
Country = Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$")]
Name = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_-]{0,39}$")]
Ingress = Literal["subscriber", "domestic", "international"]
