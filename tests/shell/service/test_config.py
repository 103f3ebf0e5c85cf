"""The configuration: what it takes, what it says of mistakes, and that it never tells a secret."""

import json
import os
import re
import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from ringfence.cli.config import config as command
from ringfence.detect.shard import Limits
from ringfence.shell.service import settings_page
from ringfence.shell.service.config import ConfigError, auth_key, load, webhook_secrets
from ringfence.shell.service.config_check import check
from ringfence.shell.service.setting_types import data_folder, split_address
from ringfence.shell.service.settings import KINDS, MOST_LINES, Config, Detect, Hep, Tail, Webhook
from ringfence.shell.service.wiring import limits_for

ROOT = Path(__file__).parents[3]
SECRET = "correct horse battery staple"


def told(tmp_path: Path, text: str, env: dict[str, str] | None = None) -> list[str]:
    """The mistakes, without the name of the file."""
    with pytest.raises(ConfigError) as caught:
        load(written(tmp_path, text), env or {})
    return [line.removeprefix(f"{tmp_path / 'r.toml'}: ") for line in caught.value.lines]


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "r.toml"
    path.write_text(text, "utf-8")
    return path


def findings(tmp_path: Path, text: str, env: dict[str, str] | None = None) -> list[str]:
    path = written(tmp_path, f'[service]\ndata = "{tmp_path}"\n' + text)
    path.chmod(0o600)
    found = check(load(path, env or {}), path, env or {})
    return [
        ("" if each.mistake else "warning: ") + each.text for each in found if "no [sources]" not in each.text
    ]


def test_nothing_said_is_a_service_on_loopback() -> None:
    config = load(None, {"HOME": "/home/someone"})
    assert (config.service.host, config.service.port, config.window.disorder_s) == ("127.0.0.1", 8080, 1.0)
    assert config.sources == {}


def test_where_data_lie(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    assert data_folder({"HOME": "/home/a"}) == Path("/home/a/.local/share/ringfence")
    assert data_folder({"HOME": "/home/a", "XDG_DATA_HOME": "/big"}) == Path("/big/ringfence")
    assert data_folder({"STATE_DIRECTORY": "/var/lib/x:/var/lib/y"}) == Path("/var/lib/x")
    monkeypatch.setattr("os.geteuid", lambda: 0)
    assert data_folder({"HOME": "/root"}) == Path("/var/lib/ringfence")


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("[service]\nprot = 9", "[service] prot: no such setting; did you mean port?"),
        ("[servise]\nport = 9", "[servise]: no such section; did you mean [service]?"),
        ('[service]\nport = "80"', "[service] port: must be a whole number"),
        ("[service]\nport = -1", "[service] port: must be at least 0"),
        ("[service]\nport = 8080.0", "[service] port: must be a whole number"),
        ("service = 1", "[service]: must be a table"),
        ('[service]\nhost = "desk"', '[service] host: must be an IP address such as "127.0.0.1", or "localhost"'),
        ('[service]\ntls_cert = "a"', "[service]: tls_cert and tls_key go together; name both or neither"),
        ('[service]\nhost = "0.0.0.0"\ndemo = true', "[service]: demo opens the desk without a token; host must be a loopback address"),
        ("[window]\ndisorder_s = nan", "[window] disorder_s: must be a finite number"),
        ('[network]\ncountry = "cn"', '[network] country: must be a country by its two capital letters (ISO 3166), such as "CN"'),
        ('[network.trunks]\ngw = "internatonal"', "[network] trunks gw: must be one of 'subscriber', 'domestic' or 'international'; did you mean international?"),
        ("[sources.a]", '[sources.a] kind: is missing; must be one of "hep", "syslog", "tail" or "folder"'),
        ('[sources.a]\nkind = "hepp"', '[sources.a] kind: must be one of "hep", "syslog", "tail" or "folder"; did you mean hep?'),
        ('[sources.a]\nkind = "hep"', "[sources.a]: names no address; give udp, tcp or both"),
        ('[sources.a]\nkind = "hep"\nudp = "127.0.0.1"', '[sources.a] udp: must be an IP address and a port, such as "127.0.0.1:9060" or "[::1]:9060"'),
        ('[sources.a]\nkind = "hep"\nudpp = "127.0.0.1:1"\ntcp = "127.0.0.1:1"', "[sources.a] udpp: no such setting; did you mean udp?"),
        ('[sources.a]\nkind = "hep"\ntcp = "127.0.0.1:1"\npeers = { gw = "t" }', '[sources.a] peers gw: must be an IP address, such as "192.0.2.7"'),
        ('[sources.a]\nkind = "tail"\npath = "x"', "[sources.a] format: is missing; it has no default"),
        ('[sources.A]\nkind = "hep"\ntcp = "127.0.0.1:1"', "[sources.A]: must be a name of lower-case letters, digits, - and _, beginning with a letter, at most 40"),
        ('[[webhooks]]\nname = "a"\nurl = "ftp://x"', '[[webhooks]] number 1 url: must be a URL such as "https://desk.example/ringfence"'),
        ('[[webhooks]]\nname = "a"\nurl = "http://x"\nsecret = "s"\nsecret_env = "S"', "[[webhooks]] number 1: secret, secret_file and secret_env say the same thing; keep one"),
        ('[detect]\ndetectors = "flood"', "[detect] detectors: must be a list, such as [ … ]"),
        ("a = [\nb = 1", "not TOML: Invalid value (at line 2, column 1)"),
    ],
)  # fmt: skip
def test_a_mistake_is_one_line_that_says_what_to_do(tmp_path: Path, text: str, line: str) -> None:
    assert told(tmp_path, text) == [line]


def test_every_mistake_has_its_line(tmp_path: Path) -> None:
    text = '[service]\nport = "x"\n[[webhooks]]\nname = "a"\nurl = "https://a"\n[[webhooks]]\nname = "b"\n[logging]\nlevel = "warn"'
    assert told(tmp_path, text) == [
        "[service] port: must be a whole number",
        "[[webhooks]] number 2 url: is missing; it has no default",
        "[logging] level: must be one of 'debug', 'info', 'warning' or 'error'; did you mean warning?",
    ]


def test_two_webhooks_of_one_name_are_a_mistake(tmp_path: Path) -> None:
    hook = '[[webhooks]]\nname = "a"\nurl = "https://a"\n'
    assert "two webhooks are named 'a'" in told(tmp_path, hook * 2)[0]


def test_a_file_that_is_none(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="No such file"):
        load(tmp_path / "none.toml", {})
    with pytest.raises(ConfigError, match="is not a file"):
        load(tmp_path, {})
    (tmp_path / "latin.toml").write_bytes(b'a = "\xe9"')
    with pytest.raises(ConfigError, match="not UTF-8"):
        load(tmp_path / "latin.toml", {})


# --- the environment ------------------------------------------------------------------------------------------------


def test_the_environment_stands_above_the_file(tmp_path: Path) -> None:
    path = written(
        tmp_path, '[service]\nport = 1\nlanguage = "zh"\n[sources.proxy]\nkind = "hep"\nudp = "127.0.0.1:1"'
    )
    env = {
        "RINGFENCE__SERVICE__PORT": "9000",
        "RINGFENCE__DETECT__DETECTORS": '["flood"]',
        "RINGFENCE__DETECT__EACH_CALL": "true",
        "RINGFENCE__SOURCES__PROXY__UDP": "127.0.0.1:9060",
        "RINGFENCE__WINDOW__DISORDER_S": "3",
        "RINGFENCE_COUNTRY": "GB",
        "OTHER": "x",
    }
    config = load(path, env)
    assert (config.service.port, config.service.language, config.window.disorder_s) == (9000, "zh", 3.0)
    assert (config.detect.detectors, config.detect.each_call) == (("flood",), True)
    source = config.sources["proxy"]
    assert isinstance(source, Hep)
    assert source.udp == "127.0.0.1:9060"
    assert config.network.country == "CN"


def test_text_that_looks_like_a_number_stays_text() -> None:
    env = {"RINGFENCE__SOURCES__P__KIND": "hep", "RINGFENCE__SOURCES__P__TCP": "127.0.0.1:1"}
    for key in ("0123", "12345", "1e5", "true", "2026-01-01"):
        source = load(None, env | {"RINGFENCE__SOURCES__P__AUTH_KEY": key}).sources["p"]
        assert isinstance(source, Hep)
        assert auth_key(source) == key.encode()


def test_a_mistake_in_the_environment_is_told_by_the_variable(tmp_path: Path) -> None:
    env = {
        "RINGFENCE__SERVICE__PORT": "many",
        "RINGFENCE__SERVISE__PORT": "1",
        "RINGFENCE__SERVICE__DEMO": "yes",
    }
    assert sorted(told(tmp_path, '[service]\nlanguage = "zh"', env)) == [
        "RINGFENCE__SERVICE__DEMO: must be true or false",
        "RINGFENCE__SERVICE__PORT: must be a whole number",
        "RINGFENCE__SERVISE__PORT: no such section; did you mean [service]?",
    ]
    with pytest.raises(ConfigError, match="RINGFENCE__: names no setting"):
        load(None, {"RINGFENCE__": "1"})


@given(st.text(max_size=30))
def test_any_value_in_the_environment_is_taken_or_refused(value: str) -> None:
    for name in (
        "SERVICE__PORT",
        "SERVICE__TLS_CERT",
        "SERVICE",
        "DETECT__DETECTORS",
        "SOURCES__A",
        "WEBHOOKS",
    ):
        try:
            config = load(None, {f"RINGFENCE__{name}": value, "HOME": "/h"})
        except ConfigError:
            continue
        assert config.service.port


# --- paths and secrets ----------------------------------------------------------------------------------------------


def test_relative_paths_are_meant_from_the_folder_of_the_file(tmp_path: Path) -> None:
    config = load(
        written(
            tmp_path,
            '[service]\ndata = "d"\n[sources.a]\nkind = "tail"\npath = "../x"\nformat = "json_lines"',
        ),
        {},
    )
    source = config.sources["a"]
    assert isinstance(source, Tail)
    assert (config.service.data, source.path) == (tmp_path / "d", tmp_path / ".." / "x")
    assert config.pseudonym_key == tmp_path / "d" / "keys" / "pseudonym.key"


def test_secrets_come_from_files_and_variables(tmp_path: Path) -> None:
    (tmp_path / "new").write_text(f"{SECRET}\n\nthe old one\n")
    text = '[sources.a]\nkind = "hep"\nudp = "127.0.0.1:1"\nauth_key_file = "new"\n' + "".join(
        f'[[webhooks]]\nname = "{name}"\nurl = "https://x"\n{line}\n'
        for name, line in (
            ("f", 'secret_file = "new"'),
            ("e", 'secret_env = "HOOK"'),
            ("n", ""),
            ("s", 'secret = "shh"'),
        )
    )
    config = load(written(tmp_path, text), {})
    source = config.sources["a"]
    assert isinstance(source, Hep)
    assert auth_key(source) == SECRET.encode()
    found = [[s.get_secret_value() for s in webhook_secrets(hook, {"HOOK": "E"})] for hook in config.webhooks]
    assert found == [[SECRET, "the old one"], ["E"], [], ["shh"]]
    with pytest.raises(ConfigError, match="HOOK is not set"):
        webhook_secrets(config.webhooks[1], {})
    (tmp_path / "new").write_text("\n")
    with pytest.raises(ConfigError, match="holds no secret"):
        auth_key(source)


def test_no_secret_is_shown(tmp_path: Path) -> None:
    hook = f'[[webhooks]]\nname = "a"\nurl = "https://u:{SECRET.replace(" ", "")}@h/p?key=hush#frag"\nsecret = "{SECRET}"\n'
    source = f'[sources.a]\nkind = "hep"\nudp = "127.0.0.1:1"\nauth_key = "{SECRET}"\n'
    config = load(written(tmp_path, source + hook), {})
    shown = settings_page.effective(config)
    assert 'secret = "***"' in shown
    assert 'auth_key = "***"' in shown
    for text in (shown, str(config.sources), repr(config.webhooks[0].secret)):
        assert SECRET not in text
    assert "hush" not in shown
    assert SECRET.replace(" ", "") not in shown
    wrong = told(
        tmp_path,
        source
        + f'secret = "{SECRET}"\n'
        + f'[[webhooks]]\nname = "{SECRET}"\nsecret = ["{SECRET}"]\nurl = "{SECRET}"',
    )
    assert len(wrong) == 4
    assert SECRET not in "".join(wrong)


# --- what it means for this machine -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('[network]\ntimezone = "Mars/Base"', "[network] timezone: Mars/Base is not known"),
        ('[network]\ncountry = "ZZ"', "[network] country: ZZ is not known"),
        ('[network]\nlists = "none"', "none is no folder"),
        ('[detect]\ndetectors = ["floods"]', "[detect] detectors: no detector floods; there are "),
        ("[detect]\ndetectors = []", "[detect] detectors: is empty"),
        ('[sources.a]\nkind = "hep"\ntcp = "127.0.0.1:8080"', "[sources.a] tcp: 127.0.0.1:8080 is taken by [service] port"),
        ('[sources.a]\nkind = "hep"\nudp = "127.0.0.1:9"\n[sources.b]\nkind = "syslog"\nudp = "0.0.0.0:9"\nallow = ["10.0.0.1"]', "[sources.b] udp: 0.0.0.0:9 is taken by [sources.a] udp"),
        ('[sources.a]\nkind = "hep"\nudp = "0.0.0.0:9"', "warning: [sources.a] udp: whoever reaches 0.0.0.0:9 can send records"),
        ('[sources.a]\nkind = "hep"\nudp = "127.0.0.1:9"\nauth_key_file = "none"', "none: No such file or directory"),
        ('[sources.a]\nkind = "tail"\npath = "x"\nformat = "kamailio_ac"', "[sources.a] format: no format kamailio_ac"),
        ('[sources.a]\nkind = "tail"\npath = "x"\nformat = "parquet"', "[sources.a] format: parquet is no text that grows"),
        ('[sources.a]\nkind = "tail"\npath = "x"\nformat = "mapped_csv"', "[sources.a] mapped_csv needs a mapping file"),
        ('[sources.a]\nkind = "tail"\npath = "x"\nformat = "json_lines"\nmapping = "r.toml"', "[sources.a] mapping: format json_lines takes none"),
        ('[sources.a]\nkind = "tail"\npath = "no/x"\nformat = "json_lines"', "warning: [sources.a] path: there is no folder"),
        ('[sources.a]\nkind = "folder"\npath = "no"', "no is no folder; make it"),
        ('[[webhooks]]\nname = "a"\nurl = "https://x"', "warning: [[webhooks]] a has no secret"),
        ('[[webhooks]]\nname = "a"\nurl = "https://x"\nsecret = "short"', "[[webhooks]] a secrets: one, or two while it is being changed, each of at least 16"),
        ('[[webhooks]]\nname = "a"\nurl = "https://x"\nsecret_file = "none"', "none: No such file or directory"),
        ('[[webhooks]]\nname = "a"\nurl = "https://me:it@x"\nsecret = "long enough a secret"', "[[webhooks]] a the url must hold no password"),
        ("[detect]\nlines = 3_000_001", "warning: [detect] lines: above 3,000,000 no more is remembered"),
        ('[[webhooks]]\nname = "a"\nurl = "http://x"\nsecret = "long enough a secret"', "warning: [[webhooks]] a url: sends numbers over the network without TLS"),
        ('[[webhooks]]\nname = "a"\nurl = "http://[::1]/"\nsecret = "long enough a secret"\nkinds = ["floods"]', "[[webhooks]] a kinds: no kind floods"),
    ],
)  # fmt: skip
def test_what_the_check_finds(tmp_path: Path, text: str, expected: str) -> None:
    (found,) = findings(tmp_path, text)
    assert expected in found


def test_what_the_sender_would_refuse_is_a_mistake(tmp_path: Path) -> None:
    (tmp_path / "three").write_text("".join(f"{SECRET} {place}\n" for place in range(3)))
    hook = '[[webhooks]]\nname = "a"\nurl = "https://x"\n'
    for secret, env in (('secret_file = "three"', {}), ('secret_env = "HOOK"', {"HOOK": "short"})):
        (found,) = findings(tmp_path, hook + secret, env)
        assert found.startswith("[[webhooks]] a secrets: one, or two")
        assert SECRET not in found


def test_the_bounds_grow_with_the_lines_as_far_as_is_said() -> None:
    assert limits_for(MOST_LINES) == limits_for(10_000_000) == Limits()
    assert limits_for(MOST_LINES * 9 // 10) != Limits()
    assert "up to 3 million" in str(Detect.model_fields["lines"].description)


def test_a_sound_configuration_has_no_finding(tmp_path: Path) -> None:
    text = (
        '[sources.a]\nkind = "hep"\nudp = "127.0.0.1:9060"\ntcp = "127.0.0.1:9060"\n[sources.b]\nkind = "folder"\npath = "."\n'
        '[sources.c]\nkind = "tail"\npath = "cdr.csv"\nformat = "asterisk_csv"\n'
        '[[webhooks]]\nname = "a"\nurl = "http://127.0.0.1:9/"\nsecret = "long enough a secret"\nkinds = ["flood", "gang"]'
    )
    assert findings(tmp_path, text) == []


def test_tls_files_must_belong_together(tmp_path: Path) -> None:
    (tmp_path / "c").write_text("no certificate")
    (found,) = findings(tmp_path, 'tls_cert = "c"\ntls_key = "c"')
    assert "no PEM files that belong together" in found
    (found,) = findings(tmp_path, 'tls_cert = "c"\ntls_key = "k"')
    assert "tls_key" in found
    assert "cannot be read" in found
    (found,) = findings(tmp_path, 'host = "0.0.0.0"')
    assert found.startswith("warning: [service] host")


def test_a_file_with_a_secret_should_not_be_everybodys(tmp_path: Path) -> None:
    path = written(tmp_path, '[[webhooks]]\nname = "a"\nurl = "https://x"\nsecret = "long enough a secret"')
    path.chmod(0o644)
    assert any("everybody may read" in each.text for each in check(load(path, {}), path, {}))


@given(
    st.sampled_from(["", "127.0.0.1", "[::1]", "::1", "localhost", "[localhost]", "1.2.3", "host"]),
    st.integers(-1, 70_000),
)
def test_addresses(host: str, port: int) -> None:
    good = host in {"127.0.0.1", "[::1]", "localhost"} and 1 <= port <= 65_535
    try:
        assert split_address(f"{host}:{port}") == (host.strip("[]"), port)
        assert good
    except ValueError:
        assert not good


# --- the command and the pages ----------------------------------------------------------------------------------------


def test_the_command_checks(tmp_path: Path) -> None:
    path = written(tmp_path, f'[service]\ndata = "{tmp_path}"')
    done = CliRunner().invoke(command, ["check", str(path)])
    assert (done.exit_code, done.stdout) == (0, f"{path}: can be used\n")
    path.write_text("[service]\nprot = 1\nport = -1")
    done = CliRunner().invoke(command, ["check", str(path)])
    assert (done.exit_code, len(done.stderr.splitlines())) == (2, 2)
    path.write_text('[network]\ntimezone = "Mars/Base"')
    done = CliRunner().invoke(command, ["check", str(path)])
    assert done.exit_code == 2
    assert done.stderr.count("\n") >= 1
    done = CliRunner().invoke(command, ["check", str(tmp_path / "nothere.toml")])
    assert (done.exit_code, done.stderr.count("\n")) == (2, 1)
    assert "`ringfence config example > FILE` writes one" in done.stderr


def test_nobody_is_told_to_change_the_owner_of_a_folder_above(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = load(written(tmp_path, f'[service]\ndata = "{tmp_path}/a/b"'), {})
    monkeypatch.setattr(os, "access", lambda *_: False)
    (text,) = (each.text for each in check(config) if each.mistake)
    assert text.endswith(
        f"{tmp_path} cannot be written by this user; create {tmp_path}/a/b for this user or name another"
    )


def test_the_command_shows_what_holds(tmp_path: Path) -> None:
    path = written(tmp_path, '[service]\nport = 9\n[sources.a]\nkind = "hep"\nudp = "127.0.0.1:1"')
    done = CliRunner().invoke(command, ["show", "--config", str(path)])
    assert done.exit_code == 0
    shown = tomllib.loads(done.stdout)
    assert shown["service"]["port"] == 9
    assert shown["sources"]["a"]["udp"] == "127.0.0.1:1"
    path.write_text(done.stdout)
    assert load(path, {}).service.port == 9


def test_the_example_is_a_configuration_of_defaults(tmp_path: Path) -> None:
    done = CliRunner().invoke(command, ["example"])
    path = written(tmp_path, done.stdout)
    own = {"XDG_DATA_HOME": str(tmp_path / "own")}
    assert load(path, own) == load(None, own)
    assert "/var/lib" not in load(path, {"STATE_DIRECTORY": "/srv/state"}).service.data.as_posix()
    named = CliRunner().invoke(command, ["example", "--data", "/srv/ringfence"])
    path.write_text(named.stdout)
    assert load(path, own).service.data == Path("/srv/ringfence")
    # what stands behind a comment sign is right too, once its sign is taken away
    lines = done.stdout.splitlines()
    first = next(place for place, line in enumerate(lines) if line == "# [sources.proxy]")
    opened = [line.removeprefix("# ") for line in lines[first:]]
    live = [line for line in opened if re.fullmatch(r"\[+[\w.]+\]+|\w+ = .+", line)]
    path.write_text("\n".join(live))
    config = load(path, {})
    assert {source.kind for source in config.sources.values()} == set(KINDS)
    assert config.webhooks[0].name == "desk"


def test_the_page_of_settings_is_up_to_date() -> None:
    assert (ROOT / "docs" / "configuration.md").read_text("utf-8") == settings_page.page()


def test_every_setting_is_documented() -> None:
    models = [model for _, model in settings_page._sections()] + [*KINDS.values(), Webhook]
    for model in models:
        for name, field in model.model_fields.items():
            assert field.description, f"{model.__name__}.{name}"
            assert f"| `{name}` |" in settings_page.page()


def test_settings_do_not_change(tmp_path: Path) -> None:
    config = load(None, {"HOME": "/h"})
    with pytest.raises(ValueError, match="frozen"):
        config.service.port = 1
    assert json.loads(config.model_dump_json())["service"]["port"] == 8080
    assert isinstance(config, Config)
