"""The files that could not be read, each with its reason."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QModelIndex, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import (
    QAbstractItemView,
    QDialog,
    QHBoxLayout,
    QHeaderView,
    QPushButton,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from app.engine.librarytypes import Failure
from app.gui import desktop, theme, wording


class FailuresDialog(QDialog):
    """Does not block the window; deletes itself when it closes."""

    def __init__(self, failures: Sequence[Failure], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._failures = failures
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(self.tr("Files that could not be read"))
        self.resize(760, 420)
        heading = theme.label(
            wording.count(len(failures), self.tr("file"), self.tr("files")) + self.tr(" could not be read"),
            theme.Type.HEADING,
        )
        explanation = theme.label(
            self.tr("Everything else was indexed. These are tried again at each indexing once they have changed.")
        )
        self._list = QTreeWidget()
        self._list.setHeaderLabels([self.tr("File"), self.tr("Reason")])
        self._list.setRootIsDecorated(False)
        self._list.setUniformRowHeights(True)
        self._list.setTextElideMode(Qt.TextElideMode.ElideMiddle)
        self._list.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self._list.addTopLevelItems([_row(failure) for failure in failures])
        self._list.header().setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        self._list.header().setSectionResizeMode(1, QHeaderView.ResizeMode.Stretch)
        self._list.activated.connect(self._show_in_folder)
        self._list.setToolTip(self.tr("Double-click a file to see it in its folder"))
        copy = QPushButton(self.tr("Copy the list"))
        copy.clicked.connect(self._copy)
        close = QPushButton(self.tr("Close"))
        close.setDefault(True)
        close.clicked.connect(self.close)
        buttons = QHBoxLayout()
        buttons.addWidget(copy)
        buttons.addStretch()
        buttons.addWidget(close)
        column = QVBoxLayout(self)
        column.setContentsMargins(theme.LARGE_PX, theme.LARGE_PX, theme.LARGE_PX, theme.LARGE_PX)
        column.setSpacing(theme.SMALL_PX)
        for widget in (heading, explanation, self._list):
            column.addWidget(widget, 1 if widget is self._list else 0)
        column.addLayout(buttons)

    def _copy(self) -> None:
        lines = (f"{failure.path}\t{failure.reason}" for failure in self._failures)
        QGuiApplication.clipboard().setText("\n".join(lines))

    def _show_in_folder(self, index: QModelIndex) -> None:
        desktop.show_in_folder(self._failures[index.row()].path)


def _row(failure: Failure) -> QTreeWidgetItem:
    row = QTreeWidgetItem([failure.path, failure.reason])
    row.setToolTip(0, failure.path)
    row.setToolTip(1, failure.reason)
    return row
