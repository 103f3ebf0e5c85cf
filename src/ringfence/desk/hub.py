"""One pulse for all open pages: once a second it reads what has changed, and hands it to every page that is open."""

import asyncio
from collections.abc import Iterable
from typing import Final, Protocol

import structlog

from ringfence.desk import render
from ringfence.desk.board import Board, View
from ringfence.shell.service.api.context import Context
from ringfence.shell.store.database import StoreError

PULSE_S: Final = 1.0
_WHOLE_S: Final = 15
"""After so many pulses everything is read anew, even if nobody told of a change."""
_log = structlog.get_logger("ringfence.desk")


class Open(Protocol):
    """A page that is open."""

    @property
    def opened(self) -> Iterable[str]:
        """The alerts that are opened on it."""

    def show(self, figures: str, view: View) -> None:
        """Bring it up to date."""


class Hub:
    """The pulse.

    Args:
        context: of the application.
        board: what is shown.
    """

    def __init__(self, context: Context, board: Board) -> None:
        self._context = context
        self._board = board
        self._pages: dict[Open, None] = {}
        self._woken = asyncio.Event()
        self._seen: frozenset[str] = frozenset()
        self._task: asyncio.Task[None] | None = None
        self._idle = 0
        self.figures = ""

    def __len__(self) -> int:
        return len(self._pages)

    def add(self, page: Open) -> None:
        """A page is opened: it is shown what there is, and brought up to date from now on."""
        self._pages[page] = None
        self._woken.set()

    def remove(self, page: Open) -> None:
        """A page is closed, and costs nothing from now on."""
        self._pages.pop(page, None)

    def wake(self) -> None:
        """Something is to be read anew with the next pulse."""
        self._woken.set()

    def start(self) -> None:
        """Begin, in the running loop."""
        self._context.wakers.add(self._woken)
        self._task = asyncio.create_task(self._run(), name="desk")

    async def stop(self) -> None:
        """End."""
        self._context.wakers.discard(self._woken)
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(PULSE_S)
            self._board.sample()
            if not self._pages:
                continue
            try:
                await self.pulse()
            except StoreError as error:
                _log.warning("the desk cannot read the store", reason=str(error))
            except Exception:  # noqa: BLE001  (one page's trouble must not stand still all others)
                _log.exception("the desk's pulse failed")

    async def pulse(self) -> None:
        """Bring all pages up to date."""
        self.figures = render.figures(self._board.figures(), self._board.clock)
        opened = frozenset(alert_id for page in self._pages for alert_id in page.opened)
        self._idle += 1
        try:
            if self._woken.is_set() or opened != self._seen or self._idle >= _WHOLE_S:
                self._woken.clear()
                self._idle = 0
                await asyncio.to_thread(self._board.refresh, opened)
                self._seen = opened
        except StoreError:
            self._woken.set()
            raise
        finally:
            await self._hand_out()

    async def _hand_out(self) -> None:
        for page in list(self._pages):
            try:
                page.show(self.figures, self._board.view)
            except Exception:  # noqa: BLE001  (that one page is left behind, the others are not)
                _log.exception("a page of the desk cannot be brought up to date")
                self.remove(page)
            await asyncio.sleep(0)
