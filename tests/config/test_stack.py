"""Calls of a page stay within one piece of the stack, however deep they lie."""

from __future__ import annotations

import resource
import threading

from django.http import HttpResponse

from config.stack import roomy

DEPTH, CALLS = 300, 50


class TestRoomy:
    def test_asks_for_no_memory_for_each_call_of_a_deep_loop(self):
        faults = []

        def measure():
            before = faults_of_this_thread()
            roomy(looping_at_every_depth)(None)
            faults.append(faults_of_this_thread() - before)

        in_a_thread(measure)  # what Python itself keeps for later is there by now
        in_a_thread(measure)

        assert faults[-1] < CALLS


def looping_at_every_depth(_request, depth=0):
    # One of these loops lies where a piece of 16 KB ends.
    for _ in range(CALLS):
        wide()
    return looping_at_every_depth(None, depth + 1) if depth < DEPTH else HttpResponse()


def wide():
    return None


wide.__code__ = wide.__code__.replace(co_stacksize=50)  # wider than who calls it


def in_a_thread(work):
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()


def faults_of_this_thread():
    return resource.getrusage(resource.RUSAGE_THREAD).ru_minflt
