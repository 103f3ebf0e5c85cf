"""Logs without persons: whatever is logged, numbers leave as keyed pseudonyms.

Nobody should log a number. This is the last line of defence for when somebody does, or a library does, or an exception carries
one: every value, however nested, and every traceback passes `Masker` before it is written. What it leaves readable: times,
IPv4 addresses, decimals, integers of up to six digits anywhere and of any length under names of counts (`COUNTS`).

A pseudonym is the same for the same digits (`+8613…`, `008613…` and `8613…` are the same), so a line of thought can be followed
through a log; who has not the key cannot go back from it, nor try out all numbers there are.
"""

import asyncio
import logging
import os
import re
import sys
import threading
import unicodedata
import warnings
from collections.abc import Mapping
from hashlib import blake2b
from numbers import Integral, Real
from pathlib import Path
from typing import Any, Final, Literal, TextIO

import structlog
from structlog.typing import Processor

KEY_BYTES: Final = 32
LONGEST: Final = 20_000  # characters of one text
DEEPEST: Final = 8
COUNTS: Final = re.compile(
    r"(?:^|_)(?:bytes|size|rows|lines|seq|count|calls|texts|transfers|alerts|messages|packets|records|port|pid|free|total|offset"
    r"|line|lineno|thread|took|lag|rate|s|ms|us|ns|mb|gb|kb|inode|status|code|version|number_of)$"
)

_KEEP: Final = re.compile(
    r"""(
      (?<![\d.+-])(?:19|20)\d\d-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])        # a date
        (?:[T ](?:[01]\d|2[0-3]):[0-5]\d(?::[0-6]\d(?:[.,]\d{1,9})?)?(?:Z|[+-]\d\d:?\d\d)?)?(?![\d-])
    | (?<![\d.:+-])(?:[01]\d|2[0-3]):[0-5]\d:[0-6]\d(?:[.,]\d{1,9})?(?![\d:.-])  # a time of day
    | (?<![\d.+-])(?:(?:25[0-5]|2[0-4]\d|1?\d?\d)\.){3}(?:25[0-5]|2[0-4]\d|1?\d?\d)(?::\d{1,5})?(?![\d.-])  # IPv4, port
    | (?<![\d.+-])(?<!\d[ ])\d{1,5}\.\d+(?![\d.]|[ -]\d)                            # a decimal
    )""",
    re.VERBOSE | re.ASCII,
)
# At least seven digits, of any script, with at most two of what people write between the digits of a number.
_NUMBER: Final = re.compile(r"\+?\(?\d(?:[ .\-/()\u00a0\u2009\u2010-\u2013]{0,2}\d){6,}")
_USER: Final = re.compile(r"(?i)\b(sips?:|tel:|sips?%3a|tel%3a)([^@\s;,<>\"'%]+)")
_TOKEN: Final = re.compile(r"\brf_[\w-]{20,}", re.ASCII)
_ESCAPED: Final = re.compile(r"%(3[0-9]|2[bB0dDeE89]|7[eE])")
_CONTROL: Final = re.compile(r"[\x00-\x08\x0a-\x1f\x7f\x85\u2028\u2029]")


class Pseudonyms:
    """Stand-ins for numbers, keyed: `n:` and 64 bits in hexadecimal.

    Args:
        key: 16 to 64 bytes.
    """

    def __init__(self, key: bytes) -> None:
        if not 16 <= len(key) <= 64:
            raise ValueError("the key of the pseudonyms must have 16 to 64 bytes")
        self._key = key

    @classmethod
    def kept_in(cls, path: Path) -> "Pseudonyms":
        """Take the key from a file, which is made (mode 600) where there is none.

        Raises:
            OSError: it cannot be read or made.
            ValueError: it holds no key.
        """
        try:
            key = path.read_bytes()
        except FileNotFoundError:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            key = _new_key(path)
        if len(key) != KEY_BYTES:
            raise ValueError(
                f"{path}: holds no key of {KEY_BYTES} bytes; restore it, or delete it to begin with a new one"
            )
        return cls(key)

    def of(self, number: str) -> str:
        """The pseudonym of a number or of a SIP user."""
        text = unicodedata.normalize("NFKC", number)
        digits = "".join(character for character in text if character.isdecimal())
        same = digits.removeprefix("00") if len(digits) >= 7 else text.strip().lower()
        return "n:" + blake2b(same.encode("utf-8", "replace"), key=self._key, digest_size=8).hexdigest()


def _new_key(path: Path) -> bytes:
    """Make a key; whoever comes second takes that of the first."""
    own = path.with_name(f"{path.name}.{os.getpid()}.{threading.get_ident()}")
    descriptor = os.open(own, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(os.urandom(KEY_BYTES))
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(own, path)
    except FileExistsError:
        pass
    finally:
        own.unlink()
    return path.read_bytes()


class Masker:
    """Replaces numbers in whatever can be logged. It is a processor of structlog.

    Args:
        pseudonyms: what they are replaced by.
        one_line: control characters of texts become blanks (for logs that are not JSON); tracebacks keep their lines.
    """

    def __init__(self, pseudonyms: Pseudonyms, *, one_line: bool = False) -> None:
        self._pseudonyms = pseudonyms
        self._one_line = one_line

    def __call__(self, _logger: object, _method: str, event: Mapping[str, Any]) -> dict[str, Any]:
        """Mask an event."""
        return {self._key(key): self.value(each, str(key)) for key, each in event.items()}

    def text(self, text: str) -> str:
        """The text without numbers."""
        if len(text) > LONGEST:
            # Cut where no digit stands, so that half a number is not left over.
            text = re.sub(r"[\d+%(). /-]*$", "", text[:LONGEST]) + "…"
        text = _ESCAPED.sub(lambda found: chr(int(found[1], 16)), text)
        text = _TOKEN.sub("rf_…", text)
        text = _USER.sub(lambda found: found[1] + self._pseudonyms.of(found[2]), text)
        parts = _KEEP.split(text)
        parts[::2] = [_NUMBER.sub(lambda found: self._pseudonyms.of(found[0]), part) for part in parts[::2]]
        return "".join(parts)

    def value(self, value: Any, key: str = "", depth: int = 0) -> Any:
        """The value without numbers: text, a number, true or false, nothing, or lists and tables of these."""
        if value is None or isinstance(value, bool):
            return value
        if isinstance(value, str):
            text = self.text(value)
            return _CONTROL.sub(" ", text) if self._one_line and key not in {"exception", "stack"} else text
        if isinstance(value, bytes | bytearray | memoryview):
            return self.value(bytes(value).decode("utf-8", "replace"), key)
        if isinstance(value, Integral):
            plain = int(value)
            return plain if abs(plain) < 10**6 or COUNTS.search(key) else self._pseudonyms.of(str(abs(plain)))
        if isinstance(value, Real):
            number = float(value)
            return number if abs(number) < 10**6 or COUNTS.search(key) else self.text(f"{number:.0f}")
        if depth >= DEEPEST:
            return "…"
        if isinstance(value, Mapping):
            return {self._key(name): self.value(each, str(name), depth + 1) for name, each in value.items()}
        if isinstance(value, list | tuple | set | frozenset):
            return [self.value(each, key, depth + 1) for each in value]
        return self.value(_shown(value), key)

    def _key(self, key: object) -> str:
        return self.text(str(key))


def _shown(value: object) -> str:
    if isinstance(value, BaseException):
        return f"{type(value).__name__}: {value}"
    try:
        return str(value) if isinstance(value, Path) else repr(value)
    except Exception:  # noqa: BLE001 - what cannot say what it is must not keep the line from being written
        return f"<{type(value).__name__}>"


# --- wiring -------------------------------------------------------------------------------------------------------------


def configure(
    pseudonyms: Pseudonyms,
    *,
    level: str = "info",
    format: Literal["json", "text"] = "json",  # noqa: A002 - the setting's name
    stream: TextIO | None = None,
) -> None:
    """Send everything that is logged in this process through the masker: structlog, logging, warnings, uncaught exceptions.

    uvicorn must be started with `log_config=None, access_log=False`: request paths hold numbers.
    """
    before: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="time"),
        structlog.processors.StackInfoRenderer(),
        structlog.processors.format_exc_info,
    ]
    renderer = (
        structlog.processors.JSONRenderer(ensure_ascii=False)
        if format == "json"
        else structlog.dev.ConsoleRenderer(colors=False, timestamp_key="time")
    )
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=before,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                Masker(pseudonyms, one_line=format == "text"),
                renderer,
            ],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    logging.raiseExceptions = False  # what logging says of a faulty call holds its raw arguments
    logging.captureWarnings(True)
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access", "asyncio", "httpx", "httpcore"):
        library = logging.getLogger(name)
        library.handlers.clear()
        library.propagate = name != "uvicorn.access"
        library.addHandler(
            logging.NullHandler()
        )  # without any, logging's last resort would write it as it is
    for name in ("httpx", "httpcore"):  # they log every URL
        logging.getLogger(name).setLevel(logging.WARNING)
    structlog.configure(
        processors=[*before, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelName(level.upper())),
        cache_logger_on_first_use=False,
    )
    _catch_uncaught()


def watch(loop: asyncio.AbstractEventLoop) -> None:
    """Log what an event loop's callbacks and forgotten tasks raise; asyncio itself would show the objects raw."""

    def handle(_loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        error = context.get("exception")
        _log("asyncio", str(context.get("message", "error in the event loop")), error)

    loop.set_exception_handler(handle)


def _catch_uncaught() -> None:
    def thread(args: threading.ExceptHookArgs) -> None:
        if args.exc_type is not SystemExit:
            _log(
                "thread",
                f"a thread ended with an error: {args.thread.name if args.thread else ''}",
                args.exc_value,
            )

    def main(_kind: type[BaseException], error: BaseException, _trace: Any) -> None:
        if not isinstance(error, KeyboardInterrupt):
            _log("main", "the process ended with an error", error)

    def unraisable(args: Any) -> None:
        _log("main", str(args.err_msg or "error where none can be raised"), args.exc_value)

    threading.excepthook = thread
    sys.excepthook = main
    sys.unraisablehook = unraisable
    warnings.simplefilter("default", ResourceWarning)


def _log(name: str, message: str, error: BaseException | None) -> None:
    logging.getLogger(f"ringfence.{name}").critical(
        "%s", message, exc_info=(type(error), error, error.__traceback__) if error else None
    )
