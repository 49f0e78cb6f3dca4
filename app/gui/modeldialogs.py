"""The smaller dialogs about models: adding one's own, and removing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QComboBox,
    QDialog,
    QFileDialog,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from app.engine.errors import AppError, WeightsUnreadable
from app.engine.modeltypes import AddRequest, ModelStatus
from app.gui import theme, wording

WIDTH_PX = 560
WEIGHTS_SUFFIXES = (".safetensors", ".pt", ".pth", ".bin")
WEIGHTS_NAMES = ("open_clip_model", "open_clip_pytorch_model", "model", "pytorch_model")
CONFIG_NAMES = {"open_clip_config.json", "config.json"}
BESIDE_WEIGHTS = (".json", ".txt", ".md", ".model", ".yaml", "LICENSE", "LICENCE", "NOTICE")
FAMILIES = (("", "Find out"), ("open_clip", "open_clip"), ("timm", "timm"), ("panns", "PANNs"))


class ModelDialog(QDialog):
    """Does not block the window; deletes itself when it closes. A column of widgets above a row of buttons, the last
    of which is the one that does it."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setMinimumWidth(WIDTH_PX)
        self.column = QVBoxLayout(self)
        self.column.setContentsMargins(theme.HUGE_PX, theme.LARGE_PX, theme.HUGE_PX, theme.LARGE_PX)
        self.column.setSpacing(theme.MEDIUM_PX)

    def begin(self, title: str, sentence: str) -> None:
        """Put the title and a sentence above."""
        self.setWindowTitle(title)
        self.column.addWidget(theme.label(title, theme.Type.HEADING))
        words = theme.label(sentence)
        words.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.column.addWidget(words)

    def finish(self, *buttons: QPushButton) -> None:
        """Put the buttons below, and fit the height to the words."""
        row = QHBoxLayout()
        row.addStretch()
        for button in buttons:
            button.setAutoDefault(False)
            row.addWidget(button)
        self.column.addStretch()
        self.column.addLayout(row)
        self.resize(WIDTH_PX, self.column.totalHeightForWidth(WIDTH_PX))

    def cancel_button(self, words: str) -> QPushButton:
        button = QPushButton(words)
        button.clicked.connect(self.reject)
        return button


class AddDialog(ModelDialog):
    """A model of one's own. Signal: ``agreed`` with an `AddRequest`.

    Args:
        request: what to begin with.
        error: why the engine could not take it as it was; then there are fields to say what it is, unless nothing at
            all can be read from the file.
    """

    agreed = Signal(object)

    def __init__(self, request: AddRequest, error: AppError | None = None, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.begin(
            self.tr("Add a model of your own"),
            self.tr(
                "A weights file, or a folder in open_clip's layout. It is looked into before it is used, and no "
                "program inside it is run. Its files are copied, so the original may go away."
            ),
        )
        self._request = request
        self._path = QLineEdit(request.path)
        self._path.setAccessibleName(self.tr("File or folder of the model"))
        self._family = QComboBox()
        self._family.setAccessibleName(self.tr("Family"))
        for key, words in FAMILIES:
            self._family.addItem(words, key)
        self._family.setCurrentIndex(max(0, self._family.findData(request.family)))
        self._fields = {name: QLineEdit(getattr(request, name)) for name in ("architecture", "name", "licence")}
        self._add = QPushButton(self.tr("Add"))
        theme.set_role(self._add, "primary")
        self._add.clicked.connect(self._agree)
        self._path.textChanged.connect(self._show_can)
        self._compose(error)
        self._show_can()

    def request(self) -> AddRequest:
        """What the fields say now."""
        said = {name: field.text().strip() for name, field in self._fields.items()}
        return replace(self._request, path=self._path.text().strip(), family=self._family.currentData(), **said)

    def _compose(self, error: AppError | None) -> None:
        choose = QHBoxLayout()
        choose.addWidget(self._path, 1)
        for words, slot in ((self.tr("File…"), self._choose_file), (self.tr("Folder…"), self._choose_folder)):
            button = QPushButton(words)
            button.setAutoDefault(False)
            button.clicked.connect(slot)
            choose.addWidget(button)
        self.column.addLayout(choose)
        if error:
            why = theme.label(f"{error.title}. {error.message}")
            theme.set_role(why, "bad")
            self.column.addWidget(why)
            if not isinstance(error, WeightsUnreadable):
                self.column.addLayout(self._compose_fields())
        self.finish(self.cancel_button(self.tr("Cancel")), self._add)

    def _compose_fields(self) -> QGridLayout:
        grid = QGridLayout()
        grid.setHorizontalSpacing(theme.LARGE_PX)
        grid.setVerticalSpacing(theme.SMALL_PX)
        self._fields["architecture"].setPlaceholderText("ViT-B-32, resnet18, Cnn14…")
        named = (
            (self.tr("&Family"), self._family),
            (self.tr("A&rchitecture"), self._fields["architecture"]),
            (self.tr("&Name"), self._fields["name"]),
            (self.tr("&Licence"), self._fields["licence"]),
        )
        for row, (name, field) in enumerate(named):
            label = QLabel(name)
            label.setBuddy(field)
            grid.addWidget(label, row, 0)
            grid.addWidget(field, row, 1)
        return grid

    def _choose_file(self) -> None:
        kinds = " ".join(f"*{suffix}" for suffix in WEIGHTS_SUFFIXES)
        path, _kind = QFileDialog.getOpenFileName(
            self,
            self.tr("Choose a weights file"),
            self._path.text(),
            self.tr("Weights ({0});;All files (*)").format(kinds),
        )
        if path:
            self._path.setText(path)

    def _choose_folder(self) -> None:
        if path := QFileDialog.getExistingDirectory(self, self.tr("Choose a model's folder"), self._path.text()):
            self._path.setText(path)

    def _show_can(self) -> None:
        self._add.setEnabled(bool(self._path.text().strip()))

    def _agree(self) -> None:
        self.agreed.emit(self.request())
        self.accept()


class RemoveDialog(ModelDialog):
    """Whether a model's files are to go. Signal: ``agreed``."""

    agreed = Signal()

    def __init__(self, model: ModelStatus, again: bool, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        size = sum(file.size_bytes for file in model.installation.files) if model.installation else 0
        sentences = (
            self.tr("About {0} are freed.").format(wording.size(size)) if size else "",
            self.tr("What it has encoded stays in your libraries, but cannot be searched until it is here again."),
            self.tr("It can be installed again.")
            if again
            else self.tr("It was added by hand, so it can only come back the same way."),
        )
        title = self.tr("Remove the files of {0}?").format(model.name)
        self.begin(title, " ".join(words for words in sentences if words))
        remove = QPushButton(self.tr("Remove its files"))
        remove.clicked.connect(self._agree)
        keep = self.cancel_button(self.tr("Keep them"))
        self.finish(remove, keep)
        keep.setFocus()

    def _agree(self) -> None:
        self.agreed.emit()
        self.accept()


def model_in(paths: Sequence[str]) -> str:
    """The one path that looks like a model, by its name or by what is in its folder; else ""."""
    if len(paths) != 1:
        return ""
    path = Path(paths[0])
    try:
        is_model = _is_model_folder(path) if path.is_dir() else path.name.endswith(WEIGHTS_SUFFIXES)
    except OSError:
        return ""
    return str(path) if is_model else ""


def _is_model_folder(folder: Path) -> bool:
    """Weights under a name that tools give them, or beside a config; or nothing but what comes with a model. A stray
    file of weights among a person's own files makes no model of them."""
    names = {path.name + "/" * path.is_dir() for path in folder.iterdir() if not path.name.startswith(".")}
    weights = {name for name in names if name.endswith(WEIGHTS_SUFFIXES)}
    known = bool(names & CONFIG_NAMES) or any(name.rpartition(".")[0] in WEIGHTS_NAMES for name in weights)
    return bool(weights) and (known or all(name.endswith(BESIDE_WEIGHTS) for name in names - weights))
