"""From the configuration to a service that runs: the one place where everything is put together."""

import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from ipaddress import ip_network
from pathlib import Path
from typing import Any, Final

import structlog
from fastapi import FastAPI

from ringfence.detect.screening import Screen
from ringfence.detect.shard import Limits
from ringfence.detect.table import FULL
from ringfence.ingest._hep_calls import HepCalls
from ringfence.ingest._pieces import has_header, pieces
from ringfence.ingest._sip_state import SipSettings
from ringfence.ingest.format import Settings
from ringfence.model.numbers import NumberPlan
from ringfence.shell.judge import Charge
from ringfence.shell.lists import read_lists
from ringfence.shell.service.api.context import Context
from ringfence.shell.service.app import create_app
from ringfence.shell.service.config import auth_key, endpoint_of
from ringfence.shell.service.decoders import Decoder, Events, HepPackets, Lines, Makers
from ringfence.shell.service.limits import Limits as Rates
from ringfence.shell.service.running import Running
from ringfence.shell.service.service import Plan, Service
from ringfence.shell.service.setting_types import split_address
from ringfence.shell.service.settings import Config, Folder, Hep, Source, Syslog, Tail
from ringfence.shell.service.sources.city import SPEED, ZONE, Town
from ringfence.shell.service.sources.feed import Feed
from ringfence.shell.service.sources.folder import WatchedFolder
from ringfence.shell.service.sources.hep import HepSource
from ringfence.shell.service.sources.replay import parts_of
from ringfence.shell.service.sources.tail import Tail as Followed
from ringfence.shell.service.sources.written import FolderSource, SyslogSource, TailSource
from ringfence.shell.service.webhooks import Webhooks

DEMO: Final = "city"
REPLAY: Final = "replay"
_DEMO_AHEAD_S: Final = 400 * 86_400.0
_log = structlog.get_logger("ringfence.webhooks")


@dataclass(frozen=True, slots=True)
class Told:
    """Files to be told live, beside the sources of the configuration.

    Attributes:
        files: any input of a scan.
        speed: seconds of theirs in one of ours; 0: as fast as they are taken.
        format: of all files, None: recognised.
    """

    files: list[Path]
    speed: float = 1.0
    format: str | None = None


@dataclass(frozen=True, slots=True)
class Wired:
    """What was put together."""

    app: FastAPI
    context: Context
    sources: list[Running]


def plan_of(config: Config, replay: Told | None = None) -> Plan:
    """What the configuration asks the service to do.

    Raises:
        ListError, OSError: the operator's lists cannot be used.
    """
    network, detect = config.network, config.detect
    lists = read_lists(network.lists, NumberPlan.of(network.country))
    limits = limits_for(detect.lines)
    charge = Charge(
        network.country, network.timezone, detect.detectors, detect.each_call, lists, limits=limits
    )
    makers: Makers = {name: _maker(config, source) for name, source in config.sources.items()}
    if config.service.demo:
        makers[DEMO] = Events
    if replay is not None:
        makers[REPLAY] = Events
    return Plan(
        config.service.data,
        charge,
        disorder_s=config.window.disorder_s,
        ahead_s=_DEMO_AHEAD_S if config.service.demo or replay is not None else config.window.ahead_s,
        idle_s=config.window.idle_s,
        segment_bytes=config.journal.segment_mb * 1_000_000,
        journal_bytes=int(config.journal.max_gb * 1e9),
        min_free_bytes=config.journal.min_free_mb * 1_000_000,
        fsync_s=config.journal.fsync_ms / 1000,
        keep_journal_s=config.journal.keep_h * 3600,
        trunks=network.trunks,
        keep_days={
            "calls": config.records.calls_days,
            "texts": config.records.texts_days,
            "transfers": config.records.transfers_days,
        },
        alert_days=config.records.alerts_days,
        event_days=config.records.deliveries_days,
        upkeep_s=config.records.compact_s,
        snapshot_rows=config.snapshot.every_rows,
        snapshot_s=config.snapshot.every_s,
        rebuild_calls=config.snapshot.rebuild_calls,
        makers=makers,
    )


def limits_for(lines: int) -> Limits:
    """Bounds of the engine's tables for a network of so many lines, of which each knows some dozen numbers.

    From `MOST_LINES` on they are the built-in ones.
    """
    size = 1 << max(int(lines / FULL).bit_length(), 14)
    usual = Limits()
    return Limits(
        lines=min(2 * size, usual.lines),
        pairs=min(16 * size, usual.pairs),
        profiles=min(4 * size, usual.profiles),
        devices=min(2 * size, usual.devices),
        money=min(size, usual.money),
    )


def wire(
    config: Config, replay: Told | None = None, on_ready: Callable[[FastAPI, Context], None] | None = None
) -> Wired:
    """Put a service together.

    Args:
        config: as it was read.
        replay: files to be told live.
        on_ready: adds to the application, such as the desk.

    Raises:
        ConfigError, EndpointError, ListError, StoreError, RecordsError, OSError: one line, what is wrong.
    """
    service = Service(plan_of(config, replay))
    endpoints = [endpoint_of(webhook) for webhook in config.webhooks]
    webhooks = None
    if endpoints:
        webhooks = Webhooks(
            service.store.deliveries,
            endpoints,
            now=service.clock,
            chance=random.random,
            say=lambda name, line: _log.warning("webhook", webhook=name, what=line),
        )
    limits = config.limits
    context = Context(
        service,
        Screen(service.pipeline.judge.engine),
        webhooks,
        Rates(limits.requests_per_s, limits.burst),
        Rates(limits.rows_per_s, 2 * limits.rows_per_s),
        is_open=config.service.demo,
        timezone=ZONE if config.service.demo else config.network.timezone,
    )
    sources = _sources(config, service, replay)
    app = create_app(
        context,
        sources,
        body_bytes=int(limits.body_mb * 1e6),
        request_s=limits.request_s,
        on_ready=lambda app: on_ready(app, context) if on_ready else None,
    )
    return Wired(app, context, sources)


def _settings(config: Config, source: Source) -> Settings:
    mapping = getattr(source, "mapping", None)
    return Settings(
        source.country or config.network.country,
        source.timezone or config.network.timezone,
        mapping.read_text("utf-8") if mapping else None,
    )


def _maker(config: Config, source: Source) -> Callable[[], Decoder]:
    if isinstance(source, Hep):
        ingress = config.network.trunks
        trunks = {peer: (trunk, ingress.get(trunk)) for peer, trunk in source.peers.items()}
        sip = SipSettings(source.trust_asserted, source.trunk_header or "", trunks)
        return lambda: HepPackets(HepCalls(sip))
    if isinstance(source, Folder):
        return Events
    settings, hold = _settings(config, source), int(source.failure_hold_s * 1e6)
    return lambda: Lines(pieces(source.format, settings, hold))


def _sources(config: Config, service: Service, replay: Told | None) -> list[Running]:
    found = [_source(name, source, service, config) for name, source in config.sources.items()]
    positions = service.positions
    if config.service.demo:
        found.append(_city(service))
    if replay is not None:
        settings = Settings(config.network.country, config.network.timezone)
        found.append(
            Feed(
                REPLAY,
                service.append,
                lambda: parts_of(replay.files, replay.format, settings),
                speed=replay.speed,
                since=lambda: int(positions().get(REPLAY, {}).get("told", 0)),
            )
        )
    return found


def _city(service: Service) -> Feed:
    kept = service.kept("city", {"begin": datetime.now(UTC).date().isoformat(), "seed": 1})
    town = Town.of(datetime.fromisoformat(kept["begin"]).date(), kept["seed"])
    return Feed(
        DEMO,
        service.append,
        town.parts,
        speed=SPEED,
        hurry=town.hurry,
        since=lambda: int(service.positions().get(DEMO, {}).get("told", 0)),
        clock=service.clock,
    )


def _source(name: str, source: Source, service: Service, config: Config) -> Running:
    if isinstance(source, Hep):
        return HepSource(
            name,
            service.append,
            service.clock,
            udp=split_address(source.udp) if source.udp else None,
            tcp=split_address(source.tcp) if source.tcp else None,
            key=auth_key(source),
            allow=[ip_network(network) for network in source.allow],
            buffer=source.receive_buffer_kb * 1024,
        )
    if isinstance(source, Syslog):
        return SyslogSource(
            name,
            service.append,
            source.allow,
            split_address(source.udp) if source.udp else None,
            split_address(source.tcp) if source.tcp else None,
        )
    settings = _settings(config, source)
    if isinstance(source, Tail):
        return TailSource(name, service.append, _tail(source, settings), service.positions, source.poll_s)
    return FolderSource(
        name, service.append, _folder(source), service.positions, source.format, settings, source.poll_s
    )


def _tail(source: Tail, settings: Settings) -> Callable[[Any], Followed]:
    header = has_header(source.format, settings)
    return lambda position: Followed(
        source.path, from_start=source.from_start, position=position, header=header
    )


def _folder(source: Folder) -> Callable[[Any], WatchedFolder]:
    return lambda position: WatchedFolder(
        source.path,
        pattern=source.pattern,
        after=source.after,
        settled_s=source.settled_s,
        position=position,
    )
