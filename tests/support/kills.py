"""Processes that are killed at a moment of their own: before they rename a file."""

import os


class Killed(BaseException):
    """The process is killed."""


def kill_before(monkeypatch, number):
    """Have the process die before it renames something for the n-th time; gives the count.

    It renames nothing from then on, in any thread.
    """
    count, honest = [0], os.replace

    def replaced(*arguments):
        if count[0] < number:
            count[0] += 1
        if count[0] == number:
            raise Killed
        honest(*arguments)

    monkeypatch.setattr(os, "replace", replaced)
    return count
