from __future__ import annotations

import signal

import pytest

from dev_agent.cancel import Cancel, signals_interrupt
from tests.testing.children import in_child


def test_a_request_is_seen_by_who_waits() -> None:
    cancel = Cancel()
    cancel.check()
    cancel.request()
    assert cancel.requested
    with pytest.raises(KeyboardInterrupt):
        cancel.check()


def test_a_signal_interrupts_the_main_thread_at_once() -> None:
    cancel = Cancel()
    with pytest.raises(KeyboardInterrupt):
        cancel.on_signal(signal.SIGTERM, None)
    assert cancel.requested


def test_a_signal_inside_a_shield_waits_for_its_end() -> None:
    cancel = Cancel()
    finished = False
    with pytest.raises(KeyboardInterrupt), cancel.shielded():
        with cancel.shielded():
            cancel.on_signal(signal.SIGINT, None)
        cancel.check()
        finished = True
    assert finished
    assert cancel.requested


def test_an_error_inside_a_shield_is_not_hidden_by_the_signal() -> None:
    cancel = Cancel()
    with pytest.raises(ValueError, match="undo"), cancel.shielded():
        cancel.on_signal(signal.SIGINT, None)
        raise ValueError("undo")
    assert cancel.requested


def test_handlers_are_installed_for_the_three_signals() -> None:
    cancel = Cancel()
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    try:
        cancel.install_signal_handlers()
        assert all(signal.getsignal(number) == cancel.on_signal for number in before)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def test_a_signal_the_caller_has_us_ignore_stays_ignored() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    others = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        Cancel().install_signal_handlers()
        assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)
        for number, handler in others.items():
            signal.signal(number, handler)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_before_a_command_listens_a_signal_is_an_interruption_and_not_a_death(number: signal.Signals) -> None:
    def interrupted() -> None:
        signal.signal(number, signal.SIG_DFL)
        with pytest.raises(KeyboardInterrupt), signals_interrupt():
            signal.raise_signal(number)
        assert signal.getsignal(number) is signal.SIG_DFL

    # In a child, which alone dies of it otherwise.
    assert in_child(interrupted) == 0


@pytest.mark.parametrize("taken", [signal.SIG_IGN, Cancel().on_signal], ids=["ignored", "taken"])
def test_a_signal_somebody_ignores_or_has_taken_stays_so(taken: signal.Handlers) -> None:
    before = signal.signal(signal.SIGHUP, taken)
    try:
        with signals_interrupt():
            assert signal.getsignal(signal.SIGHUP) == taken
        assert signal.getsignal(signal.SIGHUP) == taken
    finally:
        signal.signal(signal.SIGHUP, before)
