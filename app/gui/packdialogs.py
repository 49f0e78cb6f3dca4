"""The dialogs about packs: what goes into one, what would be taken in from one, and what came of it."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QFontDatabase, QGuiApplication
from PySide6.QtWidgets import QCheckBox, QFrame, QLabel, QLineEdit, QPushButton, QScrollArea, QWidget

from app.engine.modeltypes import ModelStatus, OfferedModel, PackContents, PackReport
from app.gui import theme, wording
from app.gui.facts import Facts
from app.gui.modeldialogs import WIDTH_PX, ModelDialog

PACK_SUFFIX = ".semblance-pack"
CONTENTS_MOST_PX = 260


class ExportDialog(ModelDialog):
    """Which models go into a pack. Signal: ``agreed`` with their keys."""

    agreed = Signal(object)

    def __init__(self, models: Sequence[ModelStatus], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.begin(
            self.tr("Export a pack"),
            self.tr(
                "One file with everything that these models need, for a computer without network. Their licences go "
                "with them."
            ),
        )
        self._boxes = {model.key: QCheckBox(_with_size(model)) for model in models}
        self._export = QPushButton(self.tr("Choose where…"))
        theme.set_role(self._export, "primary")
        self._export.clicked.connect(self._agree)
        for box in self._boxes.values():
            box.setChecked(True)
            box.toggled.connect(self._show_can)
            self.column.addWidget(box)
        if not models:
            self.column.addWidget(theme.label(self.tr("No model is installed yet that could go into a pack.")))
        self.finish(self.cancel_button(self.tr("Cancel")), self._export)
        self._show_can()

    def _show_can(self) -> None:
        self._export.setEnabled(any(box.isChecked() for box in self._boxes.values()))

    def _agree(self) -> None:
        self.agreed.emit(tuple(key for key, box in self._boxes.items() if box.isChecked()))
        self.accept()


class ImportDialog(ModelDialog):
    """What would be taken in. Signal: ``agreed`` with whether models that are here with other files give way, and the
    checksum that the pack is to have, "" for any."""

    agreed = Signal(bool, str)

    def __init__(self, pack: PackContents, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._pack = pack
        self.begin(
            self.tr("Take in this pack?"),
            self.tr("{0}, {1}. Nothing is taken in before all of it is found right.").format(
                pack.path, wording.size(pack.size_bytes)
            ),
        )
        self.column.addWidget(_scrolling(Facts((model.name, self._said(model)) for model in pack.models)))
        self._replace = QCheckBox(self.tr("Replace models that are here with other files"))
        self._replace.setVisible(any(model.replaces for model in pack.models))
        self._checksum = QLineEdit()
        self._checksum.setPlaceholderText(self.tr("Not compared"))
        self._compared = theme.label("")
        self._import = QPushButton(self.tr("Take in"))
        theme.set_role(self._import, "primary")
        self._replace.toggled.connect(self._show_can)
        self._checksum.textChanged.connect(self._show_can)
        self._import.clicked.connect(self._agree)
        self.column.addWidget(self._replace)
        label = QLabel(self.tr("&Checksum (SHA-256) that its sender told you, if any"))
        label.setBuddy(self._checksum)
        for widget in (label, self._checksum, self._compared):
            self.column.addWidget(widget)
        self.finish(self.cancel_button(self.tr("Cancel")), self._import)
        self._show_can()

    def _said(self, model: OfferedModel) -> str:
        licence = ": ".join(words for words in (model.licence, model.licence_note) if words)
        here = self.tr("Here already, the same to the byte.") if model.present else ""
        other = self.tr("Here with other files, which would be replaced.") if model.replaces else ""
        return "\n".join(words for words in (wording.size(model.size_bytes), licence, here, other) if words)

    def _show_can(self) -> None:
        expected = self._expected()
        is_it = expected in ("", self._pack.sha256)
        right = self.tr("This is that very pack.") if expected else ""
        wrong = self.tr("This is another pack, or one that was changed: its checksum is {0}.")
        self._compared.setText(right if is_it else wrong.format(self._pack.sha256))
        self._compared.setVisible(bool(expected))
        theme.set_role(self._compared, "good" if is_it else "bad")
        replaced = self._replace.isChecked() or not any(model.replaces for model in self._pack.models)
        self._import.setEnabled(is_it and replaced)
        self.resize(self.width(), max(self.height(), self.column.totalHeightForWidth(self.width())))

    def _expected(self) -> str:
        return self._checksum.text().strip().lower()

    def _agree(self) -> None:
        self.agreed.emit(self._replace.isChecked(), self._expected())
        self.accept()


class PackDialog(ModelDialog):
    """What a pack holds, in words, and its checksum, to be compared by eye or copied. ``written``: here, for
    others; else it came from them."""

    def __init__(
        self, title: str, report: PackReport, words: str, written: bool, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.begin(title, report.path)
        self._sha256 = report.sha256
        self.column.addWidget(theme.label(words))
        to_compare = self.tr("SHA-256 of its list of contents, to compare with what its sender tells you:")
        to_tell = self.tr(
            "SHA-256 of its list of contents. Tell it to whoever takes the pack in, by another way than the pack goes, "
            "so that it can be compared:"
        )
        self.column.addWidget(theme.label(to_tell if written else to_compare, theme.Type.CAPTION))
        checksum = QLineEdit(report.sha256)
        checksum.setReadOnly(True)
        checksum.setAccessibleName(self.tr("SHA-256 of the pack"))
        checksum.setFont(QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont))
        self.column.addWidget(checksum)
        copy = QPushButton(self.tr("Copy the checksum"))
        copy.clicked.connect(self._copy)
        self.finish(copy, self.cancel_button(self.tr("Close")))

    def _copy(self) -> None:
        QGuiApplication.clipboard().setText(self._sha256)


def _with_size(model: ModelStatus) -> str:
    size = sum(file.size_bytes for file in model.installation.files) if model.installation else model.download_bytes
    return f"{model.name}, {wording.size(size)}" if size else model.name


def _scrolling(content: QWidget) -> QScrollArea:
    """As high as its content, up to a limit: a pack can hold many models."""
    made = QScrollArea()
    made.setWidgetResizable(True)
    made.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    made.setFrameShape(QFrame.Shape.NoFrame)
    made.setWidget(content)
    made.setFixedHeight(min(content.heightForWidth(WIDTH_PX - 2 * theme.HUGE_PX), CONTENTS_MOST_PX))
    return made
