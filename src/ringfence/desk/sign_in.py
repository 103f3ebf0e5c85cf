"""Signing in and out: plain forms that need no script. And the desk's own files."""

import asyncio
from typing import Final
from urllib.parse import parse_qs

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from ringfence.desk import render
from ringfence.desk.guard import cookie_of, is_own
from ringfence.desk.session import COOKIE, LASTS_S, Sessions
from ringfence.desk.words import fill
from ringfence.report.words import Both
from ringfence.shell.service.api.context import Context

LANGUAGE: Final = "ringfence_language"
_LONGEST: Final = 2_000
_POLICY: Final = (
    "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)


def language_of(request: Request, otherwise: str) -> str:
    """The language that somebody reads: chosen before, or else what is usual here."""
    chosen = request.query_params.get("language") or request.cookies.get(LANGUAGE)
    return chosen if chosen in {"en", "zh"} else otherwise


def files() -> APIRouter:
    """Style sheet and script, by names that change with what is in them."""
    router = APIRouter(include_in_schema=False)
    forever = {"Cache-Control": "public, max-age=31536000, immutable"}

    @router.get(render.css_path())
    async def css() -> Response:
        return Response(render.css(), media_type="text/css", headers=forever)

    @router.get(render.script_path())
    async def script() -> Response:
        return Response(render.script(), media_type="text/javascript", headers=forever)

    return router


def doors(context: Context, sessions: Sessions, language: str) -> APIRouter:
    """The pages for signing in and out."""
    router = APIRouter(include_in_schema=False)

    def page(request: Request, problem: Both | None = None, status: int = 200) -> Response:
        chosen = language_of(request, language)
        headers = {"Cache-Control": "no-store", "Content-Security-Policy": _POLICY}
        answer = HTMLResponse(render.sign_in(problem, chosen), status, headers)
        if "language" in request.query_params:
            answer.set_cookie(LANGUAGE, chosen, max_age=31_536_000, samesite="lax")
        return answer

    @router.get("/sign-in")
    async def ask(request: Request) -> Response:
        return page(request)

    @router.post("/sign-in")
    async def sign_in(request: Request) -> Response:
        if not is_own(request.headers):
            return page(request, status=403)
        wait = sessions.wait(request.client.host if request.client else "")
        if wait:
            return page(request, fill("desk_token_slow", seconds=str(int(wait) + 1)), 429)
        form = parse_qs((await _body(request)).decode("utf-8", "replace"))
        cookie = await asyncio.to_thread(sessions.begin, form.get("token", [""])[0])
        who = None if cookie is None else sessions.principal(cookie)
        if cookie is None or who is None:
            return page(request, fill("desk_token_wrong"), 401)
        await context.audit(who, "desk.sign_in")
        answer = RedirectResponse("/", 303)
        secure = request.url.scheme == "https"
        answer.set_cookie(COOKIE, cookie, max_age=LASTS_S, httponly=True, samesite="strict", secure=secure)
        return answer

    @router.post("/sign-out")
    async def sign_out(request: Request) -> Response:
        if is_own(request.headers):
            sessions.end(cookie_of(request.headers))
        answer = RedirectResponse("/sign-in", 303)
        answer.delete_cookie(COOKIE, httponly=True, samesite="strict")
        return answer

    return router


async def _body(request: Request) -> bytes:
    """The body; of one that is too long nothing."""
    read = b""
    async for part in request.stream():
        read += part
        if len(read) > _LONGEST:
            return b""
    return read
