"""The settings of the service: one frozen model a section of the TOML file.

The description of a field is its documentation: `config example` and docs/configuration.md are made from these models.
Spans are told in seconds (`_s`), milliseconds (`_ms`) or days (`_days`), sizes in MB (10^6 bytes) or GB.
"""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, model_validator
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from ringfence.shell.service.setting_types import (
    SYSTEM_DATA,
    Address,
    Country,
    Host,
    Ingress,
    Many,
    Name,
    Network,
    Peer,
    Place,
    Url,
    data_folder,
    is_loopback,
)


def _said(text: str, default: Any = ..., **more: Any) -> Any:
    return Field(default, description=text, **more)


class Section(BaseModel):
    """A table of the file: what is not known in it is a mistake, and nothing is guessed."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, strict=True, hide_input_in_errors=True, allow_inf_nan=False
    )


class Service(Section):
    """The process and its one port: desk, API and metrics."""

    data: Place = _said(
        "Folder of everything that is kept. Default for root: /var/lib/ringfence; under systemd its state folder; for"
        " another user $XDG_DATA_HOME/ringfence.",
        default_factory=lambda: data_folder(os.environ),
        json_schema_extra={"shown": str(SYSTEM_DATA)},
    )
    host: Host = _said(
        "Address the port is opened on. Anything but loopback should have TLS, here or in front.", "127.0.0.1"
    )
    port: int = _said("Port of desk, API and metrics; 0: any that is free.", 8080, ge=0, le=65_535)
    language: Literal["en", "zh"] = _said("Language of the desk until its reader chooses another.", "en")
    tls_cert: Place | None = _said("Certificate chain (PEM). With `tls_key`: serve TLS.", None)
    tls_key: Place | None = _said("Private key of the certificate (PEM), readable by the service only.", None)
    demo: bool = _said(
        "Live synthetic city instead of sources, desk open without a token. Only on a loopback address.",
        False,
    )

    @model_validator(mode="after")
    def _together(self) -> "Service":
        if (self.tls_cert is None) != (self.tls_key is None):
            raise ValueError("tls_cert and tls_key go together; name both or neither")
        if self.demo and not is_loopback(self.host):
            raise ValueError("demo opens the desk without a token; host must be a loopback address")
        return self


class NetworkSettings(Section):
    """The telephone network whose records these are."""

    country: Country = _said("Country (ISO 3166) whose rules hold, and of numbers in national form.", "CN")
    timezone: str = _said("Zone (IANA) of times written without one.", "UTC")
    lists: Place | None = _said("Folder with own.txt, never.txt and so on; docs/packs.md tells them.", None)
    trunks: dict[str, Ingress] = _said(
        "Where calls of a trunk come from, for records that do not say so:"
        ' gw-intl-3 = "international". Words: subscriber, domestic, international.',
        default_factory=dict,
    )


MOST_LINES: Final = 3_000_000
"""Of a network: the bounds grow no further, and a larger one forgets what is weakest sooner."""


class Detect(Section):
    """What is looked for."""

    detectors: Many[str] | None = _said("Detectors by name; left out: all.", None)
    lines: int = _said(
        "Lines of the network, about: what is remembered is bounded by it, up to 3 million (docs/capacity.md).",
        2_000_000,
        ge=1000,
        le=10_000_000,
    )
    each_call: bool = _said("A forged_caller alert for each call, not one a number and day.", False)


class Window(Section):
    """How long rows wait for earlier ones that are late."""

    disorder_s: float = _said(
        "Event time within which disorder is repaired; alerts come that much later.", 1.0, ge=0, le=3600
    )
    ahead_s: float = _said(
        "Rows whose time is further ahead of this machine's clock are put aside.", 60.0, ge=1, le=86_400
    )
    idle_s: float = _said(
        "After so much silence the machine's clock drives event time, so that open calls go on ageing.",
        2.0,
        ge=0.5,
        le=3600,
    )


class Journal(Section):
    """The write-ahead journal: what stands in it is acknowledged and survives a crash."""

    segment_mb: int = _said("Size of one segment.", 64, ge=1, le=1024)
    fsync_ms: float = _said(
        "Longest wait of an acknowledgement for others to share one fsync with; 0: each pays its own.",
        5.0,
        ge=0,
        le=1000,
    )
    keep_h: float = _said(
        "Hours that segments are kept after a snapshot has made them dispensable.", 24.0, ge=0, le=720
    )
    max_gb: float = _said("Most that all segments may take; beyond it events are refused (503).", 20.0, gt=0)
    min_free_mb: int = _said("Free space below which events are refused (503).", 512, ge=16)


class Snapshot(Section):
    """Snapshots of the state, from which a start goes on; whichever comes first is the occasion."""

    every_rows: int = _said(
        "Rows of calls between two snapshots: what a start after a crash has to judge once more (some tens of thousands a second). "
        "But there is a pause of eight times what the last snapshot took.",
        200_000,
        ge=1000,
    )
    every_s: float = _said("Seconds between two snapshots.", 120.0, ge=1)
    rebuild_calls: int = _said(
        "Calls of the record store, the newest, that memory is made from anew where no snapshot can be used (after an "
        "update, with other settings); a hundred thousand take about a second.",
        10_000_000,
        ge=0,
    )


class Records(Section):
    """How long things are kept. What a case holds stays as long as the case."""

    calls_days: int = _said("Days that calls are kept.", 30, ge=1, le=3650)
    texts_days: int = _said("Days that texts are kept.", 30, ge=1, le=3650)
    transfers_days: int = _said("Days that transfers are kept.", 30, ge=1, le=3650)
    alerts_days: int = _said("Days that closed alerts are kept, with their ledgers.", 365, ge=1, le=3650)
    deliveries_days: int = _said(
        "Days that delivered messages and dead letters of webhooks are kept.", 30, ge=1, le=365
    )
    compact_s: float = _said(
        "Seconds between two rounds of compaction and deletion in the background.", 600.0, ge=1, le=86_400
    )


class _Reading(Section):
    """What all sources may say of their records."""

    country: Country | None = _said("Country of this source's numbers; left out: that of [network].", None)
    timezone: str | None = _said(
        "Zone of this source's times without one; left out: that of [network].", None
    )


class Hep(_Reading):
    """SIP as a proxy or capture agent mirrors it: HEP3, over UDP or TCP."""

    kind: Literal["hep"] = _said("The kind of source.")
    udp: Address | None = _said("Address to listen on for datagrams.", None)
    tcp: Address | None = _said("Address to listen on for connections.", None)
    auth_key: SecretStr | None = _said("Key that agents send (HEP chunk 0x000e); others are refused.", None)
    auth_key_file: Place | None = _said("File with that key, instead of `auth_key`.", None)
    allow: Many[Network] = _said("Networks agents may send from; empty: any.", ())
    trunk_header: str | None = _said(
        'SIP header that names the ingress trunk, such as "X-Ingress". Only where the ingress takes it off what comes from'
        " outside.",
        None,
    )
    trust_asserted: bool = _said(
        "The called person is shown P-Asserted-Identity (RFC 3325), not From. Only where every message comes from a network"
        " that checks it.",
        False,
    )
    peers: dict[Peer, str] = _said(
        "Trunks by the address their INVITEs come from; comes before `trunk_header`. What ingress a trunk is stands in"
        " [network.trunks].",
        default_factory=dict,
    )
    receive_buffer_kb: int = _said("Receive buffer asked of the kernel for UDP.", 8192, ge=64)

    @model_validator(mode="after")
    def _listens(self) -> "Hep":
        _needs_address(self.udp, self.tcp)
        if self.auth_key is not None and self.auth_key_file is not None:
            raise ValueError("auth_key and auth_key_file say the same thing; keep one")
        return self


class Syslog(_Reading):
    """Kamailio's accounting as syslog sends it (RFC 3164, RFC 5424), over UDP or TCP (RFC 6587)."""

    kind: Literal["syslog"] = _said("The kind of source.")
    udp: Address | None = _said("Address to listen on for datagrams.", None)
    tcp: Address | None = _said("Address to listen on for connections.", None)
    allow: Many[Network] = _said("Networks that may send; empty: any.", ())
    format: Literal["kamailio_acc", "kamailio_acc_json"] = _said("What the messages hold.", "kamailio_acc")
    failure_hold_s: float = _said(
        "Log time that a failed call waits for its next try before it is told.", 5.0, ge=0, le=300
    )

    @model_validator(mode="after")
    def _listens(self) -> "Syslog":
        _needs_address(self.udp, self.tcp)
        return self


class Tail(_Reading):
    """A file that a switch goes on writing: followed over rotation and truncation."""

    kind: Literal["tail"] = _said("The kind of source.")
    path: Place = _said("The file; it may appear later.")
    format: str = _said("Its format, as `ringfence formats` lists them.")
    mapping: Place | None = _said("Mapping file (TOML), for format mapped_csv; see docs/formats.md.", None)
    from_start: bool = _said("Read what is in the file already when it is met for the first time.", False)
    failure_hold_s: float = _said(
        "For Kamailio's logs: log time that a failed call waits for its next try.", 5.0, ge=0, le=300
    )
    poll_s: float = _said("Seconds between two looks at the file.", 0.25, ge=0.01, le=60)


class Folder(_Reading):
    """A folder into which whole files are put: each is read once, the oldest first."""

    kind: Literal["folder"] = _said("The kind of source.")
    path: Place = _said("The folder.")
    pattern: str = _said('Names of files to read, such as "*.csv.gz".', "*")
    format: str | None = _said("Format of all files; left out: each is recognised by its content.", None)
    mapping: Place | None = _said("Mapping file (TOML), for CSV of another shape; see docs/formats.md.", None)
    after: Literal["keep", "move", "delete"] = _said(
        "What becomes of a file that was read: it stays, goes to done/, or is deleted.", "move"
    )
    settled_s: float = _said("Seconds a file's size must stay the same before it is whole.", 2.0, ge=0)
    poll_s: float = _said("Seconds between two looks at the folder.", 1.0, ge=0.05, le=3600)


Source = Annotated[Hep | Syslog | Tail | Folder, Field(discriminator="kind")]
KINDS: Final[Mapping[str, type[Hep | Syslog | Tail | Folder]]] = {
    "hep": Hep,
    "syslog": Syslog,
    "tail": Tail,
    "folder": Folder,
}


def _needs_address(udp: str | None, tcp: str | None) -> None:
    if udp is None and tcp is None:
        raise ValueError("names no address; give udp, tcp or both")


class Webhook(Section):
    """A receiver of alerts over HTTP."""

    name: Name = _said("Its name in the desk, in metrics and in logs.")
    url: Url = _said("Where alerts are posted.")
    secret: SecretStr | None = _said("Secret that messages are signed with.", None)
    secret_file: Place | None = _said(
        "File with the secret, instead of `secret`. Two lines while it is changed: both sign.", None
    )
    secret_env: str | None = _said("Environment variable with the secret, instead of `secret`.", None)
    body: Literal["ringfence", "clearip"] = _said(
        "The alert as it stands in alerts.jsonl, or with the fields of ClearIP's alert POST.", "ringfence"
    )
    kinds: Many[str] | None = _said("Kinds of alerts to send; left out: all.", None)
    min_probability: float = _said("Only alerts at least this probable.", 0.0, ge=0, le=1)
    connect_s: float = _said("Longest wait for a connection.", 5.0, gt=0, le=60)
    response_s: float = _said("Longest wait for an answer.", 10.0, gt=0, le=300)
    retry_h: float = _said(
        "Hours that a message is tried again before it is a dead letter.", 24.0, gt=0, le=720
    )

    @model_validator(mode="after")
    def _one_secret(self) -> "Webhook":
        if sum(source is not None for source in (self.secret, self.secret_file, self.secret_env)) > 1:
            raise ValueError("secret, secret_file and secret_env say the same thing; keep one")
        return self


class Limits(Section):
    """What one client may take."""

    requests_per_s: float = _said("Requests a second of one token.", 1000.0, gt=0)
    burst: int = _said("Requests a token may be ahead of that.", 2000, ge=1)
    rows_per_s: float = _said("Rows a second that one token may send to /v1/events.", 100_000.0, gt=0)
    body_mb: float = _said("Largest body of a request.", 16.0, gt=0, le=1024)
    request_s: float = _said("Longest time one request may take.", 30.0, gt=0, le=600)
    connections: int = _said("Connections that may be open at once.", 1024, ge=8)


class Privacy(Section):
    """What keeps logs and metrics free of persons. There is no setting that shows numbers or texts in logs."""

    pseudonym_key_file: Place | None = _said(
        "Key of the pseudonyms in logs; made on the first start. Left out: keys/pseudonym.key in the data folder.",
        None,
    )


class Logging(Section):
    """What the service says on standard error."""

    level: Literal["debug", "info", "warning", "error"] = _said(
        "The least serious message that is shown.", "info"
    )
    format: Literal["json", "text"] = _said("One JSON object a line, or text for people.", "json")


class Config(BaseSettings):
    """The whole file."""

    model_config = SettingsConfigDict(
        extra="forbid", frozen=True, strict=True, hide_input_in_errors=True, allow_inf_nan=False
    )

    service: Service = Field(default_factory=Service)
    network: NetworkSettings = Field(default_factory=NetworkSettings)
    detect: Detect = Field(default_factory=Detect)
    window: Window = Field(default_factory=Window)
    journal: Journal = Field(default_factory=Journal)
    snapshot: Snapshot = Field(default_factory=Snapshot)
    records: Records = Field(default_factory=Records)
    sources: dict[Name, Source] = Field(default_factory=dict)
    webhooks: Many[Webhook] = ()
    limits: Limits = Field(default_factory=Limits)
    privacy: Privacy = Field(default_factory=Privacy)
    logging: Logging = Field(default_factory=Logging)

    @model_validator(mode="after")
    def _names_once(self) -> "Config":
        names = [webhook.name for webhook in self.webhooks]
        double = next((name for name in names if names.count(name) > 1), None)
        if double is not None:
            raise ValueError(f"two webhooks are named {double!r}; give each its own name")
        return self

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003 - the signature is the library's
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Read nothing behind the caller's back: `config.load` says where settings come from."""
        return (init_settings,)

    @property
    def pseudonym_key(self) -> Path:
        """The file with the key of the pseudonyms."""
        return self.privacy.pseudonym_key_file or self.service.data / "keys" / "pseudonym.key"


def varies(field: FieldInfo) -> bool:
    """Whether the default of a field depends on who runs the program, so that the shown one is an example."""
    return isinstance(field.json_schema_extra, dict) and "shown" in field.json_schema_extra


def shown_default(field: FieldInfo) -> Any:
    """The default of a field as a page shows it; `...` where a value is required."""
    extra = field.json_schema_extra
    if isinstance(extra, dict) and "shown" in extra:
        return extra["shown"]
    return ... if field.is_required() else field.get_default(call_default_factory=True)
