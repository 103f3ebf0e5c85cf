"""The desk in a real browser, over a real service."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright
from tests.desk.alerts import BEGAN, demanding, forging, held, ringing, stored

from ringfence.shell.store.alerts import AlertChange
from ringfence.shell.store.store import Store

CHROMIUM = Path("/usr/bin/chromium")
QUIET = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
)  # fmt: skip
ENOUGH_MS = 60_000
"""How long anything may take; the machine may be busy, and nothing here is measured."""
HOSTILE = '<img src=x onerror="window.pwned=1"><script>window.pwned=1</script>'


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


@contextmanager
def serving(data: Path, *options: str) -> Iterator[str]:
    """A service of its own; its address."""
    port = free_port()
    command = "from ringfence.cli.main import run; run()"
    log = (data.parent / "log").open("wb")
    process = subprocess.Popen(
        [sys.executable, "-c", command, "serve", "--data", str(data), "--port", str(port), *options],
        stdout=log, stderr=log, env=os.environ,
    )  # fmt: skip
    try:
        address = f"http://127.0.0.1:{port}"
        until = time.monotonic() + 300  # compiling takes minutes where nothing was compiled before
        while True:
            with suppress(OSError), urllib.request.urlopen(f"{address}/healthz", timeout=5):
                break
            assert process.poll() is None, (data.parent / "log").read_text()
            assert time.monotonic() < until, "the service does not answer"
            time.sleep(0.2)
        yield address
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(30)
        log.close()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    assert CHROMIUM.exists(), "Chromium is not installed; `make test` installs it"
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        yield started
        started.close()


@contextmanager
def tab(browser: Browser, address: str, width: int = 1440) -> Iterator[Page]:
    """A tab that must not complain, and must ask nobody but the service."""
    context = browser.new_context(viewport={"width": width, "height": 900}, locale="en-GB")
    context.set_default_timeout(ENOUGH_MS)
    page = context.new_page()
    seen: list[str] = []
    ours = (address + "/", address.replace("http:", "ws:") + "/", "data:")
    page.on(
        "console", lambda message: seen.append(message.text) if message.type in {"error", "warning"} else None
    )
    page.on("pageerror", lambda error: seen.append(str(error)))
    page.on("request", lambda asked: None if asked.url.startswith(ours) else seen.append(asked.url))
    page.on("websocket", lambda opened: None if opened.url.startswith(ours) else seen.append(opened.url))
    yield page
    context.close()
    assert seen == []


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The demonstration."""
    with serving(tmp_path_factory.mktemp("city") / "data", "--demo") as address:
        yield address


def test_a_day_at_the_desk(browser: Browser, city: str) -> None:
    expect.set_options(timeout=ENOUGH_MS)
    with tab(browser, city) as page:
        page.goto(city)
        expect(page.get_by_text("A synthetic city")).to_be_visible()
        alert = page.locator(".attacks .alert").first
        alert.wait_for()

        # figures go on without a reload
        before = page.inner_text(".figures")
        page.evaluate("window.stayed = true")
        page.wait_for_function(
            "before => document.querySelector('.figures').innerText !== before", arg=before
        )

        # the alert opens into its ledger, in both languages
        key = str(alert.get_attribute("data-alert"))
        one = page.locator(f'[data-alert="{key}"]')
        one.locator(".head").click()
        expect(one.get_by_text("What was seen until the alert")).to_be_visible()
        assert one.locator(".ledger tr").count() > 2
        assert one.locator("svg").count() >= 1
        page.click("[data-language=zh]")
        expect(page.locator(".attacks h2").first).to_have_text("Attacks now正在发生")
        assert page.locator(".attacks h2").first.inner_text() == "正在发生"
        assert page.evaluate("document.documentElement.lang") == "zh-Hans"
        expect(page.locator("#number")).to_have_attribute("aria-label", "查询号码")
        assert page.locator('.desk [lang="en"]:visible').count() == 0

        # somebody says what it is
        one.get_by_role("button", name="签收").click()
        expect(one.locator(".note")).to_contain_text("已标为“已签收”。")
        expect(one.locator(".row .status")).to_contain_text("已签收")
        one.get_by_role("button", name="误报").click()
        one.locator("input").fill("亲属来电")
        one.get_by_role("button", name="提交").click()
        expect(one.locator(".row .status")).to_contain_text("误报")
        expect(one.locator(".detail")).to_contain_text("理由：亲属来电")

        # a number is looked up, from the keyboard
        subject = one.locator(".subject").inner_text()
        page.locator("body").press("/")
        assert page.evaluate("document.activeElement.id") == "number"
        page.keyboard.type(subject)
        page.keyboard.press("Enter")
        expect(page.locator(".standing .number")).to_contain_text(subject)
        expect(page.locator(".its-alerts li").first).to_be_visible()
        page.fill("#number", "no number")
        page.keyboard.press("Enter")
        expect(page.locator(".standing")).to_contain_text("这不是有效的电话号码。")
        assert page.evaluate("window.stayed")

        # the language is kept
        page.reload()
        expect(page.locator(".attacks h2").first).to_be_visible()
        assert page.locator(".attacks h2").first.inner_text() == "正在发生"


def test_a_phone_need_not_scroll_sideways(browser: Browser, city: str) -> None:
    with tab(browser, city, width=390) as page:
        page.goto(city)
        row = page.locator(".attacks .alert .head").first
        row.click()
        page.locator(".attacks .ledger").first.wait_for()
        for language in ("en", "zh"):
            page.click(f"[data-language={language}]")
            assert page.evaluate("document.documentElement.scrollWidth") <= 390


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_words_stand_out_from_the_paper(browser: Browser, city: str, scheme: str) -> None:
    with tab(browser, city) as page:
        page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
        page.goto(city)
        page.locator(".attacks .alert").first.wait_for()
        paper = luminance(page, "body", "backgroundColor")
        for place in (
            ".figures dt",
            ".figures dd",
            ".desk .soft",
            ".alert .kind",
            ".alert .line",
            ".act",
            ".language",
        ):
            word = luminance(page, place, "color")
            bright, dim = max(paper, word), min(paper, word)
            assert (bright + 0.05) / (dim + 0.05) >= 4.5, place


def luminance(page: Page, place: str, name: str) -> float:
    """Relative luminance of a colour (WCAG 2)."""
    page.locator(place).first.wait_for(state="attached")
    # in one step: the page goes on changing, and what is no longer in it has no colour
    colour = page.evaluate(
        "([place, name]) => getComputedStyle(document.querySelector(place))[name]", [place, name]
    )
    channels = [int(part) / 255 for part in colour.removeprefix("rgb(").removesuffix(")").split(",")]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return sum(share * c for share, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


# --- without the demonstration ---------------------------------------------------------------------------------------


def prepared(data: Path) -> tuple[str, str]:
    """A folder with hostile alerts in it, and two tokens: of somebody who may do everything, and who may look only."""
    data.mkdir()
    told = []
    for alert, entries in (
        ringing(5, HOSTILE), held("+8613800000002", HOSTILE), (demanding(HOSTILE, HOSTILE), []), (forging(HOSTILE, HOSTILE), []),
    ):  # fmt: skip
        kept = stored(alert, entries)
        told.append(AlertChange(kept.alert_id, "raised", 1, BEGAN, kept.document, kept.observations))
    with Store.open(data) as store:
        store.alerts.apply(0, told)
        may_all = store.tokens.create("li", ["alerts:read", "alerts:write", "numbers:read"], at=BEGAN)
        return may_all, store.tokens.create("wang", ["alerts:read"], at=BEGAN)


def test_only_a_token_opens_the_desk(browser: Browser, tmp_path: Path) -> None:
    expect.set_options(timeout=ENOUGH_MS)
    data = tmp_path / "data"
    may_all, may_look = prepared(data)
    with serving(data) as address:
        with tab(browser, address) as page:
            page.goto(address)
            assert page.url == f"{address}/sign-in"
            page.goto(f"{address}/sign-in?language=zh")
            page.fill("#token", may_look)
            page.get_by_role("button", name="登录").click()
            expect(page.get_by_text("当前用户：wang")).to_be_visible()
            one = page.locator(".attacks .alert", has_text="+8613800000002")
            one.locator(".head").click()
            one.get_by_role("button", name="签收").click()
            expect(one.locator(".note")).to_contain_text("您的令牌没有 alerts:write 权限。")
            page.fill("#number", "+8613800000002")
            page.keyboard.press("Enter")
            expect(page.locator(".standing")).to_contain_text("您的令牌没有 numbers:read 权限。")
            page.get_by_role("button", name="退出").click()
            page.wait_for_url(f"{address}/sign-in")
            page.goto(address)
            assert page.url == f"{address}/sign-in"
        with tab(browser, address) as page, tab(browser, address) as other:
            for somebody in (page, other):
                somebody.goto(address)
                somebody.fill("#token", may_all)
                somebody.get_by_role("button", name="Sign in").click()
                somebody.locator(".attacks .alert .head").first.wait_for()
            for head in page.locator(".alert .head").all():
                head.click()
            expect(page.locator(".detail")).to_have_count(page.locator(".alert").count())
            expect(page.locator(".attacks")).to_contain_text("<img src=x onerror=")
            assert page.evaluate("window.pwned") is None

            # what is said elsewhere is shown here
            url = f"{address}/v1/alerts/{stored(*held('+8613800000002', HOSTILE)).alert_id}/status"
            mine = page.locator(".attacks .alert", has_text="+8613800000002")
            told = page.request.post(
                url,
                headers={"Authorization": f"Bearer {may_all}"},
                data={"status": "confirmed", "version": 0},
            )
            assert told.ok
            expect(mine.locator(".row .status")).to_contain_text("confirmed")

            # a token that is revoked ends the session of every open page
            with Store.open(data) as store:
                store.tokens.revoke("li", BEGAN + 1)
            page.wait_for_url(f"{address}/sign-in")
            other.wait_for_url(f"{address}/sign-in")
