"""The app: keys become commands, replies become screens. No number is computed here, no result kept."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

os.environ["TEXTUAL_ANIMATIONS"] = "none"  # read when textual is imported; smooth scrolling costs 25 times the bytes

from textual import events
from textual.app import App, ComposeResult
from textual.binding import BindingType
from textual.reactive import Reactive
from textual.screen import Screen
from textual.widget import Widget
from textual.widgets import ContentSwitcher

from screens import background, clipboard, leaving, verbs
from screens.ahead import Ahead, Typed, heard
from screens.driver import TerminalDriver
from screens.every_page import BEHIND_HOME, EXPLAINING
from screens.feature.own_text import open_own_text
from screens.keymap import Keymap
from screens.keys import ABSENT, ACTIONS, BINDINGS, TABS
from screens.labels.blind import Blind
from screens.line import doing, editor
from screens.line.questions import command_question, filter_question, jump_question, open_undo, session_note_question
from screens.link import Link
from screens.overlays.help import HelpPage
from screens.overlays.tour import TourPage, note_seen
from screens.pages.list_page import FilteredPage
from screens.pages.page import Page
from screens.painting import palette
from screens.painting.one_paint import OnePaint
from screens.painting.text import in_app, visible, wrapped
from screens.places import marks
from screens.places.marks import Marks
from screens.places.saved_view import SavedView
from screens.places.trail import Place, Trail
from screens.reasons import unbound, why_not
from screens.sessions.home import HomePage
from screens.widgets.box import Box
from screens.widgets.command_line import CommandLine, Question
from screens.widgets.foot import GateWarning, HintLine, Notice, StatusLine, TabLine
from screens.widgets.painted import Piece
from workbench.errors import WorkbenchError

if TYPE_CHECKING:
    from workbench.engine.protocol import Engine

    EngineOpener = Callable[[], Engine | Awaitable[Engine]]

RECALLED = 200
"""Lines of the log that the `:` line recalls."""
NEEDS_NOTHING = frozenset(("command", "help", "commands", "jump", "go_mark", "back_out", "leave", "quit"))
"""Actions that mean the same whatever the page in front shows; so do those that go to another one."""
BREAKPOINTS = [(0, "-narrow"), (110, "-wide"), (160, "-huge")]
HEIGHTS = [(0, "-short"), (18, "-tall")]


class QuietScreen(Screen[None]):
    """A screen that is not painted anew as a whole when the focus moves."""

    focused: Reactive[Widget | None] = Reactive(None, repaint=False)


class WorkbenchApp(App[None]):
    """The terminal workbench.

    Args:
        open_engine: makes the link to the engine; called in the background once the first frame is drawn.
        session: the session to open, or None to choose one on Home.
        keymap: the investigator's own keys.
        tour: whether to begin with the tour.
        where: what the machine of the engine is called, where it is another one.
    """

    CSS_PATH = "app.tcss"
    ENABLE_COMMAND_PALETTE = False
    HORIZONTAL_BREAKPOINTS = BREAKPOINTS
    VERTICAL_BREAKPOINTS = HEIGHTS
    BINDINGS: ClassVar[list[BindingType]] = BINDINGS

    def __init__(
        self,
        open_engine: EngineOpener,
        session: str | None = None,
        *,
        keymap: Keymap | None = None,
        tour: bool = False,
        where: str = "",
    ) -> None:
        super().__init__(driver_class=TerminalDriver, ansi_color=True)  # said first: it decides how NO_COLOR is obeyed
        self.theme = "ansi-light" if os.environ.get("WORKBENCH_THEME") == "light" else "ansi-dark"
        self.open_engine = open_engine
        self.where = where
        self.engine: Engine | None = None
        self.unreached: WorkbenchError | None = None
        """Why there is no engine; None while one is being reached, and when it was."""
        self.session = session
        self.summary: dict[str, Any] = {}
        self.history: list[str] = []
        self.marks = Marks()
        self.keymap = keymap or Keymap()
        self._tour = tour
        self.trail = Trail(Place("home"))
        self.over = ""
        self._beneath: list[str] = []
        """Pages over the screen that others lie over, the lowest first."""
        self.blind = Blind()
        self.under_way: list[verbs.Verb] = []
        """What this terminal asked for and waits for."""
        self.link = Link(self)
        self.saved_view = SavedView(self)
        self._waiting = dict(BEHIND_HOME)
        self._one_paint = OnePaint(self)
        self.ahead = Ahead(self)

    def get_default_screen(self) -> Screen[None]:
        """The one Textual screen there is."""
        return QuietScreen(id="_default")

    def compose(self) -> ComposeResult:
        """Tabs, the screens, the foot."""
        yield TabLine(TABS, ABSENT)
        with ContentSwitcher(initial="home"):
            yield HomePage("home")
        yield GateWarning(id="gate")
        with Box(id="foot"):
            yield StatusLine()
            yield HintLine()
            yield CommandLine()
        yield Notice(id="notice")

    def on_mount(self) -> None:
        """Draw Home at once; the other screens are made, and the engine is reached, when it is in sight."""
        leaving.obey_signals(self)
        self.status.show(session=self.session or "", where=self.where.rpartition("@")[2])
        self.set_keymap(self.keymap.keys)
        self.show_place()
        self.call_after_refresh(self._go_on)

    async def _go_on(self) -> None:
        await self._make_pages()
        background.start(self, self.link.connect, "connect")

    async def _make_pages(self) -> None:
        """Make the screens behind Home, once: all of them before the first frame would double the wait for it."""
        waiting, self._waiting = self._waiting, {}
        pages = [page_type(id) for id, page_type in waiting.items()]
        for page in pages:
            page.display = False
        await self.query_one(ContentSwitcher).mount_all(pages)

    async def on_event(self, event: events.Event) -> None:
        """Deal with a key wholly before the next one: over a slow link several come in one packet."""
        if self._waiting and isinstance(event, (events.Key, events.Paste)):
            await self._make_pages()
        if isinstance(event, (events.Key, events.Paste)) and not event.is_forwarded:
            self.app_focus = True  # a terminal may say that it lost the focus, and never that it has it again
            await self.take(event)
        else:
            await super().on_event(event)

    async def take(self, event: Typed) -> None:
        """Give what was typed to the line while something is asked there, else to what it is bound to."""
        if not self.is_running:
            return  # it ends: the parts that would take it are gone
        if isinstance(event, events.Key) and self.line.takes(event):
            self.line.press(event)
        elif isinstance(event, events.Paste) and self.line.question is not None:
            self.line.paste(event.text)
        elif self.ahead.keeps(event):
            pass
        elif isinstance(event, events.Paste):
            self._take_paste(event.text)
        else:
            await self._take_key(event)

    async def _take_key(self, event: events.Key) -> None:
        """Do what a key is bound to; one that is for what the page shows waits until it is about its subject."""
        self.status.recall()
        bound = self.screen.active_bindings.get(event.key)
        if bound is not None and self.page.between and not self._goes_on(bound.binding.action):
            if not self.ahead.keep_for(self.page, self.page.not_ready, event):
                self.explain(self.page.not_ready)
        elif bound is not None and bound.enabled:
            await self.run_action(bound.binding.action, bound.node)
            await heard(bound.node)
        elif bound is None and event.key == "enter":
            self.explain(unbound(event.key))
        elif bound is None and event.is_printable and event.character:
            self.explain(unbound(event.character))

    def _goes_on(self, action: str) -> bool:
        """Whether an action needs nothing of what the page in front is about to show."""
        return action in NEEDS_NOTHING or action.startswith(("go(", "travel(")) or action in self.page.keeps_up

    def _take_paste(self, text: str) -> None:
        """A pasted `:` line is put on the line, to be read before it is run; other text has no place to go."""
        pasted = text.strip()  # what is quoted in it stays as it is
        if pasted.startswith(":"):
            self.open_command(pasted[1:])
        else:
            self.explain("pasted text goes to a line: press : or / first")

    # --- parts

    @property
    def status(self) -> StatusLine:
        """The status line."""
        return self.query_one(StatusLine)

    @property
    def line(self) -> CommandLine:
        """The line to type on."""
        return self.query_one(CommandLine)

    @property
    def page(self) -> Page:
        """The screen in front, overlays included."""
        return self.query_one(f"#{self.over or self.trail.here.screen}", Page)

    @property
    def pages(self) -> list[Page]:
        """All screens."""
        return list(self.query(Page))

    # --- the engine

    async def ask(self, verb: verbs.Verb) -> dict[str, Any]:
        """The result of a query, asked about the open session."""
        result: dict[str, Any] = (await doing.request(self, verb))["result"]
        return result

    def do(self, verb: verbs.Verb, then: doing.Then | None = None) -> None:
        """Carry a verb out in the background; the status line shows its `:` line and what becomes of it."""
        self.hide_notice()
        background.start(self, partial(self.carry_out, verb, then), "do")

    def show_answer(self, verb: verbs.Verb, then: doing.Then) -> None:
        """Ask for what comes to the front and takes what is typed meanwhile; who went elsewhere is not followed."""
        self.hide_notice()
        place = (self.trail.here, self.over)

        def show(reply: dict[str, Any]) -> None:
            if (self.trail.here, self.over) == place and self.line.question is None:
                then(reply)
            else:
                self.explain(f"{verb.dotted} is answered, but this is another place: ask again there to see it")

        self.ahead.begin(verb, f":{verb.dotted} is not answered yet")
        background.start(self, partial(self._answered, verb, show), "do")

    async def _answered(self, verb: verbs.Verb, then: doing.Then) -> None:
        self.ahead.end(verb, came=await self.carry_out(verb, then))

    async def carry_out(self, verb: verbs.Verb, then: doing.Then | None = None) -> bool:
        """Carry a verb out, show how it goes, and say whether it worked."""
        return await doing.carry_out(self, verb, then)

    def enter_session(self, name: str) -> None:
        """Open another session."""
        self.saved_view.save_now()
        self.trail = Trail(Place("home"))
        self.ahead.begin(self.link, f"{name} is not open yet")
        background.start(self, partial(self.link.enter, name), "session", latest=True)

    def refresh_all(self) -> None:
        """Read the session again and what is shown of it, or look for an engine that could not be reached."""
        self.link.refresh()

    def blind_turned(self) -> None:
        """Labels are hidden, or shown again: on every screen, the next time that it comes to the front."""
        for page in self.pages:
            page.outdated = page.outdated or page is not self.page
            page.blind_turned()
        self.show_hints()

    def remember_lines(self, lines: list[str]) -> None:
        """Lines of the session that was opened, to be recalled on the `:` line; those typed here come last."""
        typed = [line for line in self.history if line not in lines]
        self.history = [*lines[-RECALLED:], *typed]

    def greet(self) -> None:
        """Once, when the first session is shown: the tour on a first start, and what is wrong with the keymap."""
        tour, self._tour = self._tour, False
        problems, self.keymap.problems = self.keymap.problems, []
        if tour:
            note_seen()
            self.start_tour()
        if problems:
            self.notify_text(problems, bad=True)

    def start_tour(self) -> None:
        """Show the tour over the screen."""
        self.query_one(TourPage).start()
        self.show_over("tour")

    # --- going places

    def visit(self, screen: str, subject: str = "") -> None:
        """Go to a screen, about a subject where it has one."""
        page = self.query_one(f"#{screen}", Page)
        self.trail.visit(Place(screen, subject or page.subject))
        self.show_place()

    def show_place(self) -> None:
        """Bring the place that the trail is at to the front."""
        self.over, self._beneath = "", []
        self.hide_notice()
        here = self.trail.here
        if self.page.outdated and self.engine is not None:
            self._one_paint.hold()
        self.query_one(ContentSwitcher).current = here.screen
        self.query_one(TabLine).show(here.screen.capitalize())
        self.page.bring(here.subject)
        self.show_hints()
        self.saved_view.changed()

    def show_over(self, name: str) -> None:
        """Put an opaque page over the screen, until esc; an explanation gives back the page that it lies over."""
        if self.over != name:
            self._beneath = [*self._beneath, self.over] if self.over and name in EXPLAINING else []
        self._put_over(name)

    def _put_over(self, name: str) -> None:
        self.over = name
        self.query_one(ContentSwitcher).current = name
        self.page.bring("")
        self.show_hints()

    def show_hints(self) -> None:
        """The keys of the screen in front."""
        self.query_one(HintLine).show(self.page.hints)

    def page_loaded(self, page: Page) -> None:
        """A screen has its content: hints may differ now."""
        self._one_paint.release()
        if not page.between:
            self.ahead.end(page)
        if page is self.page and not self.line.question:
            self.show_hints()

    def action_go(self, name: str) -> None:
        """Go to a screen by its digit."""
        self.visit(name)

    def action_travel(self, step: int) -> None:
        """Back or forward through visited places."""
        if self.trail.step(step) is None:
            self.explain("this is the first place visited" if step < 0 else "this is the last place visited")
            return
        self.show_place()

    def action_back_out(self) -> None:
        """One level back: close what lies over the screen, a filter, a pane, else go to the screen above."""
        if self.hide_notice():
            return
        if self._beneath:
            self._put_over(self._beneath.pop())
        elif self.over and not isinstance(self.page, FilteredPage):
            self.show_place()
        elif self.page.back_out():
            self.show_hints()
        elif self.over:
            self.show_place()
        elif self.trail.here.screen != "home":
            self.visit(self.page.parent_screen)
        else:
            self.explain("this is Home: q quits")

    def action_leave(self) -> None:
        """One level back; on Home, quit."""
        if self.trail.here.screen == "home" and not self.over:
            leaving.leave(self)
        else:
            self.action_back_out()

    async def action_quit(self) -> None:
        """Quit from anywhere."""
        leaving.leave(self)

    def action_suspend(self) -> None:
        """Give the terminal back to the shell until `fg`."""
        leaving.step_aside(self)

    # --- letter keys

    def action_act(self, name: str) -> None:
        """Do what a letter key means here, or say why it means nothing."""
        act = self.page.acts().get(name) or self._everywhere().get(name)
        if act is not None:
            act()
        else:
            self.explain(self.page.not_ready or self.page.why_not(name) or why_not(name, ACTIONS[name]))

    def _everywhere(self) -> dict[str, Callable[[], None]]:
        return {
            "index": lambda: self.open_command("index.build demo"),
            "undo": lambda: open_undo(self),
            "new": lambda: self.open_line(session_note_question(self)),
            "refresh": self._read_again,
            **({"try": lambda: open_own_text(self), "edit": lambda: editor.add_note(self)} if self.session else {}),
        }

    def _read_again(self) -> None:
        """What `r` does; where nothing is new, nothing else would show that it did."""
        if self.unreached is None:
            self.explain("read again")
        self.refresh_all()

    def action_command(self) -> None:
        """Open the `:` line."""
        self.open_command("")

    def open_command(self, text: str, back: int = 0) -> None:
        """Open the `:` line with a text already there, the cursor `back` signs before its end."""
        self.hide_notice()
        self.open_line(command_question(self), text)
        self.line.at -= back

    def action_filter(self) -> None:
        """Open the filter of this screen."""
        if self.page.filtered is None:
            self.explain(self.page.not_ready or self.page.why_no_filter)
            return
        self.open_line(filter_question(self.page), self.page.filtered)

    def action_jump(self) -> None:
        """Ask for the number of a feature and go there."""
        self.open_line(jump_question(self))

    def action_set_mark(self) -> None:
        """Keep this place under a letter."""
        self.open_line(marks.set_question(self))

    def action_go_mark(self) -> None:
        """Go to a place that was kept."""
        if not self.marks:
            self.explain("no place is marked yet: M and a letter marks this one")
            return
        self.open_line(marks.go_question(self))

    def action_help(self) -> None:
        """Explain the focused thing and the keys of this screen."""
        if self.over != "help":
            self.query_one(HelpPage).explain(self.page, self.focused)
            self.show_over("help")

    def action_commands(self) -> None:
        """List every command."""
        if self.over != "commands":
            self.show_over("commands")

    def action_copy(self) -> None:
        """Copy what the cursor is on, and say which way it went."""
        text = self.page.copyable()
        if not text:
            self.explain("there is nothing to copy here")
            return
        self.explain(clipboard.copy(text, self.copy_to_clipboard))

    def open_line(self, question: Question, text: str = "") -> None:
        """Ask something on the line at the foot."""
        self.status.display = False
        self.query_one(HintLine).display = False
        self.line.open(question, text)

    def close_line(self) -> None:
        """Give the foot back to status and hints."""
        self.line.close()
        self.status.display = True
        self.query_one(HintLine).display = True
        self.page.main.focus()

    # --- saying things

    def explain(self, text: str) -> None:
        """Say something short in the status line, or over it where it does not fit."""
        if len(text) + len(self.session or "no session") + 3 <= self.size.width:
            self.status.remark(text)
        else:
            self.notify_text([text])

    def notify_error(self, error: WorkbenchError) -> None:
        """Show an error with what to do about it."""
        if error.kind != "cancelled":
            self.notify_text([f"{error.message}", in_app(error.hint)], bad=True)

    def notify_text(self, texts: list[str], bad: bool = False) -> None:
        """Show some lines over the lowest part of the screen until the next key that acts."""
        width = self.size.width - 2
        lines = [line for text in texts if text for line in wrapped(text, width)][:6]
        head = palette.BAD if bad else palette.WARN
        notice = self.query_one(Notice)
        notice.styles.height = len(lines) + 1
        shown: list[list[Piece]] = [[("─" * self.size.width, head)]]
        shown += [[(" " + visible(line), head if at == 0 else palette.PLAIN)] for at, line in enumerate(lines)]
        notice.show(shown)
        notice.display = True

    def hide_notice(self) -> bool:
        """Take the message away; says whether there was one."""
        notice = self.query_one(Notice)
        shown, notice.display = bool(notice.display), False
        return shown

    async def _shutdown(self) -> None:
        """Stop what would show something before the screens are taken down: an event, a reply, a timer."""
        if self.engine is not None:
            self.engine.on_event = None
        self.workers.cancel_all()
        self.saved_view.stop()
        self.ahead.stop()
        self._one_paint.stop()
        await super()._shutdown()

    async def on_unmount(self) -> None:
        """Let go of the engine."""
        if self.engine is not None:
            await self.engine.close()


def main(session: str | None = None, sessions: str | None = None, host: str | None = None) -> int:
    """Open the app on a session; what the shell's bare `workbench` does.

    Args:
        session: its name; None takes the last one changed, or Home where there is none.
        sessions: the folder of sessions; None is the default.
        host: `user@box[:PATH]`, to reach the engine over ssh.
    """
    from screens import keymap
    from screens.start import engine_opener, first_start, last_session, wants_mouse
    from workbench.engine.remote import name_of

    opener = engine_opener(sessions, host)
    last = session or (None if host else last_session(sessions))
    app = WorkbenchApp(opener, last, keymap=keymap.read(), tour=first_start(last, host), where=name_of(host or ""))
    app.run(mouse=wants_mouse())
    return int(app.return_code or 0)
