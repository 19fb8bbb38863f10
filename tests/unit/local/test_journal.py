from __future__ import annotations

import threading

import pytest

from local.journal import Delivery, Entry, Invocation, Journal, Line


def line(number: int) -> Line:
    """Return one of many lines."""
    return Line("function", str(number))


def test_what_follows() -> None:
    """A reader of a number of entries gets those that follow, once each."""
    journal = Journal()
    read: list[Entry] = []
    for number in range(5):
        journal.write(line(number))
        if number % 2:
            read += journal.after(len(read))
    assert read == [line(number) for number in range(4)]
    assert journal.after(journal.count) == []


def test_one_kind() -> None:
    """Entries of one kind are found among all."""
    journal = Journal()
    invocation, delivery = Invocation("function", "request", None), Delivery("target", '{"id": 1}')
    for entry in (line(1), invocation, delivery):
        journal.write(entry)
    assert journal.entries(Invocation) == [invocation]
    assert [found.event for found in journal.entries(Delivery)] == [{"id": 1}]


def test_oldest_are_forgotten() -> None:
    """A full journal forgets its oldest entry, and says so to who asks for it."""
    journal = Journal(most=3)
    for number in range(4):
        journal.write(line(number))
    assert journal.all() == journal.after(1) == [line(1), line(2), line(3)]
    assert journal.count == 4
    with pytest.raises(LookupError, match="keeps the last 3"):
        journal.after(0)


def test_wait_for_an_entry() -> None:
    """A thread that waits looks again when something is written."""
    journal, looked = Journal(), threading.Event()

    def look() -> bool:
        looked.set()
        return bool(journal.count)

    def write() -> None:
        looked.wait()
        journal.write(line(1))

    writer = threading.Thread(target=write)
    writer.start()
    assert journal.wait_for(look, 60)
    writer.join()


def test_wait_in_vain() -> None:
    """A wait for what never holds ends, and gives what was found last."""
    assert not Journal().wait_for(lambda: False, 0)
