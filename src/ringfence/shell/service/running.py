"""Sources while they run: each for itself, so that one that fails silences no other."""

import asyncio
from collections.abc import Mapping
from typing import Final, Protocol

import structlog

AGAIN_S: Final = 5.0
"""Until a source that failed is tried again."""
_log = structlog.get_logger("ringfence.sources")


class Running(Protocol):
    """A source: runs until it is cancelled, or until there is nothing more to tell.

    Attributes:
        name: of the configuration.
        has_position: it goes on where it was before a restart, so it must wait until that is known; else it begins at once.
    """

    name: str
    has_position: bool

    @property
    def counts(self) -> Mapping[str, int]:
        """What it met that became no record of the journal, by fixed words."""

    @property
    def trouble(self) -> str | None:
        """Why nothing comes of it just now; None: all is well."""

    async def run(self) -> None:
        """Bring what comes in to the journal."""


class Kept:
    """A source that is begun again when it fails.

    Attributes:
        failure: why it does not run at present; None: it does.
        has_position: the source has.
    """

    def __init__(self, source: Running) -> None:
        self.source = source
        self.has_position = source.has_position
        self.failure: str | None = None

    @property
    def trouble(self) -> str | None:
        """Why nothing comes of it, in one line."""
        why = self.failure or self.source.trouble
        return None if why is None else f"source {self.source.name}: {why}"

    async def run(self) -> None:
        """Run it until cancelled, or until it has told everything."""
        while True:
            if await self._once():
                return
            await asyncio.sleep(AGAIN_S)

    async def _once(self) -> bool:
        task = asyncio.ensure_future(self.source.run())
        try:
            if not (await asyncio.wait([task], timeout=AGAIN_S))[0]:
                self.failure = None
            await task
        except OSError as error:
            self._failed(error.strerror or str(error), error)
            return False
        except Exception as error:  # noqa: BLE001  (the others must go on)
            self._failed(f"{type(error).__name__}, see the log", error)
            return False
        finally:
            task.cancel()
        self.failure = None
        return True

    def _failed(self, why: str, error: Exception) -> None:
        if self.failure is None:
            _log.error("a source has failed", source=self.source.name, exc_info=error)
        self.failure = f"{why}; tried again every {AGAIN_S:g} s"
