"""Lists of alerts on a page: rows that open, in the order of the board, each brought up to date by itself."""

from collections.abc import Awaitable, Callable, Collection, Sequence
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
        """It is no longer on the desk."""
        self._opened.discard(self._shown.row.key)
        self.box.delete()


class Listing:
    """A list: where rows stand, and in which order."""

    def __init__(self) -> None:
        self._order: list[str] = []
        self.box = element("div", "list")

    def put(self, place: int, key: str, row: Row) -> None:
        """Have a row at a place, wherever it stood."""
        if key not in self._order:
            row.box.move(self.box)
            self._order.append(key)
        if self._order[place] != key:
            row.box.move(target_index=place)
            self._order.remove(key)
            self._order.insert(place, key)

    def leave_out(self, keys: Collection[str]) -> None:
        """Rows that are not among these stand elsewhere from now on, or nowhere."""
        self._order = [key for key in self._order if key in keys]


class Rows:
    """All rows of a page. One that goes to another list goes as it is: opened, with what is being written in it.

    Args:
        desk: the page.
        opened: ids of the alerts that are opened on the page.
        changed: told when somebody opens or closes a row.
    """

    def __init__(self, desk: Desk, opened: set[str], changed: Callable[[], None]) -> None:
        self._desk, self._opened, self._changed = desk, opened, changed
        self._rows: dict[str, Row] = {}

    def show(self, lists: Sequence[tuple[Listing, Sequence[Shown]]]) -> None:
        """Bring them up to date; an alert stands in one list only."""
        for listing, alerts in lists:
            listing.leave_out({one.row.key for one in alerts})
        for listing, alerts in lists:
            for place, one in enumerate(alerts):
                listing.put(place, one.row.key, self._row(listing, one))
        wanted = {one.row.key for _, alerts in lists for one in alerts}
        for key in [key for key in self._rows if key not in wanted]:
            self._rows.pop(key).gone()

    def _row(self, listing: Listing, one: Shown) -> Row:
        key = one.row.key
        if key in self._rows:
            self._rows[key].show(one)
        else:
            with listing.box:
                self._rows[key] = Row(self._desk, one, self._opened, self._changed)
        return self._rows[key]
