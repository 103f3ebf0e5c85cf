from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright
from tests.report import example

CHROMIUM = Path("/usr/bin/chromium")
QUIET = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
)  # fmt: skip


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    assert CHROMIUM.exists(), "Chromium is not installed; `make test` installs it"
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        yield started
        started.close()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("report")
    example.write(made)
    return made


@pytest.fixture
def tab(browser: Browser) -> Iterator[Page]:
    """A tab that must not complain and must not ask the network for anything."""
    context = browser.new_context(locale="en-GB", viewport={"width": 1280, "height": 900})
    made = context.new_page()
    seen: list[str] = []
    made.on("console", lambda message: seen.append(message.text))
    made.on("pageerror", lambda error: seen.append(str(error)))
    made.on("request", lambda request: None if request.url.startswith("file:") else seen.append(request.url))
    yield made
    context.close()
    assert seen == []


def test_one_language_is_shown_at_a_time(tab: Page, folder: Path) -> None:
    tab.goto((folder / "three.html").as_uri())
    assert tab.inner_text("h1") == "3 lines were flooded with calls"
    assert tab.locator('svg tspan[lang="zh"]:visible').count() == 0
    tab.click('label[for="zh"]')
    assert tab.inner_text("h1") == "3 个号码遭到呼死你攻击"
    assert tab.locator('[lang="en"]:visible').count() - tab.locator('html[lang="en"]').count() == 0
    assert tab.evaluate("document.documentElement.lang") == "zh-Hans"
    tab.click('label[for="en"]')
    assert tab.inner_text("h1") == "3 lines were flooded with calls"


def test_it_needs_no_script(browser: Browser, folder: Path) -> None:
    context = browser.new_context(java_script_enabled=False)
    tab = context.new_page()
    tab.goto((folder / "three.html").as_uri())
    tab.click('label[for="zh"]')
    assert tab.locator("h1").inner_text() == "3 个号码遭到呼死你攻击"
    context.close()


def test_a_chinese_browser_begins_in_chinese(browser: Browser, folder: Path) -> None:
    context = browser.new_context(locale="zh-CN")
    tab = context.new_page()
    tab.goto((folder / "none.html").as_uri())
    assert tab.inner_text("h1") == "未发现呼死你攻击"
    context.close()


def test_the_keyboard_reaches_everything(tab: Page, folder: Path) -> None:
    tab.goto((folder / "three.html").as_uri())
    tab.keyboard.press("Tab")
    assert tab.evaluate("document.activeElement.id") == "en"
    tab.keyboard.press("ArrowRight")
    assert tab.inner_text("h1") == "3 个号码遭到呼死你攻击"
    reached = []
    for _ in range(20):
        tab.keyboard.press("Tab")
        reached.append(tab.evaluate("(e => e.getAttribute('href') || e.localName)(document.activeElement)"))
    assert {"#floods", "#next", "#about", "#flood-1", "#flood-3", "summary"} <= set(reached)


@pytest.mark.parametrize("name", ["three", "none", "crowd"])
def test_a_phone_need_not_scroll_sideways(tab: Page, folder: Path, name: str) -> None:
    tab.set_viewport_size({"width": 400, "height": 800})
    tab.goto((folder / f"{name}.html").as_uri())
    assert tab.evaluate("document.documentElement.scrollWidth") <= 400
    tab.click('label[for="zh"]')
    assert tab.evaluate("document.documentElement.scrollWidth") <= 400


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_stands_out_from_the_paper(tab: Page, folder: Path, scheme: str) -> None:
    tab.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    tab.goto((folder / "interrupted.html").as_uri())
    paper = luminance(tab, "body", "backgroundColor")
    for place in ("body", ".soft", "small", "#floods a", "svg text"):
        text = luminance(tab, place, "fill" if place == "svg text" else "color")
        bright, dim = max(paper, text), min(paper, text)
        assert (bright + 0.05) / (dim + 0.05) >= 4.5, place


def luminance(tab: Page, place: str, name: str) -> float:
    """Relative luminance of a colour (WCAG 2)."""
    colour = tab.locator(place).first.evaluate("(e, name) => getComputedStyle(e)[name]", name)
    channels = [int(part) / 255 for part in colour.removeprefix("rgb(").removesuffix(")").split(",")]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return sum(share * c for share, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def test_marks_are_drawn_where_they_can_be_seen(tab: Page, folder: Path) -> None:
    tab.goto((folder / "three.html").as_uri())
    marks = tab.locator("#flood-1 g.mark use")
    boxes = [marks.nth(i).bounding_box() for i in range(6)]
    assert all(box and box["width"] > 4 for box in boxes)
    lefts = [box["x"] for box in boxes if box]
    assert lefts == sorted(lefts)
    assert len(set(lefts)) == 6


def test_it_can_be_printed(tab: Page, folder: Path) -> None:
    tab.goto((folder / "three.html").as_uri())
    assert tab.pdf(format="A4").startswith(b"%PDF")
