"""Pieces of a page: plain HTML elements that NiceGUI keeps up to date in the browser."""

from collections.abc import Callable
from typing import Any, Final

from nicegui import ui
from nicegui.element import Element

from ringfence.desk.words import STATUSES, fill
from ringfence.report.page import say
from ringfence.report.words import Both
from ringfence.shell.store.alerts import CLOSED
from ringfence.shell.store.marks import ACKNOWLEDGED, CONFIRMED, NEXT, NOT_AN_ATTACK

ACTIONS: Final = {
    ACKNOWLEDGED: "desk_acknowledge",
    CONFIRMED: "desk_confirm",
    CLOSED: "desk_close",
    NOT_AN_ATTACK: "desk_dismiss",
}
"""What can be said of an alert, with its words."""
SUBMITTED: Final = "(e) => { e.preventDefault(); emit(new FormData(e.target).get('said') || ''); }"
"""Takes what stands in a form's field."""


def element(tag: str, classes: str = "", **attributes: str) -> Element:
    """An element of HTML; `aria_label` stands for aria-label."""
    made = ui.element(tag)
    if classes:
        made.classes(classes)
    for name, value in attributes.items():
        made.props[name.rstrip("_").replace("_", "-")] = value
    return made


def html(content: str = "", tag: str = "div", classes: str = "") -> ui.html:
    """HTML that was made from templates, where everything from outside is escaped."""
    made = ui.html(content, sanitize=False, tag=tag)
    return made.classes(classes) if classes else made


def words(both: Both, tag: str = "span", classes: str = "") -> ui.html:
    """Words in both languages; the style sheet shows one."""
    return html(str(say(both)), tag, classes)


def text(key: str, tag: str = "span", classes: str = "", **values: Any) -> ui.html:
    """A label of the desk."""
    return words(fill(key, **values), tag, classes)


def put(where: ui.html, content: str) -> None:
    """Bring HTML up to date; what is the same already is not sent again."""
    if where.content != content:
        where.content = content


def status(name: str) -> Both:
    """The words for what was said of an alert."""
    return STATUSES.get(name, Both(name, name))


class Actions:
    """Buttons that say what an alert is, and the field for the reason why it is none.

    Args:
        say: called with status and reason.
        current: the alert's status.
    """

    def __init__(self, say: Callable[[str, str | None], Any], current: str) -> None:
        self._say = say
        self._status = ""
        with element("div", "actions") as self._box:
            pass
        self.note = html("", "p", "note")
        self.note.props["role"] = "status"
        self.show(current)

    def show(self, current: str) -> None:
        """Offer what may follow the present status."""
        if current == self._status:
            return
        self._status = current
        self._box.clear()
        with self._box:
            for name in NEXT.get(current, ()):
                button = element("button", "act", type="button", data_status=name)
                with button:
                    text(ACTIONS[name])
                button.on(
                    "click", lambda name=name: self._ask() if name == NOT_AN_ATTACK else self._say(name, None)
                )

    def _ask(self) -> None:
        """Ask for the reason."""
        self._box.clear()
        with self._box, element("form", "why") as form:
            with element("label"):
                text("desk_why_not")
                element("input", name="said", type="text", maxlength="500", required="", autocomplete="off")
            text("desk_why_hint", classes="soft")
            with element("button", "act", type="submit"):
                text("desk_say_so")
            with element("button", "act", type="button") as cancel:
                text("desk_cancel")
        form.on("submit", lambda event: self._say(NOT_AN_ATTACK, str(event.args)), js_handler=SUBMITTED)
        cancel.on("click", self._again)

    def _again(self) -> None:
        current, self._status = self._status, ""
        self.show(current)

    def told(self, both: Both) -> None:
        """Say what became of it."""
        put(self.note, str(say(both)))
