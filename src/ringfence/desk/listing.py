"""A list of alerts on a page: rows that open, in the order of the board, each brought up to date by itself."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Protocol

from ringfence.desk.kept import Shown
from ringfence.desk.parts import Actions, element, html, put
from ringfence.report.words import Both, Clock


class Desk(Protocol):
    """What rows ask of their page."""

    clock: Clock

    async def may_open(self, shown: Shown) -> bool:
        """Whether an alert may be opened; it is written down that somebody looks."""

    async def say(self, shown: Shown, status: str, reason: str | None) -> Both:
        """Say what an alert is; returns what became of it."""


class Row:
    """An alert on a page."""

    def __init__(self, desk: Desk, shown: Shown, opened: set[str], changed: Callable[[], None]) -> None:
        self._desk = desk
        self._shown = shown
        self._opened = opened
        self._changed = changed
        self._actions: Actions | None = None
        with element("article", "alert", data_alert=shown.row.key) as self.box:
            self._head = element("button", "head", type="button", aria_expanded="false")
            with self._head:
                self._row = html(shown.html, "span", "row")
            self._head.on("click", self._toggle)
            self._body = element("div", "body")
        if shown.row.key in opened:
            self._open()

    def show(self, shown: Shown) -> None:
        """Bring it up to date."""
        if shown is self._shown:
            return
        self._shown = shown
        put(self._row, shown.html)
        if self._actions is not None:
            put(self._detail, shown.detail(self._desk.clock))
            self._actions.show(shown.row.alert.status)

    async def _toggle(self) -> None:
        if self._actions is not None:
            self._close()
        elif await self._desk.may_open(self._shown):
            self._open()
        self._changed()

    def _open(self) -> None:
        if self._actions is not None:
            return
        self._opened.add(self._shown.row.key)
        self._head.props["aria-expanded"] = "true"
        self.box.classes(add="opened")
        with self._body:
            self._actions = Actions(self._say, self._shown.row.alert.status)
            self._detail = html(self._shown.detail(self._desk.clock), classes="detail")

    def _close(self) -> None:
        self._opened.discard(self._shown.row.key)
        self._head.props["aria-expanded"] = "false"
        self.box.classes(remove="opened")
        self._body.clear()
        self._actions = None

    def _say(self, status: str, reason: str | None) -> Awaitable[None]:
        return self._said(status, reason)

    async def _said(self, status: str, reason: str | None) -> None:
        told = await self._desk.say(self._shown, status, reason)
        if self._actions is not None:
            self._actions.told(told)
        self._changed()

    def gone(self) -> None:
        """It is no longer on the list."""
        self.box.delete()


class Listing:
    """The list.

    Args:
        desk: the page.
        opened: ids of the alerts that are opened on the page.
        changed: told when somebody opens or closes a row.
    """

    def __init__(self, desk: Desk, opened: set[str], changed: Callable[[], None]) -> None:
        self._desk, self._opened, self._changed = desk, opened, changed
        self._rows: dict[str, Row] = {}
        self._order: list[str] = []
        self.box = element("div", "list")

    def show(self, alerts: Sequence[Shown]) -> None:
        """Bring it up to date."""
        wanted: Mapping[str, Shown] = {one.row.key: one for one in alerts}
        for key in [key for key in self._rows if key not in wanted]:
            self._rows.pop(key).gone()
            self._order.remove(key)
        for place, (key, one) in enumerate(wanted.items()):
            if key in self._rows:
                self._rows[key].show(one)
            else:
                with self.box:
                    self._rows[key] = Row(self._desk, one, self._opened, self._changed)
                self._order.append(key)
            if self._order[place] != key:
                self._rows[key].box.move(target_index=place)
                self._order.remove(key)
                self._order.insert(place, key)
