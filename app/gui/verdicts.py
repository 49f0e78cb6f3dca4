"""The answer first: which model is better, in plain words, and what could still change it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QCoreApplication, QEvent, Qt, Signal
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLabel,
    QListWidget,
    QListWidgetItem,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from app.engine.evaltypes import Comparison, Evaluation, ModelEvaluation, Verdict
from app.engine.evaluation.order import answered_keys
from app.gui import icons, theme, wording
from app.gui.measures import compared_by, ranked

translate = QCoreApplication.translate

FIRST_SHOWN = 3
LIST_MOST_PX = 320
_MARKS = {Verdict.BETTER: ("check", "good"), Verdict.ALIKE: ("equal", "muted"), Verdict.OPEN: ("question", "warning")}


def detail_words(comparison: Comparison) -> str:
    """What stands behind a sentence: the test, the size of the effect, and on how many queries which was better."""
    if comparison.queries < 2:
        return ""
    words = [
        wording.count(comparison.queries, translate("Verdicts", "query"), translate("Verdicts", "queries")),
        translate("Verdicts", "better on {0}, worse on {1}, equal on {2} of them").format(
            f"{comparison.wins:,}", f"{comparison.losses:,}", f"{comparison.ties:,}"
        ),
    ]
    if comparison.verdict is not Verdict.ALIKE:  # it is of the difference, which does not matter
        words.append(translate("Verdicts", "p {0} after correction").format(_p_words(comparison.p_adjusted)))
    if comparison.effect_size is not None:
        words.append(translate("Verdicts", "effect size {0}").format(f"{comparison.effect_size:.2f}"))
    return " · ".join(words)


def _p_words(p_value: float) -> str:
    return "< 0.001" if p_value < 0.001 else f"= {p_value:.3f}"


def why_uncompared(evaluation: Evaluation) -> str:
    """Why there is nothing to compare, in a sentence."""
    answered = [model for model in evaluation.models if model.queries]
    if len(answered) == 1:
        sentence = translate("Verdicts", "Only {0} answered. Choose and index a second model to compare it with.")
        return sentence.format(answered[0].name)
    if len({answered_keys(model) for model in answered}) > 1:
        return translate("Verdicts", "No two models answered the same queries, so none can be called better.")
    return ""


# --- what could still change it --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Unjudged:
    """``words`` say how much nobody has judged; ``could_change``: the order of models depends on it."""

    words: str = ""
    could_change: bool = False


def unjudged(evaluation: Evaluation) -> Unjudged:
    """What nobody has judged among the first k results of every model, and whether it matters."""
    shares = []
    of_model = translate("Verdicts", "{0} of the first {1} results of {2}")
    for model in evaluation.models:
        judged = model.measures.get(f"Judged@{evaluation.k}")
        if judged and judged.judged < 1:
            missing = 1 - judged.judged
            words = f"{missing:.0%}" if missing >= 0.005 else translate("Verdicts", "less than 1%")
            shares.append((missing, of_model.format(words, evaluation.k, model.name)))
    if not shares:
        return Unjudged()
    shares.sort(key=lambda share: -share[0])
    named = "; ".join(words for _missing, words in shares[:FIRST_SHOWN])
    if len(shares) > FIRST_SHOWN:
        others = len(shares) - FIRST_SHOWN
        several = translate("Verdicts", "{0} other models").format(f"{others:,}")
        words = translate("Verdicts", "another model") if others == 1 else several
        named = translate("Verdicts", "{0}; and some results of {1}").format(named, words)
    could = _could_change(evaluation)
    change = translate("Verdicts", "Judging them could change the answer.")
    stay = translate("Verdicts", "Whatever they are, the best model stays the best.")
    told = translate("Verdicts", "{0} are not judged and count as not relevant.").format(named)
    return Unjudged(f"{told} {change if could else stay}", could)


def _could_change(evaluation: Evaluation) -> bool:
    """Whether another model could be the best if what is not judged were relevant for it and for the best one not."""
    models = ranked(evaluation)
    name = compared_by(evaluation)
    first, *others = models
    peers = [model for model in others if answered_keys(model) == answered_keys(first)]
    least = _bound(first, name, "least")
    return not peers or any(_bound(model, name, "most") >= least for model in peers)


def _bound(model: ModelEvaluation, name: str, end: str) -> float:
    measured = model.measures.get(name)
    if measured is None:
        return 0.0
    bound = getattr(measured, end)
    return float(measured.value if bound is None else bound)


# --- the widgets -----------------------------------------------------------------------------------------------------


class VerdictView(QWidget):
    """Signals: ``judge_wanted`` to judge what is not judged; ``models_wanted`` for a second model."""

    judge_wanted = Signal()
    models_wanted = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._shown: list[_Sentence] = []
        self._comparisons: Sequence[Comparison] = ()
        self._sentences = QVBoxLayout()
        self._sentences.setSpacing(theme.SMALL_PX)
        self.all_pairs = QPushButton()
        self.all_pairs.setCheckable(True)
        theme.set_role(self.all_pairs, "link")
        self.all_pairs.toggled.connect(self._toggle)
        self.pairs = QListWidget()
        self.pairs.setAccessibleName(self.tr("All pairs of models"))
        self.pairs.setWordWrap(True)
        self.pairs.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.warning = _Warning(self.tr("Judge them"))
        self.warning.acted.connect(self.judge_wanted)
        self._caution = theme.label("", theme.Type.CAPTION)
        self._caution.setWordWrap(True)
        self._caution.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._why = theme.label("", theme.Type.HEADING)
        self._second = QPushButton(self.tr("Show the models"))
        self._second.clicked.connect(self.models_wanted)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(theme.SMALL_PX)
        column.addWidget(self._why)
        column.addWidget(self._second, 0, Qt.AlignmentFlag.AlignLeft)
        column.addLayout(self._sentences)
        column.addWidget(self._caution)
        column.addWidget(self.all_pairs, 0, Qt.AlignmentFlag.AlignLeft)
        column.addWidget(self.pairs)
        column.addWidget(self.warning)

    @property
    def sentences(self) -> list[str]:
        """What is said at once, the most decisive first."""
        return [shown.sentence for shown in self._shown]

    @property
    def caution(self) -> str:
        """Of what the sentences do not speak; empty where nothing is to be said."""
        return "" if self._caution.isHidden() else self._caution.text()

    def show_evaluation(self, evaluation: Evaluation) -> None:
        comparisons = evaluation.comparisons
        for old in self._shown:
            self._sentences.removeWidget(old)
            old.hide()
            old.deleteLater()
        first = comparisons[: FIRST_SHOWN if len(evaluation.queries) > 1 else 1]  # one query tells nothing of any
        self._shown = [_Sentence(comparison, first=number == 0) for number, comparison in enumerate(first)]
        for shown in self._shown:
            self._sentences.addWidget(shown)
        self._caution.setText(evaluation.caution)
        self._caution.setVisible(bool(evaluation.caution and comparisons))
        self._offer_pairs(comparisons)
        why = "" if comparisons else why_uncompared(evaluation)
        self._why.setText(why)
        self._why.setVisible(bool(why))
        self._second.setVisible(bool(why) and sum(bool(model.queries) for model in evaluation.models) == 1)
        missing = unjudged(evaluation)
        self.warning.say(missing.words, grave=missing.could_change)

    def _offer_pairs(self, comparisons: Sequence[Comparison]) -> None:
        """What is not said at once is listed when it is asked for: of 50 models there are 1,225 pairs."""
        self._comparisons = comparisons
        hidden = len(comparisons) - len(self._shown)
        self.all_pairs.setVisible(hidden > 0)
        self.all_pairs.setText(self.tr("All {0} pairs").format(f"{len(comparisons):,}"))
        self.pairs.clear()
        self._toggle(hidden > 0 and self.all_pairs.isChecked())

    def _toggle(self, shown: bool) -> None:
        self.pairs.setVisible(shown)
        if not shown:
            return
        if not self.pairs.count():
            for comparison in self._comparisons:
                icon, colour = _MARKS[comparison.verdict]
                words = "\n".join(filter(None, (comparison.sentence, detail_words(comparison))))
                self.pairs.addItem(QListWidgetItem(icons.icon(icon, colour), words))
        height_px = 2 * theme.SMALL_PX
        for row in range(self.pairs.count()):
            height_px += max(0, self.pairs.sizeHintForRow(row))
            if height_px > LIST_MOST_PX:
                break
        self.pairs.setFixedHeight(min(LIST_MOST_PX, height_px))


class _Mark(QLabel):
    """A small drawing that follows the theme."""

    def __init__(self, size_px: int = theme.ICON_PX) -> None:
        super().__init__()
        self._size_px = size_px
        self._drawing = ("info", "muted")

    def show_drawing(self, name: str, colour: str) -> None:
        self._drawing = name, colour
        self._draw()

    def changeEvent(self, event: QEvent) -> None:
        if event.type() is QEvent.Type.PaletteChange:
            self._draw()
        super().changeEvent(event)

    def _draw(self) -> None:
        name, colour = self._drawing
        self.setPixmap(icons.pixmap(name, self._size_px, colour, self.devicePixelRatioF()))


class _Sentence(QWidget):
    """One comparison: a mark, the sentence, and what stands behind it."""

    def __init__(self, comparison: Comparison, first: bool) -> None:
        super().__init__()
        mark = _Mark(theme.ICON_PX + (theme.TINY_PX if first else 0))
        mark.setAlignment(Qt.AlignmentFlag.AlignTop)
        mark.setFixedWidth(theme.ICON_PX + theme.TINY_PX)
        mark.show_drawing(*_MARKS[comparison.verdict])
        self.sentence = comparison.sentence
        said = theme.label(comparison.sentence, theme.Type.HEADING if first else theme.Type.BODY)
        said.setWordWrap(True)
        behind = theme.label(detail_words(comparison), theme.Type.CAPTION)
        behind.setWordWrap(True)
        if not behind.text():
            behind.hide()
        for label in (said, behind):
            label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        words = QVBoxLayout()
        words.setSpacing(0)
        words.addWidget(said)
        words.addWidget(behind)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(theme.SMALL_PX)
        row.addWidget(mark)
        row.addLayout(words, 1)


class _Warning(QFrame):
    """A line in a frame with a button. Signal ``acted`` when the button is pressed."""

    acted = Signal()

    def __init__(self, action: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        theme.set_role(self, "banner")
        self._mark = _Mark()
        self._words = theme.label("")
        button = QPushButton(action)
        button.clicked.connect(self.acted)
        row = QHBoxLayout(self)
        row.setContentsMargins(theme.MEDIUM_PX, theme.SMALL_PX, theme.MEDIUM_PX, theme.SMALL_PX)
        row.setSpacing(theme.SMALL_PX)
        row.addWidget(self._mark)
        row.addWidget(self._words, 1)
        row.addWidget(button)
        self.hide()

    @property
    def text(self) -> str:
        return "" if self.isHidden() else self._words.text()

    def say(self, words: str, grave: bool) -> None:
        self._words.setText(words)
        self._mark.show_drawing(*(("warning", "warning") if grave else ("info", "muted")))
        self.setVisible(bool(words))
