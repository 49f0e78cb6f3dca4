"""What a page shows when it has nothing to show: a picture, what is the matter, and what to do next."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QResizeEvent, QShowEvent
from PySide6.QtWidgets import QBoxLayout, QHBoxLayout, QLabel, QProgressBar, QPushButton, QVBoxLayout, QWidget

from app.engine.jobs import Progress
from app.gui import icons, theme, wording
from app.gui.jobline import show_share

ICON_PX = 56
TEXT_WIDTH_PX = 440


class EmptyState(QWidget):
    """An icon, a headline, a sentence and buttons, in the middle of the room there is. The first button is the
    recommended one, unless it is told how far something is, which a button can only stop."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._icon_name = "info"
        self._said: object = None
        self._icon = QLabel(alignment=Qt.AlignmentFlag.AlignHCenter)
        self._headline = theme.label("", theme.Type.TITLE)
        self._sentence = theme.label("")
        for text in (self._headline, self._sentence):
            text.setAlignment(Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignTop)
            text.setMaximumWidth(TEXT_WIDTH_PX)
        self._bar = QProgressBar()
        self._bar.setTextVisible(False)
        self._bar.setMaximumWidth(TEXT_WIDTH_PX)
        self._count = theme.label("", theme.Type.CAPTION)
        self._count.setAlignment(Qt.AlignmentFlag.AlignHCenter)
        self._buttons = QBoxLayout(QBoxLayout.Direction.LeftToRight)
        self._buttons.setSpacing(theme.SMALL_PX)
        self._column = column = QVBoxLayout(self)
        column.setContentsMargins(theme.HUGE_PX, theme.HUGE_PX, theme.HUGE_PX, theme.HUGE_PX)
        column.setSpacing(theme.MEDIUM_PX)
        column.addStretch(2)
        column.addWidget(self._icon)
        for part in (self._headline, self._sentence, self._bar, self._count):
            row = QHBoxLayout()  # an alignment in the column would take away the height of wrapped lines
            row.addStretch(1)
            row.addWidget(part, 1000)
            row.addStretch(1)
            column.addLayout(row)
        column.addSpacing(theme.SMALL_PX)
        column.addLayout(self._buttons)
        column.addStretch(3)

    def say(
        self,
        icon: str,
        headline: str,
        sentence: str,
        actions: Sequence[tuple[str, Callable[[], None]]] = (),
        progress: Progress | None = None,
    ) -> None:
        """Show this instead of what was shown.

        Args:
            icon: its name.
            headline: what is the matter.
            sentence: more of it.
            actions: the buttons' words and what they do.
            progress: how far something is, shown by a bar that only moves if nobody knows.
        """
        self._show_progress(headline, progress)
        said = (icon, headline, sentence, tuple(actions))
        if said == self._said:  # a button that has the focus keeps it
            return
        self._said = said
        self._icon_name = icon
        self._draw_icon()
        self._headline.setText(headline)
        self._sentence.setText(sentence)
        self._sentence.setVisible(bool(sentence))
        self._replace_buttons(actions, "primary" if progress is None else "")
        self._show_icon()

    @property
    def count(self) -> str:
        """How far what is said is, in words."""
        return "" if self._count.isHidden() else self._count.text()

    @property
    def headline(self) -> str:
        return self._headline.text()

    @property
    def sentence(self) -> str:
        return self._sentence.text()

    def changeEvent(self, event: QEvent) -> None:
        if event.type() is QEvent.Type.PaletteChange:
            self._draw_icon()
        super().changeEvent(event)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._show_icon()  # before, the words have not the size of their font

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._arrange_buttons()
        self._show_icon()

    def _draw_icon(self) -> None:
        self._icon.setPixmap(icons.pixmap(self._icon_name, ICON_PX, "muted", self.devicePixelRatioF()))

    def _show_icon(self) -> None:
        """Where there is little room, the words have it, and that of the margins too."""
        self._column.invalidate()  # it may remember its height from before the icon was hidden or shown
        words_px = self._column.heightForWidth(self.width()) - 2 * self._column.contentsMargins().top()
        if not self._icon.isHidden():
            words_px -= ICON_PX + theme.MEDIUM_PX
        margin_px = theme.HUGE_PX if words_px + 2 * theme.HUGE_PX <= self.height() else 0
        self._column.setContentsMargins(theme.HUGE_PX, margin_px, theme.HUGE_PX, margin_px)
        self._icon.setVisible(words_px + ICON_PX + theme.MEDIUM_PX + 2 * margin_px <= self.height())

    def _show_progress(self, headline: str, progress: Progress | None) -> None:
        count = " · ".join(wording.counts(progress)) if progress else ""
        if progress:
            show_share(self._bar, progress)
            self._bar.setAccessibleName(headline)
        self._count.setText(count)
        self._count.setVisible(bool(count))
        self._bar.setVisible(progress is not None)

    def _replace_buttons(self, actions: Sequence[tuple[str, Callable[[], None]]], first_role: str) -> None:
        while item := self._buttons.takeAt(0):
            if widget := item.widget():
                widget.hide()
                widget.deleteLater()
        self._buttons.addStretch()
        for number, (words, action) in enumerate(actions):
            button = QPushButton(words)
            theme.set_role(button, first_role if number == 0 else "")
            button.clicked.connect(action)
            self._buttons.addWidget(button)
            button.show()  # at once, or it would take no part in how much room is wanted
        self._buttons.addStretch()
        self._arrange_buttons()

    def _arrange_buttons(self) -> None:
        """One below the other where they have no room side by side."""
        room_px = self.width() - 2 * theme.HUGE_PX
        items = [self._buttons.itemAt(place) for place in range(self._buttons.count())]
        wanted_px = sum(item.sizeHint().width() + theme.SMALL_PX for item in items if item)
        has_room = wanted_px <= room_px
        directions = QBoxLayout.Direction
        self._buttons.setDirection(directions.LeftToRight if has_room else directions.TopToBottom)
