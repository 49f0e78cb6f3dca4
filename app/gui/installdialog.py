"""What a person agrees to before a model's files are fetched."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QLineEdit, QPushButton, QVBoxLayout, QWidget

from app.engine.errors import AppError
from app.engine.modeltypes import InstallPlan
from app.gui import modelwords, theme, wording
from app.gui.facts import Facts
from app.gui.passingdialog import PassingDialog

WIDTH_PX = 600

NOT_FIXED = "Not fixed: what the hub holds now is fetched, and its commit is noted"
Ask = Callable[[str, Callable[[InstallPlan], None], Callable[[AppError], None]], None]


class InstallDialog(PassingDialog):
    """Does not block the window; deletes itself when it closes. Nothing is fetched before the button is pressed.

    Signal: ``agreed`` with the mirror's address, "" for the model's own source.

    Args:
        name: the model's.
        ask: called with a mirror's address, and with what to do with the plan or with why there is none.
        variant: the name of the one that is wanted, which runs on the files of this model.
    """

    agreed = Signal(str)

    def __init__(self, name: str, ask: Ask, parent: QWidget | None = None, variant: str = "") -> None:
        super().__init__(parent)
        self._ask = ask
        self._asked = 0
        self.setWindowTitle(self.tr("Install {0}").format(name))
        self.setMinimumWidth(WIDTH_PX)
        self._facts = Facts(((self.tr("Looking up what would be fetched…"), ""),))
        self._warning = theme.label("")
        self._error = theme.label("")
        self._mirror = QLineEdit()
        self._mirror_row = QWidget()
        self._use_mirror = QPushButton(self.tr("Fetch from another address…"))
        self._install = QPushButton(self.tr("Install"))
        self._cancel = QPushButton(self.tr("Cancel"))
        self._compose(name, variant)
        self._mirror.textEdited.connect(self._mirror_edited)
        self._mirror.editingFinished.connect(self._ask_again)
        self._install.clicked.connect(self._agree)
        self._cancel.clicked.connect(self.reject)
        self._cancel.setFocus()
        self._ask_plan()

    @property
    def text(self) -> str:
        """All that is said now."""
        return "\n".join(label.text() for label in self.findChildren(QLabel) if not label.isHidden() and label.text())

    @property
    def mirror(self) -> str:
        return self._mirror.text().strip()

    # --- composition -------------------------------------------------------------------------------------------------

    def _compose(self, name: str, variant: str) -> None:
        theme.set_role(self._use_mirror, "link")
        self._use_mirror.setToolTip(self.tr("For example a mirror in your own network"))
        self._use_mirror.clicked.connect(self._show_mirror)
        self._mirror.setPlaceholderText("https://…")
        label = QLabel(self.tr("&Address of the mirror"))
        label.setBuddy(self._mirror)
        row = QHBoxLayout(self._mirror_row)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(label)
        row.addWidget(self._mirror, 1)
        self._mirror_row.hide()
        for text, role in ((self._warning, "warning"), (self._error, "bad")):
            theme.set_role(text, role)
            text.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
            text.hide()
        theme.set_role(self._install, "primary")
        buttons = QHBoxLayout()
        buttons.addStretch()
        for button in (self._cancel, self._install):
            button.setAutoDefault(False)  # Enter in the field of the address agrees to nothing
            buttons.addWidget(button)
        self._use_mirror.setAutoDefault(False)
        promise = theme.label(
            self.tr(
                "These files are downloaded once, checked, and put into that folder. Nothing else is ever fetched, and "
                "none of your files is sent anywhere."
            )
        )
        self._column = column = QVBoxLayout(self)
        column.setContentsMargins(theme.HUGE_PX, theme.LARGE_PX, theme.HUGE_PX, theme.LARGE_PX)
        column.setSpacing(theme.MEDIUM_PX)
        column.addWidget(theme.label(self.tr("Install {0}?").format(name), theme.Type.TITLE))
        if variant:
            shared = self.tr("{0} runs on the files of {1}: installed once, they serve both.").format(variant, name)
            column.addWidget(theme.label(shared))
        column.addWidget(self._facts)
        column.addWidget(self._warning)
        column.addWidget(promise)
        column.addWidget(self._use_mirror, 0, Qt.AlignmentFlag.AlignLeft)
        for widget in (self._mirror_row, self._error):
            column.addWidget(widget)
        column.addStretch()
        column.addLayout(buttons)

    # --- the plan ----------------------------------------------------------------------------------------------------

    def _ask_plan(self) -> None:
        """Ask what would be fetched; only the latest answer counts."""
        self._asked += 1
        asked = self._asked
        self._install.setEnabled(False)
        self._error.hide()

        def show(plan: InstallPlan) -> None:
            if asked == self._asked and not self._closed:
                self._show_plan(plan)

        def refuse(error: AppError) -> None:
            if asked == self._asked and not self._closed:
                self._show_error(error)

        self._asked_mirror = self.mirror
        self._ask(self.mirror, show, refuse)

    def _show_plan(self, plan: InstallPlan) -> None:
        before, self._facts = self._facts, Facts(_rows(plan))
        self._column.replaceWidget(before, self._facts)
        self._facts.show()  # now, so that its height counts
        before.hide()
        before.deleteLater()
        missing_bytes = (plan.download_bytes or 0) - plan.present_bytes - plan.free_bytes
        full = self.tr("The disk has too little room: free {0} first.").format(wording.size(missing_bytes))
        at_work = self.tr("Its licence does not allow use at work.") if plan.commercial is False else ""
        self._warning.setText(full if missing_bytes > 0 else at_work)
        self._warning.setVisible(bool(self._warning.text()))
        self._install.setEnabled(missing_bytes <= 0)
        self._install.setText(self.tr("Go on") if plan.present_bytes else self.tr("Install"))
        self._fit()

    def _show_error(self, error: AppError) -> None:
        self._error.setText(f"{error.title}. {error.message}")
        self._error.show()
        self._fit()

    def _agree(self) -> None:
        if self.mirror != self._asked_mirror:  # typed, and the plan for it not seen yet
            self._ask_plan()
            return
        self.agreed.emit(self.mirror)
        self.accept()

    # --- the mirror --------------------------------------------------------------------------------------------------

    def _show_mirror(self) -> None:
        self._use_mirror.hide()
        self._mirror_row.show()
        self._mirror.setFocus()
        self._fit()

    def _mirror_edited(self) -> None:
        """What was shown is not what would be fetched: no agreeing until the plan is asked for again."""
        self._install.setEnabled(self.mirror == self._asked_mirror)

    def _ask_again(self) -> None:
        if self.mirror != self._asked_mirror:
            self._ask_plan()

    def _fit(self) -> None:
        """Grow where the words need more lines: a dialog does not do so by itself for lines that wrap."""
        self._column.activate()
        self.resize(self.width(), max(self.height(), self._column.totalHeightForWidth(self.width())))


def _rows(plan: InstallPlan) -> list[tuple[str, str]]:
    size = wording.size(plan.download_bytes) if plan.download_bytes else "Not known before it begins"
    if plan.present_bytes:
        size += f", of which {wording.size(plan.present_bytes)} are here already"
    said = [
        ("From", plan.source),
        ("Address", plan.address),
        *([] if plan.fixed else [("Commit", NOT_FIXED)]),
        ("Files", ", ".join(plan.files)),
        ("Download", size),
        ("Room on the disk", wording.size(plan.free_bytes)),
        ("Folder", plan.folder),
        ("Licence", ": ".join(word for word in (plan.licence, plan.licence_note) if word)),
        ("At work", modelwords.at_work(plan.commercial) if plan.commercial is not False else ""),  # a warning says it
    ]
    return [(name, value) for name, value in said if value]
