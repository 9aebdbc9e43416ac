"""Signals become requests; impatience, that is the same signal a second later, gets its old effect."""

import gc
import signal

import pytest

from polyctl.runtime import signals
from polyctl.runtime.signals import Interrupts, answering_interrupts, ignoring_interrupts


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


@pytest.mark.usefixtures("_no_collection")
def test_the_first_signal_is_answered_at_once_and_once(capsys):
    with Interrupts("saving"):
        signal.raise_signal(signal.SIGINT)
        assert capsys.readouterr().err == "saving\n"
        signal.raise_signal(signal.SIGINT)
    assert capsys.readouterr().err == ""


@pytest.mark.usefixtures("_no_collection")
def test_an_answer_comes_before_the_interrupt_and_a_second_one_ends_all(capsys, monkeypatch):
    ends = []
    monkeypatch.setattr(signals.os, "_exit", ends.append)
    before = signal.getsignal(signal.SIGINT)
    with answering_interrupts("stopping"):
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
        assert capsys.readouterr().err == "stopping\n"
        signal.raise_signal(signal.SIGINT)
    assert ends == [130]
    assert signal.getsignal(signal.SIGINT) == before


def test_nothing_disturbs_a_block_without_interrupts():
    with ignoring_interrupts():
        signal.raise_signal(signal.SIGINT)
