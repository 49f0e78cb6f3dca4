"""What the search page says where there are no results to show, and what can be done next."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtCore import Signal

from app.engine.errors import AppError
from app.engine.jobs import Progress
from app.engine.librarytypes import LibraryStatus
from app.engine.types import SearchReply
from app.gui.emptystate import EmptyState

Actions = Sequence[tuple[str, Callable[[], None]]]


class SearchStates(EmptyState):
    """Signals, each for a button: ``add_folder_wanted``, ``sample_wanted``, ``models_wanted``, ``picture_wanted``,
    ``sound_wanted``, ``unfiltered_wanted``, ``unsure_wanted``, and
    ``cancel_wanted`` for bringing a library up to date."""

    add_folder_wanted = Signal()
    sample_wanted = Signal()
    models_wanted = Signal()
    picture_wanted = Signal()
    sound_wanted = Signal()
    unfiltered_wanted = Signal()
    unsure_wanted = Signal()
    cancel_wanted = Signal()

    # --- opening a library -------------------------------------------------------------------------------------------

    def say_opening(self, awaited: bool = False) -> None:
        """``awaited``: by files to search by."""
        go_on = self.tr("It is searched by what you opened as soon as it is ready.") if awaited else ""
        self.say("library", self.tr("Opening your library…"), go_on or self.tr("You can type your search already."))

    def say_upgrading(self, progress: Progress) -> None:
        """An earlier version made the library: it is copied, then changed."""
        made_by = self.tr("An earlier Semblance made this library. A copy of it stays beside it. ")
        end = self.tr("This is the last step.") if progress.is_final else self.tr("This can take some minutes, once.")
        actions = () if progress.is_final else ((self.tr("Cancel"), self.cancel_wanted.emit),)
        self.say("library", f"{progress.phase}…", made_by + end, actions, progress)

    def say_stopping(self) -> None:
        """Bringing the library up to date was cancelled, and is being undone."""
        self.say("library", self.tr("Stopping…"), self.tr("The library is left as it was."), (), Progress())

    def say_going_back(self) -> None:
        self.say(
            "library",
            self.tr("Going back to the copy…"),
            self.tr("It is checked before it takes the library's place. A large library takes a minute."),
            (),
            Progress(),
        )

    def say_problem(self, error: AppError, actions: Actions = ()) -> None:
        self.say("warning", error.title, error.message + (f"\n{error.path}" if error.path else ""), actions)

    # --- searching ---------------------------------------------------------------------------------------------------

    def say_idle(self, status: LibraryStatus, indexing: bool, reads_words: bool, is_asked: bool) -> None:
        """Nothing is asked, or there is nothing to ask.

        Args:
            status: of the open library.
            indexing: folders are being read.
            reads_words: one of the library's models finds by words what a picture or a sound is of.
            is_asked: there is a query, which waits.
        """
        if indexing and not any(status.items.values()):
            self.say(
                "library",
                self.tr("Your files are being read"),
                self.tr("What has been indexed can be searched at once: you need not wait for the rest."),
            )
        elif not status.roots:
            self._say_welcome(is_asked)
        elif not any(status.items.values()):
            self.say(
                "folder",
                self.tr("Nothing here can be searched yet"),
                self.tr("The folders of this library hold no photos, videos or sounds that could be read so far."),
                ((self.tr("Add a folder…"), self.add_folder_wanted.emit),),
            )
        else:
            self._say_invitation(reads_words)

    def say_unread(self) -> None:
        """What would answer the query has not been read yet."""
        self.say(
            "library",
            self.tr("Your files are being read"),
            self.tr("Nothing answers your query yet. It stays, and is asked again as more has been read."),
        )

    def say_nothing_found(self, reply: SearchReply, indexing: bool, narrowed: bool) -> None:
        """``narrowed``: by filters."""
        sentences = [reply.note] if reply.note else []
        if indexing:
            sentences.append(self.tr("More may be found when indexing is done."))
        actions = []
        if reply.all_unsure:
            actions.append((self.tr("Show unsure results too"), self.unsure_wanted.emit))
        elif narrowed:
            sentences.append(self.tr("The filters may hide what you look for."))
            actions.append((self.tr("Clear the filters"), self.unfiltered_wanted.emit))
        else:
            sentences.append(self.tr("Try other words, or search by a picture or a sound."))
        if not reply.models:
            actions.append((self.tr("See the models"), self.models_wanted.emit))
        self.say("search", self.tr("Nothing found"), " ".join(sentences), actions)

    def _say_welcome(self, is_asked: bool) -> None:
        buttons = (
            (self.tr("Add a folder…"), self.add_folder_wanted.emit),
            (self.tr("Try the sample library"), self.sample_wanted.emit),
            (self.tr("See the models"), self.models_wanted.emit),
        )
        if is_asked:
            sentence = self.tr(
                "This library has no folder yet. Add one, or drop one here: your query stays, and is answered when the "
                "folder has been read."
            )
            self.say("library", self.tr("There is nothing to search in yet"), sentence, buttons)
            return
        sentence = self.tr(
            "Find what is alike in your own photos, videos and sounds. Add a folder, or drop one here. "
            "Your files are only read, and nothing leaves this computer. To search by words, install a "
            "model that reads them."
        )
        self.say("library", self.tr("Welcome to Semblance"), sentence, buttons)

    def _say_invitation(self, reads_words: bool) -> None:
        by_file = (
            (self.tr("Choose a picture…"), self.picture_wanted.emit),
            (self.tr("Choose a sound…"), self.sound_wanted.emit),
        )
        headline = self.tr("What are you looking for?")
        if reads_words:
            sentence = self.tr("Type what it shows, or drop or paste a picture or a sound.")
            self.say("search", headline, sentence, by_file)
            return
        sentence = self.tr(
            "Drop or paste a picture or a sound to find what is like it. Words find names, folders and captions; "
            "to find by what a picture shows, add a model that reads words."
        )
        self.say("search", headline, sentence, (*by_file, (self.tr("See the models"), self.models_wanted.emit)))
