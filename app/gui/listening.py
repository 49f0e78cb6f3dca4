"""What is heard while judging: items play by themselves, and never two things at once."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QObject, Signal

from app.engine.errors import AppError
from app.engine.types import Hit, ItemDetails, ItemKind
from app.gui.engine import Engine
from app.gui.player import Player
from app.gui.preview import Preview


class Listening(QObject):
    """Of the query, the item shown alone and the tile of the grid, whichever begins to play silences the others.

    Signal ``tile_changed`` with the id of the grid's item that is heard, 0: none.

    ``plays_sounds`` and ``plays_films`` are asked whenever an item is shown alone.
    """

    tile_changed = Signal(int)

    def __init__(
        self,
        engine: Engine,
        preview: Preview,
        query: Player,
        plays_sounds: Callable[[], bool],
        plays_films: Callable[[], bool],
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._engine = engine
        self._preview = preview
        self._query = query
        self._wanted = {ItemKind.AUDIO: plays_sounds, ItemKind.FRAME: plays_films}
        self._tile_id = 0
        self._plays_next = False
        self.tile = Player(self)
        preview.described.connect(self._play_along)
        preview.playing_changed.connect(self._hear_item)
        query.playing_changed.connect(self._hear_query)
        self.tile.playing_changed.connect(self._hear_tile)

    def stop(self) -> None:
        """Fall silent."""
        self._preview.stop()
        self._query.stop()
        self.stop_tile()

    def play_next(self) -> None:
        """Play the item that is being shown alone as soon as it is there."""
        self._plays_next = True

    def stop_tile(self) -> None:
        self._tile_id = 0
        self.tile.stop()

    def toggle_tile(self, hit: Hit) -> None:
        """Play or pause a sound of the grid."""
        if self._tile_id == hit.item_id and self.tile.path:
            self.tile.toggle()
            return
        self.tile.stop()
        self._tile_id = hit.item_id

        def done(details: ItemDetails) -> None:
            if self._tile_id == hit.item_id and details.present:
                self.tile.load(details.path, details.start_ms or 0, details.end_ms)
                self.tile.play()

        def failed(_error: AppError) -> None:
            self._tile_id = 0

        self._engine.request("details", hit.item_id, on_done=done, on_failed=failed)

    def _play_along(self, details: ItemDetails) -> None:
        wanted = self._wanted.get(details.item_kind)
        plays = self._plays_next or (wanted is not None and wanted())
        is_film = details.item_kind is ItemKind.FRAME
        self._preview.player.set_muted(is_film and not self._plays_next and not self._wanted[ItemKind.AUDIO]())
        self._plays_next = False
        if plays and self._preview.isVisible() and not self._preview.player.playing:
            self._preview.toggle_play()

    def _hear_item(self, playing: bool) -> None:
        if playing:
            self._query.stop()
            self.tile.pause()

    def _hear_query(self, playing: bool) -> None:
        if playing:
            self._preview.player.pause()
            self.tile.pause()

    def _hear_tile(self, playing: bool) -> None:
        self.tile_changed.emit(self._tile_id if playing else 0)
        if playing:
            self._query.stop()
            self._preview.player.pause()
