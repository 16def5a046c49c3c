"""The queue of the page: fair, bounded, and over when the visitor has left."""

import threading
from concurrent.futures import CancelledError

import pytest

from colorlib.app.turns import Ended, Queue


def started(queue, visitor):
    """Keep a worker busy; return what lets it go, and its future."""
    begun, over = threading.Event(), threading.Event()

    def call(go_on):
        begun.set()
        assert over.wait(10)
        go_on()

    future = queue.submit(visitor, call)
    assert begun.wait(10)
    return over, future


def test_lines_take_turns_and_what_is_looked_at_goes_first():
    queue, order = Queue(workers=1), []
    over, _ = started(queue, "ann")
    for name in ("a1", "a2", "a3"):
        last = queue.submit("ann", lambda go_on, name=name: order.append(name))
    queue.submit("bob", lambda go_on: order.append("b1"))
    queue.submit("cem", lambda go_on: order.append("c1"))
    queue.submit("ann", lambda go_on: order.append("looked at"), first=True)
    over.set()
    last.result(10)
    assert order == ["looked at", "b1", "c1", "a1", "a2", "a3"]


def test_one_visitor_never_holds_all_workers():
    queue = Queue(workers=2)
    over, _ = started(queue, "ann")
    waiting = [queue.submit("ann", lambda go_on: None) for _ in range(50)]
    assert queue.submit("bob", lambda go_on: "done").result(10) == "done"  # while the first is still at work
    assert not any(future.done() for future in waiting)
    over.set()
    waiting[-1].result(10)


def test_errors_reach_whoever_waits_and_the_queue_goes_on():
    queue = Queue(workers=1)
    with pytest.raises(ZeroDivisionError):
        queue.submit("ann", lambda go_on: 1 / 0).result(10)
    assert queue.submit("ann", lambda go_on: 1).result(10) == 1


def test_work_has_a_time_limit():
    def endless(go_on):
        while True:
            go_on()

    queue = Queue(workers=1)
    with pytest.raises(Ended, match=r"more than the 0.05 seconds"):
        queue.submit("ann", endless, seconds=0.05).result(10)


def test_who_has_left_is_not_waited_for():
    here = {"ann": True, "bob": True}
    queue = Queue(workers=1, is_here=lambda visitor: here[visitor])
    over, running = started(queue, "ann")
    waiting = queue.submit("ann", lambda go_on: None)
    here["ann"] = False
    other = queue.submit("bob", lambda go_on: "done")
    over.set()
    with pytest.raises(Ended, match="left"):
        running.result(10)
    assert other.result(10) == "done"
    with pytest.raises(CancelledError):
        waiting.result(10)


def test_one_may_leave_at_once():
    queue = Queue(workers=1)
    over, running = started(queue, "ann")
    waiting = queue.submit("ann", lambda go_on: None)
    queue.leave("ann")
    assert waiting.cancelled() and not running.done()
    over.set()
    running.result(10)
