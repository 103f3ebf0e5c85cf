"""The web server, which tells open streams that it stops before it waits for them."""

import socket

import uvicorn

from ringfence.shell.service.api.context import Context


class Server(uvicorn.Server):
    """uvicorn's.

    Args:
        config: of uvicorn.
        context: of the application.
    """

    def __init__(self, config: uvicorn.Config, context: Context) -> None:
        super().__init__(config)
        self._context = context

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End what is open, then the application."""
        self._context.closing = True
        self._context.wake()
        await super().shutdown(sockets)
