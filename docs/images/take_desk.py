"""Take the pictures of the desk from a running demonstration: `.venv/bin/python docs/images/take_desk.py [ADDRESS]`.

It waits until a flood is going on, which may take some minutes.
"""

import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

HERE = Path(__file__).parent
ADDRESS = sys.argv[1] if len(sys.argv) > 1 else "http://127.0.0.1:8080"
WIDTH, HEIGHT = 1440, 1180
FLOOD = ".going-on .alert:has(.k-flood)"
SOME_CALLS = (
    "() => (document.querySelector('.going-on .alert:has(.k-flood) .tick') || {}).isConnected === true"
)
PATIENCE_MS = 1_800_000


def main() -> None:
    """Write desk.png and desk-zh.png."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": WIDTH, "height": HEIGHT})
        page.goto(ADDRESS)
        page.wait_for_function(SOME_CALLS, timeout=PATIENCE_MS)
        subject = page.locator(f"{FLOOD} .subject").first.inner_text()
        page.fill("#number", subject)
        page.keyboard.press("Enter")
        page.locator(".standing .number").wait_for()
        page.locator(f"{FLOOD} .head").first.click()
        page.wait_for_timeout(20_000)  # twenty minutes of theirs: the ledger grows, and so does the curve
        for language, name in (("en", "desk.png"), ("zh", "desk-zh.png")):
            page.click(f"[data-language={language}]")
            page.wait_for_timeout(1_200)
            page.screenshot(path=HERE / name)
        browser.close()


if __name__ == "__main__":
    main()
