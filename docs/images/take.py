"""Take the pictures of the README from the report of `make run`: `.venv/bin/python docs/images/take.py`."""

from pathlib import Path

from playwright.sync_api import sync_playwright

HERE = Path(__file__).parent
REPORT = HERE.parents[1] / "out" / "demo" / "report.html"
WIDTH, HEIGHT = 1100, 1640


def main() -> None:
    """Write report.png and report-zh.png."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": WIDTH, "height": HEIGHT}, locale="en")
        page.goto(REPORT.resolve().as_uri())
        page.screenshot(path=HERE / "report.png")
        page.get_by_text("中文").first.click()
        page.screenshot(path=HERE / "report-zh.png")
        browser.close()


if __name__ == "__main__":
    main()
