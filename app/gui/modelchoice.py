"""The guided choice: what a person wants from a model, and the few that fit, best first, with the reasons."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from app.engine.librarytypes import LibraryStatus
from app.engine.modeltypes import Advice, ModelStatus, Origin, Recommendation
from app.gui import focus, theme, wording
from app.gui.flow import FlowLayout
from app.gui.modelneeds import NeedsForm

SHOWN_MAX = 5
MEASURING_S, MEASURING_ONE_S = 6, 3
"""About how long the measuring takes: in any case, and for every model that is ready."""


class ModelChoice(QFrame):
    """Signals: ``changed`` with the `Needs` to ask advice for; ``install_wanted``, ``use_wanted`` and ``shown`` with
    a model's key; ``measure_wanted`` with the keys to time; ``compare_wanted``."""

    changed = Signal(object)
    install_wanted = Signal(str)
    use_wanted = Signal(str)
    shown = Signal(str)
    measure_wanted = Signal(object)
    compare_wanted = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._models: dict[str, ModelStatus] = {}
        self._used: frozenset[str] = frozenset()
        self._library_open = False
        self._advice: Advice | None = None
        self._shown: dict[str, Answer] = {}
        self._measuring = self._outdated = False
        self.form = NeedsForm()
        self.form.changed.connect(self._needs_changed)
        self._said = theme.label("")
        self._answers = QVBoxLayout()
        self._answers.setSpacing(theme.MEDIUM_PX)
        self._why_not = QPushButton(self.tr("Why not the others?"))
        self._why_not.setCheckable(True)
        theme.set_role(self._why_not, "link")
        self._others = theme.label("")
        self._also = theme.label("", theme.Type.CAPTION)
        self._times = theme.label("", theme.Type.CAPTION)
        for words in (self._also, self._times):
            words.setWordWrap(True)
        self._measure = QPushButton()
        self._compare = QPushButton(self.tr("Compare on my own data"))
        self._compare.setToolTip(self.tr("The Evaluate page: judge a few results, and read which model finds best"))
        self._compose()
        self._show()

    # --- what is told ------------------------------------------------------------------------------------------------

    def set_models(self, models: Sequence[ModelStatus]) -> None:
        self._models = {model.key: model for model in models}
        self._show()

    def set_library(self, status: LibraryStatus) -> None:
        used = frozenset(status.models)
        if not self._library_open or used != self._used:
            self._library_open, self._used = True, used
            self._show()

    def set_advice(self, advice: Advice) -> None:
        self._advice = advice
        self._outdated = False
        self._show()

    def show_problem(self, sentence: str) -> None:
        """There is no advice, and this is why."""
        self._advice = None
        self._outdated = False
        self._show()
        self._said.setText(sentence)

    def set_measuring(self, measuring: bool) -> None:
        self._measuring = measuring
        self._show_measure()

    @property
    def answers(self) -> tuple[str, ...]:
        """The keys of the models shown, best first."""
        return tuple(self._shown)

    # --- composition -------------------------------------------------------------------------------------------------

    def _compose(self) -> None:
        theme.set_role(self, "card")
        line = QFrame()
        theme.set_role(line, "line")
        line.setFixedHeight(1)
        self._others.hide()
        self._why_not.toggled.connect(self._others.setVisible)
        self._measure.clicked.connect(self._measure_clicked)
        self._compare.clicked.connect(self.compare_wanted)
        speed = QHBoxLayout()
        speed.setSpacing(theme.MEDIUM_PX)
        speed.addWidget(self._measure)
        speed.addWidget(self._times, 1)
        foot = FlowLayout()
        for button in (self._compare, self._why_not):
            foot.addWidget(button)
        column = QVBoxLayout(self)
        column.setContentsMargins(theme.LARGE_PX, theme.LARGE_PX, theme.LARGE_PX, theme.LARGE_PX)
        column.setSpacing(theme.MEDIUM_PX)
        column.addWidget(theme.label(self.tr("Which model suits me?"), theme.Type.HEADING))
        column.addWidget(self.form)
        column.addWidget(line)
        column.addLayout(speed)
        column.addWidget(self._said)
        column.addLayout(self._answers)
        column.addWidget(self._also)
        column.addLayout(foot)
        column.addWidget(self._others)

    def _show(self) -> None:
        """Show the advice for how things stand now. An answer that stays keeps its place under the mouse and the
        focus: advice comes again every few seconds while a library grows."""
        best = [one for one in self._best if one.key in self._models]
        before, self._shown = self._shown, {}
        for number, one in enumerate(best, start=1):
            answer = self._shown[one.key] = before.pop(one.key) if one.key in before else self._make_answer(one.key)
            self._answers.insertWidget(number - 1, answer)
            answer.setEnabled(not self._outdated)
            answer.show_advice(number, one, self._models[one.key])
            answer.show_use(self._library_open, one.key in self._used, self._installable(one.key))
        for answer in before.values():
            answer.hide()
            self._answers.removeWidget(answer)
            answer.deleteLater()
        focus.lead(self.form.last, self._shown.values())
        self._said.setText(self._sentence(best))
        self._said.setVisible(bool(self._said.text()))
        self._times.setText(_about_times(self._advice.device, best) if self._advice and best else "")
        self._show_others()
        self._show_measure()

    @property
    def _best(self) -> tuple[Recommendation, ...]:
        """The first few of those that fit, and those further down that are here already or in use."""
        best = self._advice.best if self._advice else ()
        return tuple(one for place, one in enumerate(best) if place < SHOWN_MAX or self._is_here(one.key))

    def _is_here(self, key: str) -> bool:
        model = self._models.get(key)
        return key in self._used or bool(model and model.ready and model.origin is not Origin.BUILT_IN)

    def _installable(self, key: str) -> bool:
        """Whether its files, or those of its base, can be fetched."""
        model = self._models[key]
        base = self._models.get(model.variant_of)
        return bool(base.source and not base.ready if base else model.source)

    def _make_answer(self, key: str) -> Answer:
        answer = Answer(key)
        answer.install_wanted.connect(self.install_wanted)
        answer.use_wanted.connect(self.use_wanted)
        answer.shown.connect(self.shown)
        return answer

    def _sentence(self, best: Sequence[Recommendation]) -> str:
        if self._advice is None:
            return self.tr("Looking for what fits…")
        if not best:
            return self.tr("No model does all of that. Ask for less, or add a model of your own below.")
        return " ".join(self._advice.notes)

    def _show_others(self) -> None:
        """Name what fits too, and tell of what does not."""
        more = [
            self._models[one.key].name for one in (self._advice.best if self._advice else ()) if self._is_left(one.key)
        ]
        self._also.setText(self.tr("Also fits: {0}").format(", ".join(more)))
        self._also.setVisible(bool(more))
        others = self._advice.others if self._advice else ()
        lines = [f"{self._models[one.key].name}: {' '.join(one.cautions)}" for one in others if one.key in self._models]
        self._others.setText("\n".join(lines))
        self._why_not.setVisible(bool(lines))
        self._others.setVisible(bool(lines) and self._why_not.isChecked())

    def _is_left(self, key: str) -> bool:
        return key in self._models and key not in self._shown

    # --- measuring ---------------------------------------------------------------------------------------------------

    def _measurable(self) -> tuple[str, ...]:
        """The models that can run here and take what is searched; the times of the others are reckoned from theirs."""
        kinds = self.form.needs().kinds
        return tuple(model.key for model in self._models.values() if model.ready and model.accepts & kinds)

    def _show_measure(self) -> None:
        best = self._best
        seconds = MEASURING_S + MEASURING_ONE_S * len(self._measurable())
        known = _is_measured(best)
        words = self.tr("Measure again (about {0} s)") if known else self.tr("Measure this machine (about {0} s)")
        self._measure.setText(self.tr("Measuring this machine…") if self._measuring else words.format(seconds))
        self._measure.setToolTip(
            self.tr("Time the models that are ready here, so that the other times can be reckoned from them")
        )
        self._measure.setEnabled(not self._measuring)
        self._measure.setVisible(self._measuring or bool(best))

    def _measure_clicked(self) -> None:
        self.measure_wanted.emit(self._measurable())

    def _needs_changed(self) -> None:
        """What is shown is for other needs: it stays in its place, and waits for the new answer."""
        self._outdated = True
        self._show()
        self.changed.emit(self.form.needs())


class Answer(QWidget):
    """One model that fits, and the one thing to do with it next. Signals with its key: ``install_wanted``,
    ``use_wanted``; ``shown`` to see all its facts."""

    install_wanted = Signal(str)
    use_wanted = Signal(str)
    shown = Signal(str)

    def __init__(self, key: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.key = key
        self._model: ModelStatus | None = None
        self._installable = False
        self._name = theme.label("", theme.Type.HEADING)
        self._reasons = theme.label("")
        self._cautions = theme.label("")
        theme.set_role(self._cautions, "warning")
        self._costs = theme.label("", theme.Type.CAPTION)
        self._costs.setWordWrap(True)
        self._in_use = QLabel(self.tr("In use"))
        theme.set_role(self._in_use, "good")
        self._facts = QPushButton(self.tr("All facts"))
        theme.set_role(self._facts, "link")
        self._action = QPushButton()
        self._facts.clicked.connect(self._show_facts)
        self._action.clicked.connect(self._act)
        top = QHBoxLayout()
        top.setSpacing(theme.SMALL_PX)
        top.addWidget(self._name, 1)
        for widget in (self._facts, self._in_use, self._action):
            top.addWidget(widget)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(theme.TINY_PX)
        column.addLayout(top)
        for widget in (self._reasons, self._cautions, self._costs):
            column.addWidget(widget)

    def show_advice(self, number: int, one: Recommendation, model: ModelStatus) -> None:
        self._model = model
        reasons = " ".join(one.reasons) or model.summary
        self._name.setText(f"{number}. {model.name}")
        self._reasons.setText(reasons)
        self._cautions.setText(" ".join(one.cautions))
        self._cautions.setVisible(bool(one.cautions))
        self._costs.setText(" · ".join(_costs(one, model)))
        self._facts.setAccessibleName(self.tr("All facts about {0}").format(model.name))
        theme.set_role(self._action, "primary" if number == 1 else "")
        self.setAccessibleName(f"{number}. {model.name}. {reasons}")

    def show_use(self, library_open: bool, used: bool, installable: bool) -> None:
        """Offer what comes next for the model as it stands."""
        model = self._model
        if model is None:
            return
        self._installable = installable
        if model.ready:
            words = self.tr("Use in this library")
        else:
            words = self.tr("Install…") if installable else self.tr("See what is missing")
        self._action.setText(words)
        self._action.setAccessibleName(f"{words}: {model.name}")
        self._action.setEnabled(library_open or not model.ready)
        self._action.setVisible(not used)
        self._in_use.setVisible(used)

    def _act(self) -> None:
        if self._model and self._model.ready:
            self.use_wanted.emit(self.key)
        elif self._installable:
            self.install_wanted.emit(self.key)
        else:
            self.shown.emit(self.key)

    def _show_facts(self) -> None:
        self.shown.emit(self.key)


def _is_measured(best: Sequence[Recommendation]) -> bool:
    return any(one.seconds is not None and not one.rough for one in best)


def _about_times(device: str, best: Sequence[Recommendation]) -> str:
    """What the times are for."""
    if all(one.seconds is None for one in best):
        return "How long encoding takes is not measured yet."
    if not _is_measured(best):
        return "The times are those of usual processors: this computer is not measured yet."
    if device == "cpu":
        return "The times are for the processor: this computer has no GPU that models could run on."
    return f"The times are for the GPU of this computer ({device})."


def _costs(one: Recommendation, model: ModelStatus) -> list[str]:
    """Time, disk and memory: what it takes to have this library searched by it."""
    words = [_time(one)]
    if one.download_bytes and not model.ready:
        words.append(f"{wording.size(one.download_bytes)} to download")
    if one.memory_bytes:
        words.append(f"{wording.size(one.memory_bytes)} of memory")
    if one.vectors_bytes:
        words.append(f"{wording.size(one.vectors_bytes)} for its vectors")
    return words


def _time(one: Recommendation) -> str:
    items = wording.count(one.items, "item", "items")
    what = f"an example of {items}" if one.assumed else items
    if one.seconds is None:
        return f"{what} to encode".capitalize()
    time = wording.duration(one.seconds)
    if one.rough:
        return f"{time.replace('about', 'roughly').capitalize()} for {what}"
    how = "measured here" if one.measured else "reckoned from other models"
    return f"{time.capitalize()} for {what} ({how})"
