"""A person's data: exported, or erased."""

import asyncio
import tempfile
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Depends, HTTPException
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict, Field

from ringfence.shell.service.api.context import ERRORS, Here, needs
from ringfence.shell.service.person import NoNumberError, erase, export, number_of
from ringfence.shell.store.tokens import Principal

router = APIRouter(prefix="/v1/persons", tags=["administration"], responses=ERRORS)
Admin = Annotated[Principal, Depends(needs("admin"))]


class Person(BaseModel):
    """Whose data."""

    model_config = ConfigDict(extra="forbid")
    number: str = Field(description="E.164.", max_length=64)
    name: bool = Field(default=False, description="It may be a name that callers show.")


@router.post("/export", response_class=Response, responses={200: {"content": {"application/zip": {}}}})
async def export_person(person: Person, here: Here, who: Admin) -> Response:
    """All that is kept of a person, as a ZIP: records, alerts, who looked, what the engine knows."""
    await here.audit(who, "person.export", _written(here, person))
    return Response(await asyncio.to_thread(_archive, here, person), media_type="application/zip")


def _written(here: Here, person: Person) -> str:
    try:
        return number_of(here.service, person.number, name=person.name)[1]
    except NoNumberError as error:
        raise HTTPException(422, str(error)) from error


def _archive(here: Here, person: Person) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "person.zip"
        export(here.service, person.number, path, name=person.name)
        return path.read_bytes()


@router.post("/erase")
async def erase_person(person: Person, here: Here, who: Admin) -> dict[str, Any]:
    """Erase a person from records, alerts and memory; what cases hold goes with them (docs/records.md)."""
    _written(here, person)
    await here.audit(who, "person.erase")
    found = await asyncio.to_thread(erase, here.service, person.number, name=person.name)
    here.wake()
    return found
