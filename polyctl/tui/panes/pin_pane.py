"""A tab that asks a training about a pinned polynomial again, whenever it has written a checkpoint."""

from __future__ import annotations

from typing import Any

from textual import work
from textual.message import Message

from polyctl.tui.panes.host import Host
from polyctl.tui.panes.pane import Pane
from polyctl.tui.pinned import LOOK_SECONDS, Pin


class PinPane(Pane):
    """Shares the solving process with the tab's own searches, which go first."""

    class CheckpointWritten(Message):
        """There are new weights to ask."""

        def __init__(self, pin: Pin) -> None:
            super().__init__()
            self.pin = pin

    def __init__(self, host: Host) -> None:
        super().__init__(host)
        self.pin: Pin | None = None

    @property
    def searching(self) -> bool:
        """Whether the tab itself has asked the solving process."""
        raise NotImplementedError

    def draw_pinned(self) -> None:
        """Show how the pinned polynomial stands."""
        raise NotImplementedError

    def set_pin(self, pin: Pin | None) -> None:
        """Ask for that polynomial from now on, and no longer for the one before."""
        if self.pin is not None:
            if self.pin.request is not None:
                self.host.solver.cancel()
            self.pin.dropped.set()
        self.pin = pin
        if pin is not None:
            self._watch_checkpoints(pin)

    def on_unmount(self) -> None:
        if self.pin is not None:
            self.pin.dropped.set()  # its thread ends

    @work(thread=True, group="pin", exit_on_error=False)
    def _watch_checkpoints(self, pin: Pin) -> None:
        while not pin.dropped.is_set():
            if pin.look():
                self.post_message(self.CheckpointWritten(pin))
            pin.dropped.wait(LOOK_SECONDS)

    def on_pin_pane_checkpoint_written(self, event: CheckpointWritten) -> None:
        if event.pin is self.pin:
            self.pin.due = True
            self.ask_pinned()

    def ask_pinned(self) -> None:
        """Ask the newest checkpoint, unless the solving process is busy: then as soon as it is not."""
        pin = self.pin
        if pin is None:
            return
        if pin.due and pin.request is None and not self.searching:
            self.host.solver.submit(pin.text, **pin.to_request())
            pin.begin(self.host.solver.request)
        self.draw_pinned()

    def postpone_pinned(self) -> None:
        """A search of the tab goes first."""
        if self.pin is not None and self.pin.request is not None:
            self.host.solver.cancel()
            self.pin.postpone()

    def receive_pinned(self, message: dict[str, Any]) -> bool:
        """Take over a message if it is of the pinned search; whether it is of that search alone."""
        pin = self.pin
        if pin is None or pin.request is None or message.get("id") not in (None, pin.request):
            return False
        if pin.receive(message):
            self.ask_pinned()
        return message.get("id") is not None
