"""What stands in From, To, Contact and P-Asserted-Identity: a display name, a URI, parameters (RFC 3261, section 25.1).

A passive reader is not asked whether a header is well formed: the network has already routed the call. So what is read
here is the best that can be made of it, and `fault` says what a SIP element would have to refuse it for.
"""

import re
from functools import lru_cache
from typing import Final, NamedTuple
from urllib.parse import unquote

TOKEN: Final = r"[-A-Za-z0-9.!%*_+`'~]"  # noqa: S105 - a character of what the RFC calls so
QUOTED: Final = r'"(?:[^"\\]|\\.)*+"'
_VALUE: Final = rf"(?:{QUOTED}|[^\s\";,<>]++)"
PARAMS: Final = rf"(?:[ \t]*+;[ \t]*+{TOKEN}++(?:[ \t]*+=[ \t]*+{_VALUE})?+)*+"
"""Parameters after a value: possessive, so that no text makes them slow."""

_NAMED: Final = re.compile(
    rf"(?:{QUOTED}|(?:{TOKEN}++[ \t]*+)*+)[ \t]*+<([^<>\s\"]++)>({PARAMS})[ \t]*+", re.DOTALL
)
_BARE: Final = re.compile(rf"([A-Za-z][-A-Za-z0-9+.]*+:[^<>\s\";,?]++)({PARAMS})[ \t]*+")
_TAG: Final = re.compile(r";[ \t]*tag[ \t]*=[ \t]*([^\s;,\"<>]+)", re.IGNORECASE)
# What is not closed goes on to the end: looked at once, however many there are.
_TO_THE_END: Final = re.compile(r'"(?:[^"\\]|\\.)*+"?', re.DOTALL)
_COMMA: Final = re.compile(rf"({_TO_THE_END.pattern}|<[^>]*+>?|[^,\"<]++)|,", re.DOTALL)
_CACHED_LENGTH: Final = 512


class Address(NamedTuple):
    """One value of From, To and the like.

    Attributes:
        uri: without the angle brackets.
        user: the part of the URI that names a person: unescaped, without password and parameters; "" if it has none.
        tag: of a From or To; "" if none.
        fault: what a SIP element would refuse it for; "" if nothing.
    """

    uri: str
    user: str
    tag: str
    fault: str


def address(value: str) -> Address:
    """Read one value; what is malformed is read as well as it can be."""
    return _cached(value) if len(value) <= _CACHED_LENGTH else _read(value)


def addresses(value: str) -> list[Address]:
    """Read the values of a header that may have several."""
    parts, current = list[str](), ""
    for match in _COMMA.finditer(value):
        if match[1] is None:
            parts.append(current)
            current = ""
        else:
            current += match[1]
    return [address(part.strip()) for part in (*parts, current) if part.strip()]


def user_of(uri: str) -> str:
    """The user of a sip, sips or tel URI, unescaped, without password and parameters; "" if there is none."""
    scheme, _, rest = uri.partition(":")
    scheme = scheme.strip().lower()
    if scheme in {"sip", "sips"}:
        user, at, _ = rest.partition("@")
        if not at:
            return ""
        user = user.partition(":")[0]
    elif scheme == "tel":
        user = rest
    else:
        return ""
    user = user.partition(";")[0].strip()
    return unquote(user, errors="replace") if "%" in user else user


def _read(value: str) -> Address:
    if found := _NAMED.fullmatch(value):
        uri, params = found.groups()
        return Address(uri, user_of(uri), _tag(params), "")
    if found := _BARE.fullmatch(value):  # without brackets, parameters are the header's
        uri, semicolon, params = value.partition(";")
        if "@" in params:  # a semicolon in the user
            uri, _, more = value.partition("@")
            host, semicolon, params = more.partition(";")
            uri = f"{uri}@{host}"
        return Address(uri.strip(), user_of(uri), _tag(semicolon + params), "")
    return _guess(value)


_cached = lru_cache(maxsize=1 << 15)(_read)


def _guess(value: str) -> Address:
    """The last thing in angle brackets, or what stands before the first semicolon."""
    begin = value.rfind("<")
    end = value.find(">", begin)
    if 0 <= begin < end:
        uri, params = value[begin + 1 : end].strip(), value[end:]
        fault = (
            "spaces in a URI" if uri != value[begin + 1 : end] else "a display name or parameter is malformed"
        )
    else:
        uri, semicolon, params = value.partition(";")
        uri, params, fault = (
            uri.strip(),
            semicolon + params,
            "a URI is malformed, or must stand in angle brackets",
        )
    return Address(uri, user_of(uri), _tag(params), fault)


def _tag(params: str) -> str:
    if params.startswith(";tag=") and params.count(";") == 1 and '"' not in params:
        return params[5:].strip()
    found = _TAG.search(_TO_THE_END.sub('""', params) if '"' in params else params)
    return found[1] if found else ""
