"""A service as a process of its own, for measuring."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import httpx

from ringfence.shell.store.store import Store
from ringfence.shell.store.tokens import SCOPES

_CLOCK_TICKS = os.sysconf("SC_CLK_TCK")
SETTINGS: Final = "[limits]\nrequests_per_s = 100000.0\nburst = 100000\nrows_per_s = 100000000.0\n"
"""Limits that a load does not meet."""
_SERVE = "import sys; from ringfence.cli.main import run; run()"


@dataclass(frozen=True, slots=True)
class Process:
    """A running service: its port, its process, a token; seconds from its being started to its being ready."""

    port: int
    pid: int
    token: str
    client: httpx.Client
    started_s: float

    def cpu(self) -> float:
        """CPU seconds that it has used."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / _CLOCK_TICKS

    def resident(self) -> float:
        """Its memory, MB."""
        lines = Path(f"/proc/{self.pid}/status").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS")) / 1024

    def status(self) -> dict[str, Any]:
        """What it says of itself."""
        found: dict[str, Any] = self.client.get("/v1/status").json()
        return found

    def metric(self, name: str) -> float:
        """One of its figures that has no labels."""
        lines = self.client.get("/metrics").text.splitlines()
        return next(float(line.split()[1]) for line in lines if line.startswith(f"{name} "))

    def settle(self, seconds: float = 120.0) -> None:
        """Wait until nothing is behind."""
        until = time.monotonic() + seconds
        while self.status()["behind"] > 0:
            if time.monotonic() > until:
                raise TimeoutError("it does not keep up")
            time.sleep(0.05)


@contextmanager
def served(folder: Path, settings: str, port: int = 18_480) -> Iterator[Process]:
    """A service with a configuration (TOML, beside [service]), and a token that may do everything."""
    file, data = folder / "ringfence.toml", folder / "data"
    file.write_text(f'[service]\ndata = "{data}"\nport = {port}\n{settings}', encoding="utf-8")
    data.mkdir(mode=0o700, exist_ok=True)
    now = time.time_ns() // 1_000
    with Store.open(data) as store:
        token = store.tokens.create(f"bench-{now:x}", SCOPES, at=now)
    began = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-c", _SERVE, "serve", "--config", str(file)],
        stderr=(folder / "log").open("wb"),
    )
    try:
        headers = {"Authorization": f"Bearer {token}"}
        where = f"http://127.0.0.1:{port}"
        with httpx.Client(base_url=where, timeout=30, trust_env=False, headers=headers) as client:
            _wait(client, process)
            yield Process(port, process.pid, token, client, time.perf_counter() - began)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(30)


@contextmanager
def demo(folder: Path, port: int = 18_482) -> Iterator[httpx.Client]:
    """`ringfence serve --demo`."""
    command = [sys.executable, "-c", _SERVE, "serve", "--demo", "--data", str(folder), "--port", str(port)]
    process = subprocess.Popen(command, stderr=(folder / "log").open("wb"))
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=30, trust_env=False) as client:
            _wait(client, process)
            yield client
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(60)


def _wait(client: httpx.Client, process: subprocess.Popen[bytes]) -> None:
    while process.poll() is None:
        try:
            if client.get("/readyz").status_code == 200:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.05)
    raise RuntimeError("the service did not start")
