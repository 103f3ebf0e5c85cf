"""Nothing that is logged holds a number, however it got there; what an operator needs stays readable."""

import asyncio
import io
import json
import logging
import re
import sys
import threading
import warnings
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import quote

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from ringfence.shell.service import logs
from ringfence.shell.service.logs import Masker, Pseudonyms

KEY = bytes(range(32))
MASK = Masker(Pseudonyms(KEY))
NUMBER = "+8613800000001"
OF = Pseudonyms(KEY).of(NUMBER)


@pytest.fixture(params=["json", "text"])
def written(request: pytest.FixtureRequest) -> Iterator[io.StringIO]:
    """What is written; the process logs as before afterwards."""
    root = logging.getLogger()
    names = ["uvicorn", "uvicorn.error", "uvicorn.access", "asyncio", "httpx", "httpcore"]
    before = (
        root.handlers[:],
        root.level,
        sys.excepthook,
        threading.excepthook,
        sys.unraisablehook,
        logging.raiseExceptions,
    )
    loggers = {name: (logging.getLogger(name).handlers[:], logging.getLogger(name).propagate, logging.getLogger(name).level) for name in names}  # fmt: skip
    logging.captureWarnings(False)  # a test before may have asked for it, and it is only done once
    stream = io.StringIO()
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        logs.configure(Pseudonyms(KEY), level="debug", format=request.param, stream=stream)
        yield stream
    (
        root.handlers[:],
        root.level,
        sys.excepthook,
        threading.excepthook,
        sys.unraisablehook,
        logging.raiseExceptions,
    ) = before
    logging.captureWarnings(False)
    for name, (handlers, propagate, level) in loggers.items():
        logger = logging.getLogger(name)
        logger.handlers[:], logger.propagate = handlers, propagate
        logger.setLevel(level)
    structlog.reset_defaults()


SHAPES = [
    "{n}", "caller={n}", "tel:{n}", "<sip:{n}@192.0.2.1:5060;user=phone>", "/v1/numbers/{n}?x=1", '{{"caller":"{n}"}}', "x{n}y",
    "2026-03-05T02:11:09Z {n}", "{n} 2026-03-05", "127.0.0.1 {n}", "{n} 127.0.0.1:8080", "8080 {n}", "[{n}, {n}]", "{n}.5", "1.5 {n}", "0.5-{n}",
]  # fmt: skip


def spelled(digits: str) -> list[str]:
    return [
        digits, "+" + digits, "00" + digits, "%2B" + digits, "%2b" + digits, quote("".join(f"%{ord(c):x}" for c in digits), safe="%"),
        " ".join(re.findall("..?", digits)), "-".join(re.findall("...?.?", digits)), f"+{digits[:2]} ({digits[2:5]}) {digits[5:9]}-{digits[9:]}",
        "".join(chr(ord(c) + 0xFEE0) for c in digits), ".".join(re.findall("...?.?", digits)), "\u00a0".join(re.findall("..?.?.?", digits)), " ".join(digits),
    ]  # fmt: skip


def leaks(text: str, digits: str) -> bool:
    """Whether as much as seven digits of a number in a row can be read, whatever stands between them."""
    readable = re.sub(r"n:[0-9a-f]{16}", "|", text)
    plain = "".join(str(int(c)) if c.isdecimal() else c for c in readable)
    joined = re.sub(r"[^\d|a-zA-Z]", "", plain)
    return any(digits[place : place + 7] in joined for place in range(len(digits) - 6))


@pytest.mark.parametrize("shape", SHAPES)
@given(st.from_regex(r"\A86138000[0-9]{5}\Z"))
def test_no_number_in_any_shape_passes(shape: str, digits: str) -> None:
    for spelling in spelled(digits):
        text = MASK.text(shape.format(n=spelling))
        assert not leaks(text, digits), (spelling, text)
        assert "n:" in text


@pytest.mark.parametrize(
    "text",
    [
        "2026-03-05T02:11:09.120000Z", "2026-03-05 02:11:09+08:00", "2026-03-05", "02:11:09.123456", "[02:11:09]", "192.0.2.17", "192.0.2.17:50601",
        "took 0.123456789 s", "3.11.7", "port 8080, pid 12345", "999999 rows", "1,000,000 rows", "alert a1b2c3", "/v1/alerts?limit=100", "::1", "2001:db8::1",
        "tests/test_x.py:123", "0x7f3a", "17 of 20", "seq 1..99999", "50 %", "20% off",
    ],
)  # fmt: skip
def test_what_an_operator_needs_stays(text: str) -> None:
    assert MASK.text(text) == text


def test_counts_stay_and_numbers_that_are_numbers_do_not() -> None:
    event = {"rows": 138_000_000_01, "free_bytes": 10**12, "seq": 10**9, "took_ms": 1.5e9, "port": 8080, "n": 8613800000001, "f": 8613800000001.0, "ok": True, "none": None}  # fmt: skip
    masked = MASK(None, "", event)
    assert masked == event | {"n": OF, "f": OF}


def test_the_same_number_is_the_same_pseudonym() -> None:
    assert (
        len(
            {
                Pseudonyms(KEY).of(n)
                for n in (NUMBER, "008613800000001", "86 138-0000-0001", "８６13800000001")
            }
        )
        == 1
    )
    assert Pseudonyms(b"x" * 32).of(NUMBER) != OF
    assert re.fullmatch("n:[0-9a-f]{16}", OF)
    assert Pseudonyms(KEY).of("Alice") == Pseudonyms(KEY).of("alice") != Pseudonyms(KEY).of("bob")
    with pytest.raises(ValueError, match="16 to 64 bytes"):
        Pseudonyms(b"short")


def test_users_of_sip_addresses_are_replaced() -> None:
    for text in (
        "sip:alice.wang@example.com",
        "From: <SIPS:alice.wang@h>",
        "sip%3Aalice.wang%40h",
        "tel:alice.wang",
    ):
        assert "alice" not in MASK.text(text)


JSON = st.recursive(
    st.sampled_from([NUMBER, NUMBER.encode(), int(NUMBER), float(NUMBER), ValueError(NUMBER), {NUMBER}, Path("/v1") / NUMBER, SimpleNamespace(a=NUMBER)]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["a", NUMBER, "b"]), inner, max_size=3) | st.tuples(inner, inner),
    max_leaves=12,
)  # fmt: skip


@given(JSON)
def test_nothing_nested_passes(value: Any) -> None:
    masked = json.dumps(MASK(None, "", {"event": "x", "value": value}))
    assert not leaks(masked, NUMBER[1:])


def test_a_long_text_is_cut_where_no_number_is() -> None:
    text = MASK.text("a" * (logs.LONGEST - 6) + NUMBER)
    assert text.endswith("aaa…")
    deep: Any = NUMBER
    for _ in range(30):
        deep = [deep]
    assert not leaks(str(MASK.value(deep)), NUMBER[1:])


class Rude:
    def __repr__(self) -> str:
        raise RuntimeError(NUMBER)


def test_everything_the_process_says(written: io.StringIO) -> None:
    log = structlog.get_logger("ringfence.test")
    try:
        raise KeyError(NUMBER, {"caller": int(NUMBER)})  # noqa: TRY301
    except KeyError:
        log.exception(
            "lookup failed",
            caller=NUMBER,
            nested={"a": [NUMBER, b"x" + NUMBER.encode()]},
            path=f"/v1/numbers/{quote(NUMBER)}",
        )
        logging.getLogger("some.library").exception("%s failed: %r", NUMBER, {"n": NUMBER})
    logging.getLogger("faulty").warning("%d", NUMBER)
    logging.getLogger("uvicorn.access").info("GET /v1/numbers/%s", NUMBER)
    logging.getLogger("uvicorn.error").warning("bad request for %s", NUMBER)
    logging.getLogger("httpx").info("POST https://x/%s", NUMBER)
    warnings.warn(f"odd number {NUMBER}", RuntimeWarning, stacklevel=1)
    log.info("rude", value=Rude())
    log.info("line\nforged %s", NUMBER)
    text = written.getvalue()
    assert not leaks(text, NUMBER[1:])
    assert OF in text
    assert "lookup failed" in text
    assert "KeyError" in text
    assert "bad request for" in text
    assert "odd number" in text
    assert "GET" not in text
    assert "https://x" not in text
    assert "\nforged" not in text
    assert "<Rude>" in text


def test_errors_that_nobody_caught(written: io.StringIO, capsys: pytest.CaptureFixture[str]) -> None:
    def fail() -> None:
        raise ValueError(f"no such caller {NUMBER}")

    thread = threading.Thread(target=fail, name=f"of {NUMBER}")
    thread.start()
    thread.join()
    try:
        fail()
    except ValueError:
        sys.excepthook(*sys.exc_info())

    async def main() -> None:
        loop = asyncio.get_running_loop()
        logs.watch(loop)
        loop.call_soon(fail)
        await asyncio.sleep(0)

    asyncio.run(main())
    text = written.getvalue()
    assert text.count("ValueError: no such caller") == 3
    assert "Traceback" in text
    assert not leaks(text + "".join(capsys.readouterr()), NUMBER[1:])


def test_a_line_is_json(written: io.StringIO) -> None:
    structlog.get_logger("ringfence.x").warning("event late", rows=17, source="proxy")
    text = written.getvalue()
    if text.startswith("{"):
        line = json.loads(text)
        assert (line["event"], line["rows"], line["source"], line["level"]) == (
            "event late",
            17,
            "proxy",
            "warning",
        )
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT[\d:.]+Z", line["time"])
    assert text.count("\n") == 1


def test_the_key_is_made_once_and_for_its_owner_only(tmp_path: Path) -> None:
    path = tmp_path / "keys" / "pseudonym.key"
    found: list[str] = []
    threads = [
        threading.Thread(target=lambda: found.append(Pseudonyms.kept_in(path).of(NUMBER))) for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 8
    assert len(set(found)) == 1
    assert path.stat().st_mode & 0o777 == 0o600
    assert list(path.parent.iterdir()) == [path]
    assert Pseudonyms.kept_in(path).of(NUMBER) == found[0]
    path.write_bytes(b"short")
    with pytest.raises(ValueError, match="holds no key"):
        Pseudonyms.kept_in(path)
