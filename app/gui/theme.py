"""How the window looks: two sets of colours, a scale of distances and of type, and the one style sheet.

Widgets that paint themselves ask `colours()` while they paint, so that they follow a change of theme by themselves.
Every pair of text and ground below has a contrast of at least 4.5:1 (WCAG 2.2, level AA).
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from enum import StrEnum
from string import Template

from PySide6.QtCore import QObject, Qt
from PySide6.QtGui import QColor, QFont, QFontMetrics, QGuiApplication, QPalette
from PySide6.QtWidgets import QApplication, QLabel, QStyleFactory, QWidget

from app.paths import resources_dir

TINY_PX, SMALL_PX, MEDIUM_PX, LARGE_PX, HUGE_PX = 4, 8, 12, 16, 24
"""The only distances between things."""

RADIUS_PX = 8
LEAST_LINE_PX = 20
ICON_PX = 18


@dataclass(frozen=True)
class Colours:
    """One theme, as ``#rrggbb``. ``ground`` lies below ``surface`` (fields, lists), which lies below ``raised``.

    ``loss`` and ``gain`` are orange and blue, which every kind of colour vision tells apart (Okabe and Ito's two)."""

    ground: str
    surface: str
    raised: str
    text: str
    muted: str
    border: str
    accent: str
    on_accent: str
    selection: str
    good: str
    bad: str
    warning: str
    loss: str
    gain: str


LIGHT = Colours(
    ground="#f4f5f8",
    surface="#ffffff",
    raised="#e9ecf2",
    text="#1b2130",
    muted="#59637a",
    border="#d5dae4",
    accent="#3a56d4",
    on_accent="#ffffff",
    selection="#dde4ff",
    good="#17703a",
    bad="#b3261e",
    warning="#835400",
    loss="#e07b00",
    gain="#0072b2",
)
DARK = Colours(
    ground="#15171c",
    surface="#1c1f26",
    raised="#292d37",
    text="#e6e9f0",
    muted="#a0a9ba",
    border="#363c49",
    accent="#8aa4ff",
    on_accent="#10131c",
    selection="#2c3863",
    good="#74d494",
    bad="#ff8d84",
    warning="#f0c05a",
    loss="#d97706",
    gain="#3b9bdc",
)


class Choice(StrEnum):
    """What a person may choose in the settings."""

    SYSTEM = "system"
    LIGHT = "light"
    DARK = "dark"


class Type(StrEnum):
    """The scale of type: what a label is for, not how large it is."""

    TITLE = "title"
    HEADING = "heading"
    BODY = "body"
    CAPTION = "caption"


_SCALE = {Type.TITLE: 1.6, Type.HEADING: 1.15, Type.BODY: 1.0, Type.CAPTION: 0.9}


def colours() -> Colours:
    """The colours in use now."""
    ground = QGuiApplication.palette().color(QPalette.ColorRole.Window)
    return DARK if ground.lightness() < 128 else LIGHT


def apply(choice: str = Choice.SYSTEM) -> None:
    """Dress the whole program; it follows the desktop from light to dark and back unless ``choice`` fixes one."""
    schemes = {Choice.LIGHT.value: Qt.ColorScheme.Light, Choice.DARK.value: Qt.ColorScheme.Dark}
    hints = QGuiApplication.styleHints()
    QApplication.setStyle(QStyleFactory.create("Fusion"))
    hints.setColorScheme(schemes.get(choice, Qt.ColorScheme.Unknown))
    app = QApplication.instance()
    if app and not app.findChild(_Dresser):
        hints.colorSchemeChanged.connect(_Dresser(app).dress)
    _dress(schemes.get(choice, hints.colorScheme()))


def font(kind: Type, weight: QFont.Weight = QFont.Weight.Normal) -> QFont:
    """A font of the scale, for widgets that paint their own text."""
    chosen = QFont(QApplication.font())
    chosen.setPointSizeF(chosen.pointSizeF() * _SCALE[kind])
    chosen.setWeight(weight)
    return chosen


def label(text: str, kind: Type = Type.BODY, parent: QWidget | None = None) -> QLabel:
    """A plain-text label in the scale of type; long text wraps, and it can be selected by mouse where it informs."""
    made = QLabel(text, parent)
    made.setTextFormat(Qt.TextFormat.PlainText)
    made.setWordWrap(kind is not Type.CAPTION)
    set_role(made, kind)
    return made


def set_role(widget: QWidget, role: str) -> None:
    """Let the style sheet know what a widget is for: a `Type`, or one of its other roles ("primary", "link", "quiet",
    "menu", "chip" for a button; "card", "chip", "banner", "bar", "line" for a frame)."""
    widget.setProperty("role", str(role))
    if widget.isVisible():  # the style has already been worked out: have it done again
        widget.style().unpolish(widget)
        widget.style().polish(widget)


class _Dresser(QObject):
    """Follows the desktop for as long as the program runs."""

    def dress(self, scheme: Qt.ColorScheme) -> None:
        _dress(scheme)


def _dress(scheme: Qt.ColorScheme) -> None:
    app = QApplication.instance()
    if not isinstance(app, QApplication):
        return
    chosen = DARK if scheme is Qt.ColorScheme.Dark else LIGHT
    app.setPalette(_palette(chosen))
    base_pt = app.font().pointSizeF()
    sizes = {f"{kind}_pt": f"{base_pt * scale:.1f}" for kind, scale in _SCALE.items()}
    line_px = max(LEAST_LINE_PX, QFontMetrics(app.font()).height())  # a style sheet would cut larger letters
    distances = {
        "tiny": TINY_PX,
        "small": SMALL_PX,
        "medium": MEDIUM_PX,
        "large": LARGE_PX,
        "radius": RADIUS_PX,
        "line": line_px,
    }
    tick = "check" if chosen is DARK else "check-white"  # a style sheet shows drawings in the colours they have
    drawings = {"chevron": _drawing("chevron"), "tick": _drawing(tick)}
    app.setStyleSheet(_SHEET.substitute(asdict(chosen), **sizes, **distances, **drawings))


def _drawing(name: str) -> str:
    return (resources_dir() / "icons" / f"{name}.svg").as_posix()


def _palette(chosen: Colours) -> QPalette:
    role = QPalette.ColorRole
    palette = QPalette()
    for name, colour in {
        role.Window: chosen.ground,
        role.WindowText: chosen.text,
        role.Base: chosen.surface,
        role.AlternateBase: chosen.ground,
        role.Text: chosen.text,
        role.PlaceholderText: chosen.muted,
        role.Button: chosen.surface,
        role.ButtonText: chosen.text,
        role.BrightText: chosen.bad,
        role.Highlight: chosen.accent,
        role.HighlightedText: chosen.on_accent,
        role.Accent: chosen.accent,
        role.Link: chosen.accent,
        role.LinkVisited: chosen.accent,
        role.ToolTipBase: chosen.raised,
        role.ToolTipText: chosen.text,
        role.Light: chosen.raised,
        role.Midlight: chosen.raised,
        role.Mid: chosen.border,
        role.Dark: chosen.border,
        role.Shadow: chosen.border,
    }.items():
        palette.setColor(name, QColor(colour))
    faint = QColor(chosen.muted)
    faint.setAlphaF(0.6)
    for name in (role.WindowText, role.Text, role.ButtonText):
        palette.setColor(QPalette.ColorGroup.Disabled, name, faint)
    return palette


_SHEET = Template(
    """
QToolTip { background: $raised; color: $text; border: 1px solid $border; padding: ${tiny}px ${small}px; }

QLabel[role="title"] { font-size: ${title_pt}pt; font-weight: 600; }
QLabel[role="heading"] { font-size: ${heading_pt}pt; font-weight: 600; }
QLabel[role="caption"] { font-size: ${caption_pt}pt; color: $muted; }
QLabel[role="good"] { font-size: ${caption_pt}pt; color: $good; }
QLabel[role="bad"] { color: $bad; }
QLabel[role="warning"] { font-size: ${caption_pt}pt; color: $warning; }

QPushButton, QComboBox, QLineEdit, QSpinBox, QDoubleSpinBox, QDateEdit {
    background: $surface; border: 1px solid $border; border-radius: ${radius}px;
    padding: 6px ${medium}px; min-height: ${line}px;
}
QDoubleSpinBox::up-button, QDoubleSpinBox::down-button { width: 0; border: none; }
QComboBox QLineEdit, QComboBox QLineEdit:focus { background: transparent; border: none; padding: 0; min-height: 0; }
QPlainTextEdit { background: $surface; border: 1px solid $border; border-radius: ${radius}px; padding: ${tiny}px; }
QPlainTextEdit:focus { border: 2px solid $accent; padding: 3px; }
QPushButton:hover, QComboBox:hover { background: $raised; }
QPushButton:pressed { background: $selection; }
QPushButton:checked { background: $selection; border-color: $accent; }
QPushButton:disabled, QComboBox:disabled { background: transparent; }
QPushButton:focus, QComboBox:focus, QLineEdit:focus, QSpinBox:focus, QDoubleSpinBox:focus, QDateEdit:focus {
    border: 2px solid $accent; padding: 5px 11px; }
QPushButton[role="primary"] { background: $accent; color: $on_accent; border-color: $accent; font-weight: 600; }
QPushButton[role="primary"]:hover { border-color: $text; }
QPushButton[role="primary"]:focus { border-color: $text; }
QPushButton[role="primary"]:disabled { background: $raised; color: $muted; border-color: $raised; }
QPushButton[role="quiet"] { background: transparent; border-color: transparent; padding: 6px ${small}px; }
QPushButton[role="quiet"]:hover { background: $raised; }
QPushButton[role="quiet"]:focus { border-color: $accent; padding: 5px 7px; }
QPushButton[role="quiet"]:checked { background: $selection; }
QPushButton[role="link"] { background: transparent; border: 1px solid transparent; color: $accent;
    padding: 2px ${tiny}px; }
QPushButton[role="link"]:hover { text-decoration: underline; }
QPushButton[role="link"]:focus { border-color: $accent; }
QPushButton[role="chip"] { background: $selection; border: 1px solid transparent; padding: 2px ${small}px; }
QPushButton[role="chip"]:hover { border-color: $accent; }
QPushButton[role="chip"]:focus { border: 2px solid $accent; padding: 1px 7px; }
QComboBox::drop-down, QDateEdit::drop-down { border: none; width: 24px; }
QComboBox::down-arrow, QDateEdit::down-arrow { image: url("$chevron"); width: 12px; height: 12px; }
QPushButton::menu-indicator { image: url("$chevron"); width: 12px; height: 12px;
    subcontrol-origin: padding; subcontrol-position: right center; right: ${small}px; }
QPushButton[role="menu"] { background: transparent; border-color: transparent; padding: 6px 26px 6px ${small}px; }
QPushButton[role="menu"]:hover { background: $raised; }
QPushButton[role="menu"]:focus { border-color: $accent; padding: 5px 25px 5px 7px; }
QComboBox QAbstractItemView { background: $surface; border: 1px solid $border; outline: none; padding: ${tiny}px;
    selection-background-color: $selection; selection-color: $text; }

QCheckBox, QRadioButton { spacing: ${small}px; }
QCheckBox::indicator { width: 16px; height: 16px; border: 1px solid $muted; border-radius: 5px; background: $surface; }
QCheckBox::indicator:hover { border-color: $accent; }
QCheckBox::indicator:focus { border: 2px solid $accent; width: 14px; height: 14px; }
QCheckBox::indicator:checked { background: $accent; border-color: $accent; image: url("$tick"); }
QCheckBox::indicator:checked:focus { border-color: $text; }
QCheckBox::indicator:disabled { background: transparent; border-color: $border; }

QToolButton { background: transparent; border: 2px solid transparent; border-radius: ${radius}px; padding: ${tiny}px; }
QToolButton:hover { background: $raised; }
QToolButton:pressed, QToolButton:checked { background: $selection; }
QToolButton:focus { border-color: $accent; }
QToolButton::menu-indicator { image: none; }

QMenu { background: $surface; border: 1px solid $border; padding: ${tiny}px; }
QMenu::item { padding: 6px ${large}px; border-radius: 5px; }
QMenu::item:selected { background: $selection; color: $text; }
QMenu::item:disabled { color: $muted; }
QMenu::separator { height: 1px; background: $border; margin: ${tiny}px; }

QFrame[role="card"] { background: $surface; border: 1px solid $border; border-radius: ${radius}px; }
QFrame[role="chip"] { background: $selection; border-radius: ${radius}px; }
QFrame[role="banner"] { background: $raised; border: 1px solid $border; border-radius: ${radius}px; }
QFrame[role="bar"] { background: $surface; border: none; }
QFrame[role="line"] { background: $border; border: none; max-height: 1px; }

QListView, QTreeView, QTableView { background: $surface; border: 1px solid $border; border-radius: ${radius}px;
    outline: none; alternate-background-color: $ground; }
QListView::item { padding: 6px; border-radius: 6px; }
QTreeView::item { min-height: 26px; }
QListView::item:selected, QTreeView::item:selected, QTableView::item:selected { background: $selection; color: $text; }
QListView:focus, QTreeView:focus, QTableView:focus { border: 2px solid $accent; }
QHeaderView::section { background: $surface; border: none; border-bottom: 1px solid $border; padding: 6px ${small}px;
    color: $muted; font-weight: 600; }
QTableView { gridline-color: $border; }

QProgressBar { background: $raised; border: none; border-radius: 3px; max-height: 6px; min-height: 6px; }
QProgressBar::chunk { background: $accent; border-radius: 3px; }

QScrollArea { background: transparent; border: none; }
QScrollArea > QWidget > QWidget#content { background: transparent; }
QScrollBar { background: transparent; border: none; }
QScrollBar:vertical { width: 12px; }
QScrollBar:horizontal { height: 12px; }
QScrollBar::handle { background: $border; border-radius: 4px; margin: 2px; }
QScrollBar::handle:vertical { min-height: 32px; }
QScrollBar::handle:horizontal { min-width: 32px; }
QScrollBar::handle:hover { background: $muted; }
QScrollBar::add-line, QScrollBar::sub-line { width: 0; height: 0; }
QScrollBar::add-page, QScrollBar::sub-page { background: transparent; }

QFrame#query { background: $surface; border: 1px solid $border; border-radius: 12px; }
QFrame#query[active="true"] { border: 1px solid $accent; }
QLineEdit#words, QLineEdit#words:focus { background: transparent; border: none; padding: ${tiny}px 0; }

QSplitter::handle { background: transparent; }
QSplitter::handle:hover { background: $border; }
QStatusBar { color: $muted; }
QStatusBar::item { border: none; }
"""
)
