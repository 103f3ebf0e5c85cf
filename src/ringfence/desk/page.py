"""The first page of the desk, as one browser sees it."""

import asyncio
import time
from collections.abc import Iterable
from typing import Any, Final

from fastapi import HTTPException
from nicegui import Client, ui

from ringfence.desk import parts, render
from ringfence.desk.board import View
from ringfence.desk.hub import Hub
from ringfence.desk.kept import Shown
from ringfence.desk.listing import Listing, Rows
from ringfence.desk.parts import element, html, put, text
from ringfence.desk.session import Door
from ringfence.desk.words import fill
from ringfence.report.page import say
from ringfence.report.words import Both, Clock
from ringfence.shell.service.api.context import Context
from ringfence.shell.service.api.numbers import read_number
from ringfence.shell.store.database import StoreError
from ringfence.shell.store.marks import ChangedMeanwhileError, NoSuchAlertError, NotAllowedError
from ringfence.shell.store.tokens import Principal

READ: Final = "alerts:read"
WRITE: Final = "alerts:write"
NUMBERS: Final = "numbers:read"
MOST_TYPED: Final = 64
"""Characters of a number that is looked up."""


class Page:
    """The page.

    Args:
        context: of the application.
        hub: brings it up to date.
        door: says who looks, anew whenever something is asked.
        cookie: of whoever looks.
        client: the browser.
        language: that the page begins in.
        clock: the network's zone.
        speed: of the demonstration, None: these are real calls.
    """

    def __init__(
        self,
        context: Context,
        hub: Hub,
        door: Door,
        cookie: str | None,
        client: Client,
        language: str,
        clock: Clock,
        speed: float | None,
    ) -> None:
        self._context, self._hub, self._door, self._cookie = context, hub, door, cookie
        self._client = client
        self._language = language
        self._speed = speed
        self._open: set[str] = set()
        self._rows = Rows(self, self._open, hub.wake)
        self.clock = clock

    # --- layout --------------------------------------------------------------------------------------------------------

    def build(self, figures: str, view: View) -> None:
        """Put it together."""
        html(render.heads(), classes="defs")
        with element("div", "desk"):
            self._top()
            self._figures = html(figures, "section", "top-figures")
            with element("div", "sides"):
                with element("div", "attacks"):
                    self._now = self._section("desk_now", "desk_now_none", "going-on")
                    self._more_now = html("", "p", "soft")
                    self._over = self._section("desk_over", None, "over")
                with element("aside"):
                    self._search()
                    self._texts = self._section("desk_texts", "desk_texts_none", "texts")
                    text("desk_forged", "h2")
                    self._forged = html("", classes="forged")
                    self._lines = self._section("desk_lines", "desk_lines_none", "lines")
                    self._more_lines = html("", "p", "soft")
            text("desk_zone", "p", "soft zone", zone=self.clock.name(self._context.service.clock()))
        self.show(figures, view)

    def _top(self) -> None:
        with element("header", "top"):
            text("desk_name", "strong", "name")
            if self._speed is not None:
                text("desk_demo", "span", "demo", speed=f"{self._speed:g}")
            with element("nav", "languages", aria_label="Language / 语言"):
                for code, name in (("en", "English"), ("zh", "中文")):
                    button = element("button", "language", type="button", data_language=code)
                    with button:
                        html(name, "span")
                    button.on("click", lambda code=code: self._speak(code))
            who = self._door.principal(self._cookie)
            if self._speed is None and who is not None:
                with element("form", "who", method="post", action="/sign-out"):
                    text("desk_signed_in", "span", "soft", who=who.name)
                    with element("button", "act", type="submit"):
                        text("desk_sign_out")

    def _section(self, title: str, empty: str | None, name: str) -> tuple[Listing, Any, Any]:
        """A heading and a list of alerts; what stands there while it is empty."""
        with element("section", name) as box:
            text(title, "h2")
            nothing = text(empty, "p", "soft empty") if empty else None
            listing = Listing()
        return listing, nothing, box

    def _search(self) -> None:
        with element("section", "search"):
            text("desk_search", "h2")
            with element("form", role="search") as form:
                self._field = element(
                    "input", id="number", name="said", type="search", inputmode="tel", autocomplete="off", maxlength=str(MOST_TYPED)
                )  # fmt: skip
                with element("button", "act", type="submit"):
                    text("desk_look")
            form.on("submit", lambda event: self._look(str(event.args)), js_handler=parts.SUBMITTED)
            self._found = html("", classes="standing")
            self._found.props["aria-live"] = "polite"
        self._label()

    def _speak(self, language: str) -> None:
        self._language = language
        self._label()

    def _label(self) -> None:
        """Words where no markup is possible stand in one language."""
        place = 1 if self._language == "zh" else 0
        self._field.props["placeholder"] = fill("desk_search_hint")[place]
        self._field.props["aria-label"] = fill("desk_search")[place]

    # --- kept up to date -----------------------------------------------------------------------------------------------

    @property
    def opened(self) -> Iterable[str]:
        """The alerts that are opened."""
        return self._open

    def show(self, figures: str, view: View) -> None:
        """Bring it up to date; whoever may no longer look is shown out."""
        if self._may(READ) is None:
            self._leave()
            return
        put(self._figures, figures)
        sections = (
            (self._now, view.now),
            (self._over, view.over),
            (self._texts, view.texts),
            (self._lines, view.lines),
        )
        self._rows.show([(listing, alerts) for (listing, _, _), alerts in sections])
        for (_, nothing, box), alerts in sections:
            if nothing is not None:
                nothing.set_visibility(not alerts)
            else:
                box.set_visibility(bool(alerts))
        put(self._more_now, _more("desk_now_more", view.more_now))
        put(self._more_lines, _more("desk_lines_more", view.more_lines))
        put(self._forged, view.forged)

    def _leave(self) -> None:
        self._hub.remove(self)
        self._client.open("/sign-in")

    def _may(self, scope: str) -> Principal | None:
        """Who looks, if that one may still do this."""
        try:
            who = self._door.principal(self._cookie)
        except StoreError:
            return None
        return who if who is not None and scope in who.scopes else None

    # --- what rows and search ask --------------------------------------------------------------------------------------

    async def may_open(self, shown: Shown) -> bool:
        """Whether an alert may be opened; it is written down that somebody looks."""
        who = self._may(READ)
        if who is None:
            self._leave()
            return False
        try:
            await self._context.audit(who, "alert.read", shown.row.story.alert.subject, shown.row.key)
        except StoreError:
            return False
        return True

    async def say(self, shown: Shown, status: str, reason: str | None) -> Both:
        """Say what an alert is; returns what became of it."""
        who = self._may(WRITE)
        if who is None:
            return fill("desk_may_not", scope=WRITE)
        if self._context.requests.take(who.name, time.monotonic()):
            return fill("desk_slower")
        alert, store = shown.row.alert, self._context.service.store
        try:
            await self._context.audit(who, "alert.mark", shown.row.story.alert.subject, shown.row.key)
            now = await asyncio.to_thread(
                store.marks.mark, alert.alert_id, status, who=who.name, at=self._context.service.clock(),
                version=alert.version, reason=reason,
            )  # fmt: skip
        except ChangedMeanwhileError as error:
            self._hub.wake()
            other = error.alert
            return fill("desk_conflict", who=other.marked_by or "?", status=parts.status(other.status))
        except NoSuchAlertError:
            return fill("desk_gone")
        except NotAllowedError:
            return fill("desk_needs_reason")
        except StoreError as error:
            return fill("desk_not_written", why=str(error))
        self._context.wake()
        return fill("desk_done", status=parts.status(now.status))

    async def _look(self, number: str) -> None:
        """Look a number up."""
        who = self._may(NUMBERS)
        if who is None:
            self._tell(fill("desk_may_not", scope=NUMBERS))
            return
        if self._context.requests.take(who.name, time.monotonic()):
            self._tell(fill("desk_slower"))
            return
        try:
            found = await read_number(number.strip()[:MOST_TYPED], self._context, who)
        except HTTPException:
            self._tell(fill("desk_no_number"))
        except StoreError as error:
            self._tell(fill("desk_not_written", why=str(error)))
        else:
            put(self._found, render.standing(found, self.clock))

    def _tell(self, both: Both) -> None:
        put(self._found, f'<p class="note">{say(both)}</p>')


def _more(key: str, count: int) -> str:
    return str(say(fill(key, n=f"{count:,}"))) if count else ""


def head(language: str) -> None:
    """What stands in the page's head."""
    lang = "zh-Hans" if language == "zh" else "en"
    ui.add_head_html(
        '<meta name="referrer" content="same-origin">'  # else signing out would not say where it comes from
        f'<link rel="stylesheet" href="{render.css_path()}">'
        f'<script>document.documentElement.lang = "{lang}"; document.documentElement.className = "{language}";</script>'
        f'<script defer src="{render.script_path()}"></script>'
    )
