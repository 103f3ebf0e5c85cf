"""Handing something to the journal from the application's loop."""

import asyncio
from collections.abc import Callable
from typing import Any, Final

from ringfence.shell.service.journal import JournalError

Append = Callable[[dict[str, Any], bytes, Callable[[int, JournalError | None], None]], None]
"""Takes what is to be written, see `Service.append`."""
AGAIN_S: Final = 1.0


async def put(append: Append, note: dict[str, Any], payload: bytes) -> int:
    """Have a record written, and wait until it is on disk; returns its number.

    Raises:
        JournalError: it could not be written.
    """
    loop = asyncio.get_running_loop()
    told: asyncio.Future[int] = loop.create_future()

    def tell(seq: int, error: JournalError | None) -> None:
        if told.done():
            return
        if error is None:
            told.set_result(seq)
        else:
            told.set_exception(error)

    def done(seq: int, error: JournalError | None) -> None:
        loop.call_soon_threadsafe(tell, seq, error)

    append(note, payload, done)
    return await told


async def insist(append: Append, note: dict[str, Any], payload: bytes) -> int:
    """The same, again and again until it is on disk: for sources that can wait."""
    while True:
        try:
            return await put(append, note, payload)
        except JournalError:
            await asyncio.sleep(AGAIN_S)
