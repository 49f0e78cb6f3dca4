"""The left side: which library is open, the folders in it, and what it holds."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import PurePath

from PySide6.QtCore import QEvent, QPoint, QSize, Qt, Signal
from PySide6.QtGui import QColor
from PySide6.QtWidgets import (
    QComboBox,
    QHBoxLayout,
    QInputDialog,
    QListWidget,
    QListWidgetItem,
    QMenu,
    QPushButton,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from app.engine.librarytypes import LibraryStatus, Root
from app.engine.types import ItemKind
from app.gui import desktop, icons, theme, wording

NEW_LIBRARY = object()
PATH_ROLE = Qt.ItemDataRole.UserRole
OFFLINE_ROLE = PATH_ROLE + 1


class Sidebar(QWidget):
    """Signals: ``library_chosen`` with a name; ``folder_chosen`` with a root's path or None for all;
    ``settings_wanted``, ``add_folder_wanted`` and ``sample_wanted``; ``rescan_wanted`` with roots' paths and
    ``forget_wanted`` with one."""

    library_chosen = Signal(str)
    folder_chosen = Signal(object)
    settings_wanted = Signal()
    add_folder_wanted = Signal()
    sample_wanted = Signal()
    rescan_wanted = Signal(object)
    forget_wanted = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._libraries: tuple[str, ...] = ()
        self._library = ""
        self._picker = QComboBox()
        self._picker.setAccessibleName(self.tr("Library"))
        self._picker.activated.connect(self._picked)
        self._settings = QToolButton()
        self._settings.setIcon(icons.icon("gear"))
        self._settings.setToolTip(self.tr("How this library is indexed (Ctrl+,)"))
        self._settings.setAccessibleName(self.tr("Settings of this library"))
        self._settings.clicked.connect(self.settings_wanted)
        self._folders = QListWidget()
        self._folders.setAccessibleName(self.tr("Folders of this library"))
        self._folders.setIconSize(QSize(theme.ICON_PX, theme.ICON_PX))
        self._folders.setSpacing(1)
        self._folders.setTextElideMode(Qt.TextElideMode.ElideRight)
        self._folders.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._folders.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self._folders.customContextMenuRequested.connect(self._show_menu)
        self._folders.currentItemChanged.connect(self._folder_changed)
        self._add = QPushButton(icons.icon("plus"), self.tr("Add a folder…"))
        self._add.setToolTip(self.tr("Index a folder of photos, videos and sounds (Ctrl+O)"))
        self._add.clicked.connect(self.add_folder_wanted)
        self._sample = QPushButton(icons.icon("library"), self.tr("Sample library"))
        self._sample.setToolTip(self.tr("Open the small library that comes with the program"))
        theme.set_role(self._sample, "quiet")
        self._sample.clicked.connect(self.sample_wanted)
        self._offline = theme.label("", theme.Type.CAPTION)
        self._offline.setWordWrap(True)
        self._offline.hide()
        self._totals = theme.label("", theme.Type.CAPTION)
        self._totals.setWordWrap(True)
        column = QVBoxLayout(self)
        column.setContentsMargins(theme.MEDIUM_PX, theme.MEDIUM_PX, 0, theme.MEDIUM_PX)
        column.setSpacing(theme.SMALL_PX)
        column.addWidget(theme.label(self.tr("Library"), theme.Type.CAPTION))
        library = QHBoxLayout()
        library.setSpacing(theme.TINY_PX)
        library.addWidget(self._picker, 1)
        library.addWidget(self._settings)
        column.addLayout(library)
        column.addSpacing(theme.TINY_PX)
        column.addWidget(theme.label(self.tr("Folders"), theme.Type.CAPTION))
        column.addWidget(self._folders, 1)
        column.addWidget(self._offline)
        column.addWidget(self._add)
        column.addWidget(self._sample)
        column.addWidget(self._totals)

    # --- what the window tells ---------------------------------------------------------------------------------------

    def set_libraries(self, names: Sequence[str]) -> None:
        self._libraries = tuple(names)
        self._show_libraries()

    def set_opening(self, library: str) -> None:
        """Another library is being opened."""
        self._library = library
        self._show_libraries()
        self._folders.clear()
        self._offline.hide()
        self._totals.setText("")

    def set_status(self, status: LibraryStatus) -> None:
        """Show a library's folders and counts; the chosen folder stays chosen."""
        chosen = self.folder
        self._library = status.name
        self._show_libraries()
        self._folders.blockSignals(True)
        self._folders.clear()
        everything = wording.count(sum(root.files for root in status.roots), self.tr("file"), self.tr("files"))
        self._add_row("grid", self.tr("All folders"), everything, None, self.tr("Search all folders"))
        for root in status.roots:
            self._add_root(root)
        row = next((row for row in range(self._folders.count()) if self._path_of(row) == chosen), 0)
        self._folders.setCurrentRow(row)
        self._folders.blockSignals(False)
        self._offline.setText(offline_words(status.roots))
        self._offline.setVisible(any(not root.online for root in status.roots))
        self._totals.setText(totals(status))
        if self.folder != chosen:  # the chosen folder is no longer there
            self.folder_chosen.emit(self.folder)

    def set_indexing(self, indexing: bool) -> None:
        """Another library cannot be opened while this one is being indexed."""
        self._picker.setEnabled(not indexing)
        self._sample.setEnabled(not indexing)
        why = self.tr("Wait for the indexing, or cancel it, to open another library")
        self._picker.setToolTip(why if indexing else self.tr("Open another library, or make one"))

    @property
    def folder(self) -> str | None:
        """The chosen root's path; None: all."""
        return self._path_of(self._folders.currentRow())

    # --- helpers -----------------------------------------------------------------------------------------------------

    def _add_root(self, root: Root) -> None:
        name = PurePath(root.path).name or root.path
        files = wording.count(root.files, self.tr("file"), self.tr("files"))
        if root.online:
            self._add_row("folder", name, files, root.path, root.path)
            return
        why = self.tr("{0}\nis empty or not there (an unplugged drive?). What was indexed of it is kept.").format(
            root.path
        )
        self._add_row("folder-offline", name, self.tr("{0}, offline").format(files), root.path, why)
        self._grey(self._folders.item(self._folders.count() - 1))

    def _add_row(self, icon: str, name: str, below: str, path: str | None, tooltip: str) -> None:
        row = QListWidgetItem(icons.icon(icon, "muted"), f"{name}\n{below}")
        row.setData(PATH_ROLE, path)
        row.setToolTip(tooltip)
        self._folders.addItem(row)

    def _grey(self, row: QListWidgetItem) -> None:
        row.setData(OFFLINE_ROLE, True)
        row.setForeground(QColor(theme.colours().muted))

    def changeEvent(self, event: QEvent) -> None:
        if event.type() is QEvent.Type.PaletteChange:
            for row in map(self._folders.item, range(self._folders.count())):
                if row.data(OFFLINE_ROLE):
                    self._grey(row)
        super().changeEvent(event)

    def _path_of(self, row: int) -> str | None:
        item = self._folders.item(row)
        path: str | None = item.data(PATH_ROLE) if item else None
        return path

    def _folder_changed(self, _current: QListWidgetItem | None) -> None:
        self.folder_chosen.emit(self.folder)

    def _show_libraries(self) -> None:
        names = sorted({*self._libraries, self._library} - {""})
        self._picker.clear()
        for name in names:
            self._picker.addItem(icons.icon("library", "muted"), name, name)
        self._picker.insertSeparator(self._picker.count())
        self._picker.addItem(icons.icon("plus", "muted"), self.tr("New library…"), NEW_LIBRARY)
        self._picker.setCurrentIndex(names.index(self._library) if self._library in names else 0)

    def _picked(self) -> None:
        chosen = self._picker.currentData()
        if chosen is NEW_LIBRARY:
            self._picker.setCurrentIndex(self._picker.findData(self._library))
            self._ask_name()
        elif chosen and chosen != self._library:
            self.library_chosen.emit(chosen)

    def _ask_name(self) -> None:
        dialog = QInputDialog(self)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.setWindowTitle(self.tr("New library"))
        dialog.setLabelText(self.tr("A name for the new library:"))
        dialog.textValueSelected.connect(self._named)
        dialog.open()

    def _named(self, name: str) -> None:
        if name.strip():
            self.library_chosen.emit(name.strip())

    def _show_menu(self, at: QPoint) -> None:
        item = self._folders.itemAt(at)
        path: str | None = item.data(PATH_ROLE) if item else None
        if path is None:
            return
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.addAction(icons.icon("refresh"), self.tr("Look for changes"), lambda: self.rescan_wanted.emit((path,)))
        menu.addAction(icons.icon("folder"), self.tr("Show in the file manager"), lambda: desktop.open_file(path))
        menu.addSeparator()
        menu.addAction(icons.icon("cross"), self.tr("Remove from the library"), lambda: self.forget_wanted.emit(path))
        menu.popup(self._folders.viewport().mapToGlobal(at))


def offline_words(roots: Sequence[Root]) -> str:
    """Which folders are not there now, and that nothing is lost by it."""
    names = [PurePath(root.path).name or root.path for root in roots if not root.online]
    are, them = ("is", "it") if len(names) == 1 else ("are", "them")
    return (
        f"{', '.join(names)} {are} not there now. What was indexed of {them} is kept and can still be searched. "
        f"Moved? Add {them} again from the new place."
    )


def totals(status: LibraryStatus) -> str:
    """What a library holds, a line each."""
    lines = [
        wording.count(status.items.get(ItemKind.PHOTO, 0), "photo", "photos"),
        wording.count(status.items.get(ItemKind.FRAME, 0), "video frame", "video frames"),
        wording.count(status.items.get(ItemKind.AUDIO, 0), "piece of sound", "pieces of sound"),
    ]
    return "\n".join([line for line in lines if not line.startswith("0 ")] + [wording.size(status.size_bytes)])
