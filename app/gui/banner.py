"""News across the top of the window that waits for nobody: what happened, what to do, and a way to put it away."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QEvent, Qt, QTimer
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QToolButton, QVBoxLayout, QWidget

from app.engine.errors import AppError
from app.gui import icons, theme

NEWS_MS = 10_000


class Banner(QFrame):
    """One message at a time; a newer one takes the place of an older one. News goes by itself, a warning stays."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        theme.set_role(self, "banner")
        self._icon_name, self._icon_colour = "info", "accent"
        self._action: Callable[[], None] | None = None
        self._is_refusal = False
        self._icon = QLabel(alignment=Qt.AlignmentFlag.AlignTop)
        self._title = theme.label("", theme.Type.HEADING)
        self._message = theme.label("")
        self._path = theme.label("", theme.Type.CAPTION)
        for text in (self._message, self._path):
            text.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._button = QPushButton()
        self._button.clicked.connect(self._act)
        self._close = QToolButton()
        self._close.setIcon(icons.icon("close"))
        self._close.setToolTip(self.tr("Put this message away"))
        self._close.setAccessibleName(self.tr("Put this message away"))
        self._close.clicked.connect(self.hide)
        words = QVBoxLayout()
        words.setSpacing(2)
        for text in (self._title, self._message, self._path):
            words.addWidget(text)
        row = QHBoxLayout(self)
        row.setContentsMargins(theme.MEDIUM_PX, theme.SMALL_PX, theme.SMALL_PX, theme.SMALL_PX)
        row.setSpacing(theme.MEDIUM_PX)
        row.addWidget(self._icon)
        row.addLayout(words, 1)
        row.addWidget(self._button)
        row.addWidget(self._close, 0, Qt.AlignmentFlag.AlignTop)
        self._news_is_old = QTimer(self)
        self._news_is_old.setSingleShot(True)
        self._news_is_old.setInterval(NEWS_MS)
        self._news_is_old.timeout.connect(self.hide)
        self.hide()

    def tell(self, title: str, message: str, action: tuple[str, Callable[[], None]] | None = None) -> None:
        """Good or neutral news."""
        self._show("info", "accent", title, message, "", action)
        if action is None:
            self._news_is_old.start()

    def warn(
        self, title: str, message: str, path: str = "", action: tuple[str, Callable[[], None]] | None = None
    ) -> None:
        """Something went wrong."""
        self._show("warning", "warning", title, message, path, action)

    def show_error(self, error: AppError) -> None:
        self.warn(error.title, error.message, error.path or "")

    def refuse(self, error: AppError) -> None:
        """What was given cannot be used, which matters until something else is given."""
        self.show_error(error)
        self._is_refusal = True

    def drop_refusal(self, _given: object = None) -> None:
        """Put away what `refuse` has told, if it is still shown."""
        if self._is_refusal:
            self.hide()

    @property
    def text(self) -> str:
        """All that is said now, a line each; empty while nothing is shown."""
        shown = (self._title.text(), self._message.text(), self._path.text())
        return "" if self.isHidden() else "\n".join(line for line in shown if line)

    def changeEvent(self, event: QEvent) -> None:
        if event.type() is QEvent.Type.PaletteChange:
            self._draw_icon()
        super().changeEvent(event)

    def _show(
        self,
        icon: str,
        colour: str,
        title: str,
        message: str,
        path: str,
        action: tuple[str, Callable[[], None]] | None,
    ) -> None:
        self._news_is_old.stop()
        self._is_refusal = False
        self._icon_name, self._icon_colour = icon, colour
        self._draw_icon()
        for text, words in ((self._title, title), (self._message, message), (self._path, path)):
            text.setText(words)
            text.setVisible(bool(words))
        self._button.setVisible(action is not None)
        words, self._action = action if action else ("", None)
        self._button.setText(words)
        self.setAccessibleName(f"{title}. {message}")
        self.show()

    def _draw_icon(self) -> None:
        drawn = icons.pixmap(self._icon_name, theme.ICON_PX + 4, self._icon_colour, self.devicePixelRatioF())
        self._icon.setPixmap(drawn)

    def _act(self) -> None:
        self.hide()
        if self._action:
            self._action()
