"""The style sheet of pages that stand by themselves, put together from its parts."""

from functools import cache
from importlib.resources import files
from typing import Final

COLOURS: Final = "colours.css"
PICTURES: Final = "pictures.css"
_PARTS: Final = (COLOURS, "style.css", PICTURES)


@cache
def sheet(*names: str) -> str:
    """Parts of the style sheet one after the other; without names: all, as the report has it."""
    folder = files("ringfence.report") / "templates"
    return "".join((folder / name).read_text("utf-8") for name in names or _PARTS)
