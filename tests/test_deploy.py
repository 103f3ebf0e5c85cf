"""What is needed to run it for good: files that agree with the program, and pages that agree with its settings."""

import configparser
import re
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest

from ringfence.shell.service.config import load
from ringfence.shell.service.metrics import STATES
from ringfence.shell.service.settings import Config, Hep, Records, Webhook
from ringfence.shell.service.settings_page import example

ROOT = Path(__file__).parents[1]
DEPLOY = ROOT / "deploy"
UNIT = DEPLOY / "ringfence.service"


def unit() -> configparser.RawConfigParser:
    parser = configparser.RawConfigParser(strict=False, delimiters=("=",))
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read(UNIT, "utf-8")
    return parser


def test_the_configuration_is_the_example_with_the_folder_of_the_unit() -> None:
    text = (DEPLOY / "ringfence.toml").read_text("utf-8")
    assert text == example(Path("/var/lib/ringfence"))
    assert tomllib.loads(text)["service"]["data"] == f"/var/lib/{unit()['Service']['StateDirectory']}"


def test_the_unit_is_one_that_systemd_takes(tmp_path: Path) -> None:
    found = unit()
    assert set(found.sections()) == {"Unit", "Service", "Install"}
    tool = shutil.which("systemd-analyze")
    if tool is None:
        pytest.skip("systemd is not installed here")
    # the program is not installed at its place on this machine
    copy = tmp_path / UNIT.name
    copy.write_text(
        UNIT.read_text("utf-8").replace("/opt/ringfence/.venv/bin/ringfence", "/bin/true"), "utf-8"
    )
    done = subprocess.run(
        [tool, "verify", "--man=no", str(copy)], capture_output=True, text=True, timeout=60, check=False
    )
    assert copy.name not in done.stderr, done.stderr
    assert done.returncode == 0, done.stderr


def test_the_unit_does_not_start_for_ever() -> None:
    found = unit()
    burst, interval = found["Unit"]["StartLimitBurst"], found["Unit"]["StartLimitIntervalSec"]
    # systemd gives up only if as many starts as that fit into the interval
    assert int(burst) * float(found["Service"]["RestartSec"]) < float(interval)
    assert found["Service"]["Restart"] == "on-failure"
    assert found["Service"]["RestartPreventExitStatus"] == "2"


def test_the_unit_and_the_container_start_what_there_is() -> None:
    started = re.findall(r"bin/ringfence (\w+)", UNIT.read_text("utf-8"))
    assert started == ["serve"]
    # RestartPreventExitStatus= holds for the service itself only
    assert "ExecStartPre" not in unit()["Service"]
    container = (DEPLOY / "Containerfile").read_text("utf-8")
    assert '"serve", "--config", "/etc/ringfence/ringfence.toml"' in container
    assert str(Config(service={"data": "/var/lib/ringfence"}).service.data) in container  # type: ignore[arg-type]


def test_files_that_the_container_is_made_of_are_there() -> None:
    lines = re.sub(r"\\\n", " ", (DEPLOY / "Containerfile").read_text("utf-8")).splitlines()
    known = {
        "FROM",
        "RUN",
        "WORKDIR",
        "COPY",
        "ENV",
        "USER",
        "VOLUME",
        "EXPOSE",
        "HEALTHCHECK",
        "STOPSIGNAL",
        "ENTRYPOINT",
        "CMD",
    }
    steps = [line.split() for line in lines if line.strip() and not line.startswith("#")]
    assert {step[0] for step in steps} <= known
    named = [
        name for step in steps if step[0] == "COPY" and "--from=build" not in step for name in step[1:-1]
    ]
    assert "requirements.lock" in named
    for name in named:
        assert (ROOT / name).exists(), name
    images = [step[1] for step in steps if step[0] == "FROM"]
    assert all("/" not in image for image in images)  # no registry is named
    user = next(step[1] for step in steps if step[0] == "USER")
    assert user not in {"0", "root"}
    assert any(step[0] == "HEALTHCHECK" and "/healthz" in " ".join(step) for step in steps)


def test_the_page_on_privacy_says_how_long_things_are_really_kept() -> None:
    english, chinese = (ROOT / "PRIVACY.md").read_text("utf-8").split("# 隐私说明")
    for name, field in Records.model_fields.items():
        if name.endswith("_days"):
            assert f"`{name}`: {field.default} days" in english, name
    config = Config()
    assert f"`keep_h`: {config.journal.keep_h:g} hours" in english
    records = config.records
    assert records.calls_days == records.texts_days == records.transfers_days
    assert f"通话、短信、转账各 {records.calls_days} 天" in chinese
    assert f"预警在关闭后保留 {records.alerts_days} 天" in chinese
    assert f"死信 {records.deliveries_days} 天" in chinese
    assert f"再保留 {config.journal.keep_h:g} 小时" in chinese


def test_the_page_on_hep_shows_a_source_that_can_be_loaded(tmp_path: Path) -> None:
    page = (ROOT / "docs" / "hep.md").read_text("utf-8")
    (block,) = re.findall(r"```toml\n(.*?)```", page, re.DOTALL)
    path = tmp_path / "ringfence.toml"
    path.write_text(block, "utf-8")
    config = load(path, {})
    source = config.sources["proxy"]
    assert isinstance(source, Hep)
    assert source.udp is not None
    assert page.count(source.udp) > 3  # where the agents send to
    assert set(source.peers.values()) == set(config.network.trunks)


def test_pages_name_the_states_there_are() -> None:
    service = (ROOT / "docs" / "service.md").read_text("utf-8")
    for text in (service, (DEPLOY / "README.md").read_text("utf-8")):
        line = next(line for line in text.splitlines() if "`/healthz`" in line and "`starting`" in line)
        assert [word for word in re.findall(r"`(\w+)`", line) if word in STATES] == list(STATES)


def test_the_page_on_webhooks_tells_the_defaults() -> None:
    page = (ROOT / "docs" / "webhooks.md").read_text("utf-8")
    fields = Webhook.model_fields
    assert f"`response_s` ({fields['response_s'].default:g} seconds by default)" in page
    assert f"`retry_h` old ({fields['retry_h'].default:g} hours by default)" in page


def test_pages_name_settings_that_exist() -> None:
    known = {
        name
        for model in (Records, type(Config().journal), type(Config().service))
        for name in model.model_fields
    }
    for page in ("PRIVACY.md", "SECURITY.md"):
        for name in re.findall(r"`(\w+_(?:days|h|cert|key))`", (ROOT / page).read_text("utf-8")):
            assert name in known, name
