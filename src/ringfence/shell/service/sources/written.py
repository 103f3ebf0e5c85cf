"""Sources that hand over what others have written: a followed file, syslog, a watched folder."""

import asyncio
from collections.abc import Callable
from typing import Any, Final

from ringfence.ingest.format import Chunk, Settings, UnreadableError
from ringfence.shell.service.decoders import EVENTS, LINES, rejected_note, to_payload
from ringfence.shell.service.intake import Append, insist, put
from ringfence.shell.service.journal import JournalError
from ringfence.shell.service.sources.folder import Found, WatchedFolder
from ringfence.shell.service.sources.syslog import SyslogListener
from ringfence.shell.service.sources.tail import Tail
from ringfence.shell.sources import open_sources

Positions = Callable[[], dict[str, Any]]
_AT_ONCE: Final = 20_000


class TailSource:
    """A file that is followed.

    Args:
        name: of the source.
        append: takes what is to be written.
        make: the file, from the position of a restart on (None: there was none).
        positions: of all sources, asked when it begins.
        poll_s: seconds between two looks.
    """

    def __init__(
        self, name: str, append: Append, make: Callable[[Any], Tail], positions: Positions, poll_s: float
    ) -> None:
        self.name = name
        self.has_position = True
        self.tail: Tail | None = None
        self._append, self._make = append, make
        self._positions, self._poll_s = positions, poll_s

    @property
    def trouble(self) -> str | None:
        """Why nothing can be read."""
        return self.tail.trouble if self.tail else None

    @property
    def counts(self) -> dict[str, int]:
        """What became of the file."""
        tail = self.tail
        if tail is None:
            return {}
        return {"rotations": tail.rotations, "truncations": tail.truncations, "lost": tail.lost}

    async def run(self) -> None:
        """Follow until cancelled."""
        self.tail = self._make(self._positions().get(self.name))
        try:
            async for piece in self.tail.pieces(self._poll_s):
                note = {"source": self.name, "kind": LINES, "position": piece.position}
                if piece.head:
                    note["head"] = piece.head.decode("utf-8", "replace")
                await insist(self._append, note, piece.data)
        finally:
            self.tail.close()


class SyslogSource:
    """Lines that come by syslog.

    Args:
        name: of the source.
        append: takes what is to be written.
        allow: networks that may send.
        udp: address to listen on, or None; tcp: the same.
    """

    def __init__(
        self,
        name: str,
        append: Append,
        allow: tuple[str, ...],
        udp: tuple[str, int] | None,
        tcp: tuple[str, int] | None,
    ) -> None:
        self.name = name
        self.has_position = False
        self.trouble: str | None = None
        self.listener = SyslogListener(self._take, allow)
        self._note = {"source": name, "kind": LINES}
        self._append = append
        self._udp, self._tcp = udp, tcp
        self._stopping = False

    @property
    def counts(self) -> dict[str, int]:
        """Messages, and what was refused."""
        heard = self.listener
        return {
            "messages": heard.messages,
            "malformed": heard.malformed,
            "refused": heard.refused,
            "dropped": heard.dropped,
        }

    async def run(self) -> None:
        """Listen until cancelled."""
        self._stopping = False
        try:
            await self.listener.start(udp=self._udp, tcp=self._tcp)
            await asyncio.Event().wait()
        finally:
            self._stopping = True
            await self.listener.stop()

    async def _take(self, lines: bytes) -> None:
        hand_over = put if self._stopping else insist
        try:
            await hand_over(self._append, self._note, lines)
        except JournalError as error:  # whoever stops cannot wait for the disk; the listener counts it
            raise ConnectionError(str(error)) from error


class FolderSource:
    """Whole files that are put into a folder.

    Args:
        name: of the source.
        append: takes what is to be written.
        make: the folder, from the position of a restart on.
        positions: of all sources, asked when it begins.
        format: of all files, None: recognised; settings: for the readers.
        poll_s: seconds between two looks.
    """

    def __init__(
        self,
        name: str,
        append: Append,
        make: Callable[[Any], WatchedFolder],
        positions: Positions,
        format: str | None,  # noqa: A002
        settings: Settings,
        poll_s: float,
    ) -> None:
        self.name = name
        self.has_position = True
        self.folder: WatchedFolder | None = None
        self._append, self._make, self._positions = append, make, positions
        self._format, self._settings, self._poll_s = format, settings, poll_s

    @property
    def trouble(self) -> str | None:
        """Why nothing can be read."""
        return self.folder.trouble if self.folder else None

    @property
    def counts(self) -> dict[str, int]:
        """Files."""
        return {"read": self.folder.read, "failed": self.folder.failed} if self.folder else {}

    async def run(self) -> None:
        """Watch until cancelled."""
        self.folder = self._make(self._positions().get(self.name))
        await self.folder.watch(self._read, self._poll_s)

    async def _read(self, found: Found) -> None:
        """Hand over a file.

        Raises:
            UnreadableError: it cannot be read to its end; what stands before is handed over.
        """
        assert self.folder is not None
        (source,) = await asyncio.to_thread(open_sources, [found.path], self._format, self._settings)
        reading = None
        try:
            while True:
                reading = asyncio.ensure_future(asyncio.to_thread(source.next))
                chunk = await asyncio.shield(reading)
                if chunk is None:
                    break
                await self._hand_over(chunk)
        finally:
            if reading is not None:
                await asyncio.wait([reading])  # nobody may be reading what is closed
            source.close()
        if source.broken:
            raise UnreadableError(source.broken)
        read = {"source": self.name, "kind": EVENTS, "position": self.folder.position(found)}
        await insist(self._append, read, b"")

    async def _hand_over(self, chunk: Chunk) -> None:
        note = {"source": self.name, "kind": EVENTS, "table": chunk.table}
        rejected = rejected_note(chunk.rejected)
        for first in range(0, max(len(chunk.rows), 1), _AT_ONCE):
            await insist(self._append, {**note, **rejected}, to_payload(chunk.records.slice(first, _AT_ONCE)))
            rejected = {}
