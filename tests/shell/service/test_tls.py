"""The port speaks TLS where a certificate is configured, and nothing else."""

import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from tests.shell.service.certificates import certificate
from typer.testing import CliRunner

from ringfence.cli.main import app

SERVE = "from ringfence.cli.main import run; run()"


@pytest.fixture(scope="module")
def where(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    """The address of a service with TLS, and its certificate."""
    folder = tmp_path_factory.mktemp("tls")
    cert, key = certificate(folder)
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port = sock.getsockname()[1]
    file = folder / "ringfence.toml"
    file.write_text(
        f'[service]\ndata = "{folder / "data"}"\nport = {port}\ntls_cert = "{cert}"\ntls_key = "{key}"\n'
    )
    file.chmod(0o600)
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-c", SERVE, "serve", "--config", str(file)], stdout=log, stderr=log
        )
    try:
        until = time.monotonic() + 120
        while not listens(port):
            assert process.poll() is None, (folder / "log").read_text()
            assert time.monotonic() < until
            time.sleep(0.1)
        yield f"127.0.0.1:{port}", cert
    finally:
        process.terminate()
        process.wait(60)


def listens(port: int) -> bool:
    with socket.socket() as sock:
        return sock.connect_ex(("127.0.0.1", port)) == 0


def test_over_tls(where: tuple[str, Path]) -> None:
    address, cert = where
    trusted = ssl.create_default_context(cafile=str(cert))
    answer = httpx.get(f"https://{address}/healthz", verify=trusted, trust_env=False, timeout=30)
    assert answer.status_code == 200
    assert "version" in answer.json()


def test_a_token_of_the_command_line_is_known(where: tuple[str, Path]) -> None:
    address, cert = where
    made = CliRunner().invoke(
        app, ["token", "create", "desk", "--scope", "alerts:read", "--data", str(cert.parent / "data")]
    )
    assert made.exit_code == 0, made.output
    trusted = ssl.create_default_context(cafile=str(cert))
    with httpx.Client(base_url=f"https://{address}", verify=trusted, trust_env=False, timeout=30) as client:
        assert client.get("/v1/alerts").status_code == 401
        known = {"Authorization": f"Bearer {made.stdout.strip()}"}
        assert client.get("/v1/alerts", headers=known).status_code == 200


def test_a_client_that_does_not_know_the_certificate(where: tuple[str, Path]) -> None:
    with pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY_FAILED"):
        httpx.get(f"https://{where[0]}/healthz", trust_env=False, timeout=30)


def test_without_tls_nothing_is_told(where: tuple[str, Path]) -> None:
    with pytest.raises(httpx.TransportError):
        httpx.get(f"http://{where[0]}/healthz", trust_env=False, timeout=30)
