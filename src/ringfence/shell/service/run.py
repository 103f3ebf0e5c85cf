"""The process: compiled code, web server, signals."""

import gc
import sys
from collections.abc import Callable

import uvicorn
from fastapi import FastAPI

from ringfence.shell.service.api.context import Context
from ringfence.shell.service.logs import Pseudonyms, configure
from ringfence.shell.service.server import Server
from ringfence.shell.service.settings import Config
from ringfence.shell.service.wiring import Told, Wired, wire

SWITCH_S = 0.001
"""How long a thread may keep the interpreter: the judge must not make a question at the desk wait."""


def run(
    config: Config, replay: Told | None = None, on_started: Callable[[Wired], None] = lambda _: None
) -> None:
    """Serve until told to stop.

    Raises:
        ConfigError, EndpointError, ListError, StoreError, RecordsError, OSError: it cannot begin.
    """
    configure(
        Pseudonyms.kept_in(config.pseudonym_key),
        level=config.logging.level,
        format="text" if config.service.demo else config.logging.format,
    )
    sys.setswitchinterval(SWITCH_S)
    service = config.service

    def desk(app: FastAPI, context: Context) -> None:
        from ringfence.desk.mount import mount  # NiceGUI takes a second to load

        mount(app, context, service.data, service.language)

    wired = wire(config, replay, desk)
    server = Server(
        uvicorn.Config(
            wired.app,
            host=service.host,
            port=service.port,
            loop="uvloop",
            http="httptools",
            access_log=False,
            log_config=None,
            ssl_certfile=service.tls_cert,
            ssl_keyfile=service.tls_key,
            limit_concurrency=config.limits.connections,
            timeout_graceful_shutdown=5,
            server_header=False,
        ),
        wired.context,
    )
    gc.freeze()  # what is loaded by now stays: it need not be looked through again
    gc.enable()
    on_started(wired)
    try:
        server.run()
    finally:
        gc.unfreeze()  # or libraries complain of what they find at the very end
