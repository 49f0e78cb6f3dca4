"""One model on the page of models: what it is for, how it stands, all its facts on demand, and what can be done."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QMenu, QPushButton, QVBoxLayout, QWidget

from app.engine.modeltypes import ModelStatus
from app.gui import desktop, focus, icons, modelwords, theme
from app.gui.facts import Facts
from app.gui.jobline import JobLine
from app.gui.modeluse import ModelUse


class ModelCard(QFrame):
    """Signals, each with the model's key: ``install_wanted``, ``cancel_wanted``, ``check_wanted``,
    ``remove_wanted``."""

    install_wanted = Signal(str)
    cancel_wanted = Signal(str)
    check_wanted = Signal(str)
    remove_wanted = Signal(str)

    def __init__(self, model: ModelStatus, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.key = model.key
        self.model = model
        self._busy = False
        self.use = ModelUse(model)
        self.job = JobLine()
        self.job.cancel_wanted.connect(self._cancel)
        self.job.changed.connect(self._show_state)
        self._name = theme.label(model.name, theme.Type.HEADING)
        self._state = theme.label("", theme.Type.CAPTION)
        self._summary = theme.label(model.summary)
        self._caption = theme.label("", theme.Type.CAPTION)
        self._caption.setWordWrap(True)
        self._problem = theme.label("")
        self._problem.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._folder = _link("folder", self.tr("Open that folder"))
        self._install = QPushButton(self.tr("Install…"))
        self._details = _link("", self.tr("All facts"))
        self._details.setCheckable(True)
        self._more = QPushButton(self.tr("Files"))
        self._facts = Facts()
        self._variants = QVBoxLayout()
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._connect()
        self._compose()
        self.set_model(model)

    def set_model(self, model: ModelStatus) -> None:
        """Show how it stands now; the question about its vectors and the focus stay."""
        self.model = model
        self._name.setText(model.name)
        self._summary.setText(model.summary)
        self._caption.setText(modelwords.caption(model))
        by_hand = not model.ready and not model.source
        self._problem.setText(model.problem)
        self._problem.setVisible(bool(model.problem) and (model.damaged or by_hand))
        self._folder.setVisible(bool(model.folder) and self._problem.isVisibleTo(self))
        self._folder.setToolTip(model.folder)
        self._show_state()
        self._install.setText(self._install_words())
        self._install.setAccessibleName(self.tr("Install {0}").format(model.name))
        self._more.setVisible(modelwords.has_files(model))
        self.use.set_ready(model.ready)
        if self._details.isChecked():
            self._show_details(True)

    def add_variant(self, variant: ModelVariant) -> None:
        self._variants.addWidget(variant)

    def set_busy(self, busy: bool) -> None:
        """While its files are changed, nothing else is to be done with them."""
        self._busy = busy
        self._more.setEnabled(not busy)
        self._show_state()

    def open(self) -> None:
        """Show all the facts, and take the focus there."""
        self._details.setChecked(True)
        self._details.setFocus()

    # --- composition -------------------------------------------------------------------------------------------------

    def _compose(self) -> None:
        theme.set_role(self, "card")
        top = QHBoxLayout()
        top.addWidget(self._name, 1)
        top.addWidget(self._state, 0, Qt.AlignmentFlag.AlignTop)
        self.use.add_beside(self._install, self._more, self._details)
        self._variants.setContentsMargins(theme.HUGE_PX, 0, 0, 0)
        self._variants.setSpacing(theme.TINY_PX)
        self._column = column = QVBoxLayout(self)
        column.setContentsMargins(theme.LARGE_PX, theme.MEDIUM_PX, theme.LARGE_PX, theme.MEDIUM_PX)
        column.setSpacing(theme.SMALL_PX)
        column.addLayout(top)
        for label in (self._summary, self._caption, self._problem):
            column.addWidget(label)
        column.addWidget(self._folder, 0, Qt.AlignmentFlag.AlignLeft)
        column.addWidget(self.job)
        column.addWidget(self.use)
        column.addWidget(self._facts)
        column.addLayout(self._variants)
        self._facts.hide()

    def _connect(self) -> None:
        self.use.toggled.connect(self.job.put_away_end)
        self._install.clicked.connect(self._install_clicked)
        self._folder.clicked.connect(self._open_folder)
        self._details.toggled.connect(self._show_details)
        self._details.setAccessibleName(self.tr("All facts about {0}").format(self.model.name))
        menu = QMenu(self._more)
        menu.addAction(icons.icon("check"), self.tr("Check its files"), self._check_clicked)
        menu.addAction(icons.icon("folder"), self.tr("Open its folder"), self._open_folder)
        menu.addSeparator()
        menu.addAction(icons.icon("cross"), self.tr("Remove its files…"), self._remove_clicked)
        self._more.setMenu(menu)
        self._more.setAccessibleName(self.tr("Files of {0}").format(self.model.name))
        theme.set_role(self._more, "menu")

    def _show_state(self) -> None:
        """How it stands, and whether it is to be installed: not while its line tells of that or offers it."""
        words, role = modelwords.state(self.model, self._busy)
        self._state.setText(words)
        if self._state.property("role") != role:
            theme.set_role(self._state, role)
        self.setAccessibleName(f"{self.model.name}, {words}. {self.model.summary}")
        lacking = bool(self.model.source) and not self.model.ready
        self._install.setVisible(lacking and not self._busy and not self.job.offers_again)

    def _install_words(self) -> str:
        if self.model.damaged:
            return self.tr("Install again…")
        return self.tr("Go on…") if self.model.partial_bytes else self.tr("Install…")

    def _show_details(self, shown: bool) -> None:
        """The facts are made when somebody wants to see them."""
        if shown:
            before, self._facts = self._facts, _facts(self.model)
            self._column.replaceWidget(before, self._facts)
            before.deleteLater()
            focus.lead(self._details, (self._facts,))
        self._facts.setVisible(shown)

    # --- what a person does ------------------------------------------------------------------------------------------

    def _install_clicked(self) -> None:
        self.install_wanted.emit(self.key)

    def _check_clicked(self) -> None:
        self.check_wanted.emit(self.key)

    def _remove_clicked(self) -> None:
        self.remove_wanted.emit(self.key)

    def _cancel(self) -> None:
        self.cancel_wanted.emit(self.key)

    def _open_folder(self) -> None:
        if not desktop.open_file(self.model.folder):  # it is not made yet: show where it goes
            desktop.show_in_folder(self.model.folder)


class ModelVariant(QWidget):
    """A faster variant of a model, which runs on the same files: offered below it, and never ticked by itself."""

    def __init__(self, model: ModelStatus, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.use = ModelUse(model)
        self._name = theme.label("")
        self._words = theme.label("", theme.Type.CAPTION)
        self._words.setWordWrap(True)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(theme.TINY_PX)
        for widget in (self._name, self._words, self.use):
            column.addWidget(widget)

    def set_model(self, model: ModelStatus, base_ready: bool) -> None:
        """Say why it cannot run where its base can; else the base says what is missing."""
        self._name.setText(model.name)
        self._words.setText(model.problem if base_ready and model.problem else model.summary)
        self.use.set_ready(model.ready)


def _facts(model: ModelStatus) -> Facts:
    made = Facts(modelwords.facts(model))
    if model.paper:
        paper = _link("", model.paper)
        paper.setToolTip(made.tr("Open the paper in your browser"))
        paper.setAccessibleName(made.tr("Open the paper about {0} in your browser").format(model.name))
        paper.clicked.connect(lambda: desktop.open_address(model.paper))
        made.add(made.tr("Paper"), paper, fills=False)
    return made


def _link(icon: str, words: str) -> QPushButton:
    button = QPushButton(icons.icon(icon), words) if icon else QPushButton(words)
    theme.set_role(button, "link")
    return button
