"""A telephone network on loopback: a redirect server, Kamailio, and SIPp at both ends.

Everything listens on 127.0.0.1, on ports that were free a moment ago, and is ended by its process id.
"""

import contextlib
import re
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

HERE = Path(__file__).parent
TIMEOUT = 20.0  # seconds, for everything together


@dataclass(frozen=True)
class Caller:
    """One line of SIPp's data: what is in From, who is rung, what the network asserts."""

    shown: str
    rung: str
    asserted: str

    def line(self) -> str:
        return f"{self.shown};{self.rung};{self.asserted}"


@dataclass(frozen=True)
class Act:
    """Some calls that go the same way: what the caller does, what the called side does."""

    caller: str  # a scenario beside this file
    callee: str
    calls: list[Caller]
    refusal: str = "486 Busy Here"


@dataclass
class Network:
    """A running Kamailio with its redirect server."""

    proxy: int
    log: Path
    deadline: float
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def start(self, *command: str, cwd: Path) -> subprocess.Popen[bytes]:
        process = subprocess.Popen(command, cwd=cwd, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.processes.append(process)
        return process

    def perform(self, acts: list[Act], folder: Path) -> None:
        """Make all calls of all acts, side by side, and wait until SIPp says that each went as written."""
        callers = [self._perform(act, folder / f"act{number}") for number, act in enumerate(acts)]
        for act, process in zip(acts, callers, strict=True):
            code = process.wait(max(0.1, self.deadline - time.monotonic()))
            if code != 0:
                message = f"SIPp ({act.caller} to {act.callee}) ended with {code}: a call went otherwise"
                raise AssertionError(message)

    def settled(self, quiet: float = 0.4) -> bytes:
        """Return the log once nothing has been added to it for a while (the JSON comes by a timer)."""
        before = b""
        while time.monotonic() < self.deadline and (now := self.log.read_bytes()) != before:
            before = now
            time.sleep(quiet)
        return before

    def _perform(self, act: Act, folder: Path) -> subprocess.Popen[bytes]:
        folder.mkdir()
        data = folder / "calls.csv"
        data.write_text("SEQUENTIAL\n" + "".join(f"{call.line()}\n" for call in act.calls), encoding="utf-8")
        # SIPp wants a code in digits in the scenario itself.
        answer = folder / "callee.xml"
        answer.write_text((HERE / f"{act.callee}.xml").read_text().replace("486 Busy Here", act.refusal))
        callee, count = free_port(), str(len(act.calls))
        common = ("-i", "127.0.0.1", "-m", count, "-nostdin", "-timeout", "15", "-timeout_error")
        self.start(
            "sipp", "-sf", str(answer), "-p", str(callee), *common, cwd=folder,
        )  # fmt: skip
        wait_until_bound(callee, self.deadline)
        return self.start(
            "sipp", f"127.0.0.1:{self.proxy}", "-sf", str(HERE / f"{act.caller}.xml"), "-inf", str(data),
            "-p", str(free_port()), "-r", "10", *common, "-key", "callee_port", str(callee), cwd=folder,
        )  # fmt: skip


@contextlib.contextmanager
def network(folder: Path, *defines: str) -> Iterator[Network]:
    """Start the redirect server and Kamailio; end everything that was started."""
    if missing := [name for name in ("kamailio", "sipp") if shutil.which(name) is None]:
        message = f"{' and '.join(missing)} not installed; `make test` installs what the tests need"
        raise AssertionError(message)
    answers = RedirectServer()
    running = Network(free_port(), folder / "kamailio.log", time.monotonic() + TIMEOUT)
    options = [option for define in defines for option in ("-A", define)]
    with answers, running.log.open("wb") as log:
        running.processes.append(
            subprocess.Popen(
                (
                    "kamailio", "-f", str(HERE / "kamailio.cfg"), "-DD", "-E", "-m", "32", "-Y", str(folder),
                    "-w", str(folder), "-l", f"udp:127.0.0.1:{running.proxy}",
                    "-A", f'QUERY_URI="sip:127.0.0.1:{answers.port}"', *options,
                ),
                stdout=log, stderr=log,
            )
        )  # fmt: skip
        try:
            wait_until_answering(running.proxy, running.deadline)
            yield running
        finally:
            for process in reversed(running.processes):
                process.terminate()
            for process in running.processes:
                try:
                    process.wait(3)
                except subprocess.TimeoutExpired:
                    process.kill()
                    process.wait()


class RedirectServer:
    """Answers every INVITE with 404, which means: no objection, route on."""

    def __init__(self) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self.port: int = self._socket.getsockname()[1]
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as end:
            end.sendto(b"end", ("127.0.0.1", self.port))
        self._thread.join(2)
        self._socket.close()

    def _serve(self) -> None:
        while (packet := self._socket.recvfrom(65535))[0] != b"end":
            request = packet[0].decode()
            if request.startswith("INVITE "):
                kept = re.findall(r"(?im)^(?:via|from|to|call-id|cseq):.*$", request)
                lines = [
                    f"{line.strip()};tag=query" if line.lower().startswith("to:") else line.strip()
                    for line in kept
                ]
                reply = "\r\n".join(["SIP/2.0 404 Not Found", *lines, "Content-Length: 0", "", ""])
                self._socket.sendto(reply.encode(), packet[1])


def free_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def wait_until_bound(port: int, deadline: float) -> None:
    """A UDP port is in use when it cannot be bound any more."""
    while time.monotonic() < deadline:
        try:
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
                probe.bind(("127.0.0.1", port))
        except OSError:
            return
        time.sleep(0.02)
    message = "SIPp did not start"
    raise AssertionError(message)


def wait_until_answering(port: int, deadline: float) -> None:
    """Ask with OPTIONS until the proxy answers."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        probe.settimeout(0.1)
        mine = probe.getsockname()[1]
        ask = (
            f"OPTIONS sip:127.0.0.1:{port} SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:{mine};branch=z9hG4bK-ready\r\n"
            f"From: <sip:ready@127.0.0.1>;tag=r\r\nTo: <sip:127.0.0.1:{port}>\r\nCall-ID: ready\r\n"
            "CSeq: 1 OPTIONS\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n"
        )
        while time.monotonic() < deadline:
            probe.sendto(ask.encode(), ("127.0.0.1", port))
            with contextlib.suppress(TimeoutError, ConnectionRefusedError):
                probe.recvfrom(65535)
                return
            time.sleep(0.05)
    message = "Kamailio did not start; see its log"
    raise AssertionError(message)
