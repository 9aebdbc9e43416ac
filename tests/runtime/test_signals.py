"""Signals become requests; impatience, that is the same signal a second later, gets its old effect."""

import gc
import signal

import pytest

from polyctl.runtime import signals
from polyctl.runtime.signals import Interrupts


@pytest.fixture
def _no_collection():
    """A KeyboardInterrupt that comes while a callback of the garbage collector runs is lost."""
    gc.disable()
    yield
    gc.enable()


@pytest.mark.usefixtures("_no_collection")
def test_a_second_ctrl_c_interrupts_at_once(monkeypatch):
    clock = [100.0]
    monkeypatch.setattr(signals.time, "monotonic", lambda: clock[0])
    with Interrupts() as interrupts:
        assert not interrupts.asked
        signal.raise_signal(signal.SIGINT)
        assert interrupts.asked
        clock[0] += 0.5
        signal.raise_signal(signal.SIGINT)  # torchrun passes the same Ctrl-C on
        clock[0] += 0.6
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
