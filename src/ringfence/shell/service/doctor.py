"""What is wrong with an installation: a list of checks, each saying what it saw and what to do.

A check is a function in `CHECKS` that takes the `Patient` and yields findings. It changes nothing (but for a file of a few bytes, to
time an fsync) and raises nothing: what it cannot look at is a finding too.
"""

import ctypes
import errno
import http.client
import importlib.metadata
import json
import os
import re
import shutil
import socket
import ssl
import stat
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

from ringfence.shell.service.config import ConfigError, load
from ringfence.shell.service.config_check import check as check_config
from ringfence.shell.service.doctor_stores import database, journal, records
from ringfence.shell.service.findings import Check, Finding, Level, Patient
from ringfence.shell.service.setting_types import split_address
from ringfence.shell.service.settings import Config, Hep, Syslog
from ringfence.shell.warm_up import is_warm

SLOW_FSYNC_MS: Final = 50.0
OLDEST_PYTHON: Final = (3, 11)
SYSLOG_BUFFER: Final = 8 << 20
_REMOTE: Final = {"nfs", "nfs4", "cifs", "smb3", "fuse.sshfs", "9p"}
_FLEETING: Final = {"tmpfs", "ramfs"}
_UNSYNCHRONISED: Final = 5  # TIME_ERROR of adjtimex(2)


def admit(path: Path | None, env: Mapping[str, str] | None = None) -> Patient:
    """Read the configuration of what is to be looked at; a mistake in it is a finding, not an error."""
    try:
        return Patient(load(path, env), path, (), env)
    except ConfigError as error:
        try:
            return Patient(load(None, env), path, tuple(error.lines), env)
        except ConfigError:
            return Patient(Config(), path, tuple(error.lines), env)


def examine(patient: Patient) -> Iterator[Finding]:
    """Run all checks."""
    for check in CHECKS:
        try:
            yield from check(patient)
        except OSError as error:
            name = check.__name__.strip("_").replace("_", " ")
            why = error.strerror or "an error"
            yield Finding("bad", (f"{name}: cannot be looked at: {why}", f"{name}：无法检查：{why}"))


# --- the program ------------------------------------------------------------------------------------------------------


def _python(_: Patient) -> Iterator[Finding]:
    found = ".".join(map(str, sys.version_info[:3]))
    if sys.version_info < OLDEST_PYTHON:
        yield Finding("bad", (f"Python {found} is too old", f"Python {found} 版本过旧"), ("install Python 3.11 or later", "请安装 Python 3.11 或更高版本"))  # fmt: skip
    else:
        yield Finding("ok", (f"Python {found}", f"Python {found}"))


def _libraries(_: Patient) -> Iterator[Finding]:
    try:
        needed = [
            line for line in importlib.metadata.requires("ringfence") or [] if ";" not in line
        ]  # not of development
    except importlib.metadata.PackageNotFoundError:
        yield Finding("warn", ("ringfence is not installed as a package: libraries are not compared", "ringfence 未以软件包形式安装，无法核对依赖库版本"), ("install it with make run, or pip install .", "请用 make run 或 pip install . 安装"))  # fmt: skip
        return
    wrong = list(_too_old(needed))
    for name, found, least in wrong:
        shown = found or "missing"
        yield Finding("bad", (f"{name} {shown}: {least} or later is needed", f"{name} {found or '缺失'}：需要 {least} 或更高版本"), ("pip install --require-hashes -r requirements.lock",) * 2)  # fmt: skip
    if not wrong:
        yield Finding("ok", (f"{len(needed)} libraries are as new as needed", "依赖库版本均符合要求"))


def _too_old(needed: list[str]) -> Iterator[tuple[str, str, str]]:
    for line in needed:
        wanted = re.match(r"([\w.-]+?)>=([\d.]+)", line)
        if wanted is None:
            continue
        try:
            found = importlib.metadata.version(wanted[1])
        except importlib.metadata.PackageNotFoundError:
            found = ""
        if _release(found) < _release(wanted[2]):
            yield wanted[1], found, wanted[2]


def _release(version: str) -> tuple[int, ...]:
    found = re.match(r"\d+(?:\.\d+)*", version)
    return tuple(map(int, found[0].split("."))) if found else ()


def _compiled(_: Patient) -> Iterator[Finding]:
    if is_warm():
        yield Finding("ok", ("the detection pass is compiled", "检测程序已编译"))
    else:
        yield Finding("warn", ("the detection pass is not compiled yet: the first start takes 1 to 3 minutes", "检测程序尚未编译：首次启动需要 1 至 3 分钟"), ("python -m ringfence.shell.warm_up",) * 2)  # fmt: skip


def _configuration(patient: Patient) -> Iterator[Finding]:
    where = str(patient.path) if patient.path else "defaults and environment"
    where_zh = str(patient.path) if patient.path else "默认值与环境变量"
    if patient.mistakes:
        for line in patient.mistakes:
            yield Finding("bad", (line, line))
        return
    found = check_config(patient.config, patient.path, patient.env)
    for each in found:
        yield Finding("bad" if each.mistake else "warn", (each.text, each.text))
    if not any(each.mistake for each in found):
        yield Finding("ok", (f"configuration: {where}", f"配置：{where_zh}"))


# --- the disk ---------------------------------------------------------------------------------------------------------


def _data_folder(patient: Patient) -> Iterator[Finding]:
    folder = patient.config.service.data
    if not folder.is_dir():
        yield Finding(
            "warn",
            (f"{folder}: is not there yet; the first start makes it", f"{folder}：尚不存在，首次启动时创建"),
        )
        return
    status = folder.stat()
    mode = stat.S_IMODE(status.st_mode)
    if status.st_uid != os.geteuid():
        yield Finding("warn", (f"{folder}: belongs to another user than this one", f"{folder}：属主不是当前用户"), ("run doctor as the user of the service", "请以服务的运行用户执行 doctor"))  # fmt: skip
    if mode & 0o007:
        yield Finding("bad", (f"{folder}: every user of this machine can look into it (mode {mode:o})", f"{folder}：本机所有用户均可访问（权限 {mode:o}）"), (f"chmod 750 {folder}",) * 2)  # fmt: skip
    else:
        yield Finding("ok", (f"{folder}: mode {mode:o}", f"{folder}：权限 {mode:o}"))


def _space(patient: Patient) -> Iterator[Finding]:
    folder, journal = _existing(patient.config.service.data), patient.config.journal
    free = shutil.disk_usage(folder).free
    text = (f"{free / 1e9:.1f} GB free in {folder}", f"{folder} 剩余空间 {free / 1e9:.1f} GB")
    if free < journal.min_free_mb * 10**6:
        yield Finding("bad", text, ("make room: events are refused below [journal] min_free_mb", "请清理磁盘：低于 [journal] min_free_mb 时将拒收数据"))  # fmt: skip
    elif free < journal.max_gb * 10**9 + journal.min_free_mb * 10**6:
        yield Finding("warn", text, (f"the journal alone may take {journal.max_gb:g} GB; make room or lower [journal] max_gb", f"仅日志段就可能占用 {journal.max_gb:g} GB；请扩容或调低 [journal] max_gb"))  # fmt: skip
    else:
        yield Finding("ok", text)


def _file_system(patient: Patient) -> Iterator[Finding]:
    folder = _existing(patient.config.service.data)
    kind = _kind_of(folder)
    if kind in _FLEETING:
        yield Finding("bad", (f"{folder} is on {kind}: everything is gone after a restart of the machine", f"{folder} 位于 {kind}：重启后数据全部丢失"), ("name a folder on a disk in [service] data", "请在 [service] data 中改用磁盘目录"))  # fmt: skip
    elif kind in _REMOTE:
        yield Finding("warn", (f"{folder} is on {kind}: SQLite and fsync need a local disk", f"{folder} 位于 {kind}：SQLite 与 fsync 需要本地磁盘"), ("name a folder on a local disk in [service] data", "请在 [service] data 中改用本地磁盘目录"))  # fmt: skip
    try:
        took = _fsync_ms(folder)
    except OSError as error:
        yield Finding("bad", (f"{folder}: writing and fsync fail: {error.strerror}", f"{folder}：写入或 fsync 失败：{error.strerror}"), ("events cannot be acknowledged here; name another folder", "此处无法确认接收数据；请改用其他目录"))  # fmt: skip
        return
    level: Level = "ok" if took < SLOW_FSYNC_MS else "warn"
    slow = (
        "every acknowledgement waits for it; a disk of its own helps",
        "每次确认都要等待；建议使用独立磁盘",
    )
    yield Finding(level, (f"{kind or 'file system'}: an fsync takes {took:.1f} ms", f"{kind or '文件系统'}：一次 fsync 用时 {took:.1f} 毫秒"), ("", "") if level == "ok" else slow)  # fmt: skip


def _existing(folder: Path) -> Path:
    while not folder.is_dir() and folder != folder.parent:
        folder = folder.parent
    return folder


def _kind_of(folder: Path) -> str:
    """The kind of file system a folder is on; empty: not known."""
    kind, longest = "", -1
    try:
        mounts = Path("/proc/self/mounts").read_text("utf-8", "replace")
    except OSError:
        return kind
    for line in mounts.splitlines():
        fields = line.split()
        place = fields[1].replace("\\040", " ") if len(fields) > 2 else ""
        if place and folder.resolve().is_relative_to(place) and len(place) >= longest:
            kind, longest = fields[2], len(place)
    return kind


def _fsync_ms(folder: Path) -> float:
    """The median of five."""
    times = []
    with tempfile.TemporaryFile(dir=folder) as file:
        for _ in range(5):
            file.write(b"fsync")
            file.flush()
            begun = time.perf_counter()
            os.fsync(file.fileno())
            times.append((time.perf_counter() - begun) * 1000)
    return sorted(times)[2]


def _pseudonym_key(patient: Patient) -> Iterator[Finding]:
    path = patient.config.pseudonym_key
    if not path.exists():
        yield Finding("ok", ("pseudonym key: made on the first start", "假名密钥：首次启动时生成"))
        return
    mode = stat.S_IMODE(path.stat().st_mode)
    if mode & 0o077:
        yield Finding("bad", (f"{path}: others can read the key of the pseudonyms in logs (mode {mode:o})", f"{path}：他人可读取日志假名密钥（权限 {mode:o}）"), (f"chmod 600 {path}",) * 2)  # fmt: skip
    else:
        yield Finding("ok", (f"pseudonym key: mode {mode:o}", f"假名密钥：权限 {mode:o}"))


# --- the network ------------------------------------------------------------------------------------------------------


def _ports(patient: Patient) -> Iterator[Finding]:
    config = patient.config
    ours = False
    wanted: list[tuple[str, str, int]] = [("tcp", config.service.host, config.service.port)]
    for source in config.sources.values():
        if isinstance(source, Hep | Syslog):
            wanted += [(kind, *split_address(address)) for kind, address in (("udp", source.udp), ("tcp", source.tcp)) if address]  # fmt: skip
    for place, (kind, host, port) in enumerate(wanted):
        shown = f"{kind} {host}:{port}"
        wrong = _cannot_bind(kind, host, port)
        if wrong is None:
            yield Finding("ok", (f"{shown} is free", f"{shown} 空闲"))
        elif wrong == errno.EADDRINUSE and place == 0 and (state := _healthz(config)):
            ours = True
            yield Finding("ok" if state == "ok" else "warn", (f"{shown}: Ringfence answers, its state is {state}", f"{shown}：Ringfence 正在运行，状态为 {state}"))  # fmt: skip
        elif wrong == errno.EADDRINUSE and ours:
            yield Finding(
                "ok", (f"{shown} is taken, by Ringfence as it seems", f"{shown} 已占用，应为 Ringfence 自身")
            )
        else:
            why = os.strerror(wrong)
            yield Finding("bad", (f"{shown} cannot be listened on: {why}", f"{shown} 无法监听：{why}"), ("stop what is there, or choose another port or address", "请停止占用程序，或更换端口、地址"))  # fmt: skip


def _cannot_bind(kind: str, host: str, port: int) -> int | None:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM if kind == "tcp" else socket.SOCK_DGRAM) as sock:
        if kind == "tcp":
            sock.setsockopt(
                socket.SOL_SOCKET, socket.SO_REUSEADDR, 1
            )  # what waits for its end keeps nobody from listening
        try:
            sock.bind((host, port))
        except OSError as error:
            return error.errno or errno.EIO
    return None


def _healthz(config: Config) -> str | None:
    """The state that our service tells at its port; None: nobody answers, or somebody else."""
    service = config.service
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(service.host, service.host)  # noqa: S104 - compared, not bound
    connection = http.client.HTTPConnection(host, service.port, timeout=2)
    if service.tls_cert is not None:
        context = ssl.create_default_context()
        # the certificate names the service, not the loopback address; nothing secret is sent
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        connection = http.client.HTTPSConnection(host, service.port, timeout=2, context=context)
    try:
        connection.request("GET", "/healthz")
        told: Any = json.loads(connection.getresponse().read(65_536))
        return str(told["state"]) if "version" in told else None
    except (OSError, http.client.HTTPException, ValueError, KeyError, TypeError):
        return None
    finally:
        connection.close()


def _receive_buffer(patient: Patient) -> Iterator[Finding]:
    needs = [source.receive_buffer_kb * 1024 for source in patient.config.sources.values() if isinstance(source, Hep) and source.udp]  # fmt: skip
    needs += [
        SYSLOG_BUFFER
        for source in patient.config.sources.values()
        if isinstance(source, Syslog) and source.udp
    ]
    if not needs:
        return
    try:
        most = int(Path("/proc/sys/net/core/rmem_max").read_text("utf-8"))
    except (OSError, ValueError):
        return
    text = (f"receive buffer for UDP: {most // 1024} KiB allowed", f"UDP 接收缓冲区：允许 {most // 1024} KiB")
    if most < max(needs):
        yield Finding("warn", (f"{text[0]}, {max(needs) // 1024} asked for: bursts may be lost", f"{text[1]}，需要 {max(needs) // 1024} KiB：突发流量可能丢包"), (f"sysctl -w net.core.rmem_max={max(needs)}, and into /etc/sysctl.d", f"sysctl -w net.core.rmem_max={max(needs)}，并写入 /etc/sysctl.d"))  # fmt: skip
    else:
        yield Finding("ok", text)


# --- the clock --------------------------------------------------------------------------------------------------------


def _clock(_: Patient) -> Iterator[Finding]:
    synchronised = _is_synchronised()
    if synchronised:
        yield Finding("ok", ("the clock is synchronised", "系统时钟已同步"))
    elif synchronised is False:
        yield Finding("warn", ("the clock is not synchronised: records of other machines may seem to come from the future", "系统时钟未同步：其他设备的记录可能被判为来自未来"), ("timedatectl set-ntp true, or install chrony", "timedatectl set-ntp true，或安装 chrony"))  # fmt: skip


def _is_synchronised() -> bool | None:
    try:
        state = ctypes.CDLL(None, use_errno=True).adjtimex(ctypes.create_string_buffer(512))
    except (OSError, AttributeError):
        return None
    return None if state < 0 else bool(state != _UNSYNCHRONISED)


def _zones(_: Patient) -> Iterator[Finding]:
    try:
        ZoneInfo("Asia/Shanghai")
    except (KeyError, OSError):
        yield Finding(
            "bad", ("there is no time zone data", "缺少时区数据"), ("install tzdata", "请安装 tzdata")
        )
    else:
        yield Finding("ok", ("time zone data are there", "时区数据可用"))


CHECKS: Final[list[Check]] = [
    _python, _libraries, _compiled, _configuration, _data_folder, _space, _file_system, _pseudonym_key, journal,
    database, records, _ports, _receive_buffer, _clock, _zones,
]  # fmt: skip
"""All checks, in order. Whatever keeps something on disk adds one of its own."""
