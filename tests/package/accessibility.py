"""What a screen reader reads and does: the window's widgets by role and name, over the accessibility bus (AT-SPI).

The interfaces and constants are those of at-spi2-core's D-Bus protocol (atspi-constants.h). Nothing of the program is
imported: it is met as it is met by assistive technology, in another process.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from jeepney import DBusAddress, DBusErrorResponse, Properties, new_method_call
from jeepney.io.blocking import DBusConnection, open_dbus_connection
from jeepney.wrappers import unwrap_msg

ACCESSIBLE, ACTION, EDITABLE, COMPONENT = (
    f"org.a11y.atspi.{name}" for name in ("Accessible", "Action", "EditableText", "Component")
)
ROOT = "/org/a11y/atspi/accessible/root"
SHOWING = 25
"""Of the states, each a bit."""
SCREEN = 0
"""Boxes are asked for in the screen's own pixels."""
REPLY_S = 30


@dataclass(frozen=True)
class Node:
    """One widget, or a part of one, as the bus tells of it. Every property is asked for anew."""

    bus: Bus
    owner: str
    path: str

    @property
    def name(self) -> str:
        return str(self._get(ACCESSIBLE, "Name"))

    @property
    def description(self) -> str:
        return str(self._get(ACCESSIBLE, "Description"))

    @property
    def role(self) -> str:
        return str(self._call(ACCESSIBLE, "GetRoleName")[0])

    def has(self, state: int) -> bool:
        low, high = self._call(ACCESSIBLE, "GetState")[0]
        return bool((high << 32 | low) >> state & 1)

    @property
    def children(self) -> list[Node]:
        return [Node(self.bus, owner, path) for owner, path in self._call(ACCESSIBLE, "GetChildren")[0]]

    @property
    def box(self) -> tuple[int, int, int, int]:
        """Left, top, width and height on the screen, in pixels."""
        left, top, width, height = self._call(COMPONENT, "GetExtents", "u", (SCREEN,))[0]
        return left, top, width, height

    def press(self) -> None:
        """Do what a click does."""
        self._call(ACTION, "DoAction", "i", (0,))

    def focus(self) -> None:
        self._call(COMPONENT, "GrabFocus")

    def write(self, words: str) -> None:
        """Put words into a field in place of those that are there."""
        self._call(EDITABLE, "SetTextContents", "s", (words,))

    def walk(self) -> Iterator[Node]:
        """This and all below it that is shown."""
        yield self
        for child in self.children:
            with suppress(DBusErrorResponse):  # gone between two questions
                if child.has(SHOWING):
                    yield from child.walk()

    def _get(self, interface: str, name: str) -> Any:
        at = DBusAddress(self.path, self.owner, interface)
        return self.bus.ask(Properties(at).get(name))[0][1]

    def _call(self, interface: str, method: str, signature: str | None = None, body: tuple[Any, ...] = ()) -> Any:
        return self.bus.ask(new_method_call(DBusAddress(self.path, self.owner, interface), method, signature, body))


class Bus:
    """The accessibility bus of one session."""

    def __init__(self, session_address: str) -> None:
        """Ask the session bus at this address where it is, and say that somebody reads, as a screen reader does."""
        at = DBusAddress("/org/a11y/bus", "org.a11y.Bus", "org.a11y.Bus")
        with open_dbus_connection(session_address) as session:
            status = Properties(at.with_interface("org.a11y.Status"))
            session.send_and_get_reply(status.set("IsEnabled", "b", True), timeout=REPLY_S)
            address: str = session.send_and_get_reply(new_method_call(at, "GetAddress"), timeout=REPLY_S).body[0]
        self._connection: DBusConnection = open_dbus_connection(address)

    def close(self) -> None:
        self._connection.close()

    def ask(self, message: Any) -> Any:
        """The body of the answer; raises `DBusErrorResponse`."""
        return unwrap_msg(self._connection.send_and_get_reply(message, timeout=REPLY_S))

    def applications(self) -> list[Node]:
        return Node(self, "org.a11y.atspi.Registry", ROOT).children
