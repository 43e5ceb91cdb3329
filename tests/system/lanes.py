"""The suite in several worlds at once. A lane is a process with a world of its own, which takes the next class of tests when it is through with one."""
import ctypes
import multiprocessing
import multiprocessing.connection
import os
import signal
import sys
import time
import traceback
import unittest

import world

FORK = multiprocessing.get_context("fork")  # a lane gets the suite as it was loaded here
PR_SET_PDEATHSIG = 1


class Reporter(unittest.TestResult):
    """Tells the parent how each test ended, as (outcome, seconds, name, what there is to read)."""

    def __init__(self, tell):
        super().__init__()
        self.tell = tell

    def startTest(self, test):
        super().startTest(test)
        self.began, self.ended = time.monotonic(), ("ok", "")

    def stopTest(self, test):
        super().stopTest(test)
        outcome, text = self.ended
        self.tell((outcome, time.monotonic() - self.began, test.id(), text))

    def note(self, outcome, test, text):
        if isinstance(test, unittest.TestCase):
            self.ended = ("FAILED" if self.ended[0] == "FAILED" else outcome, self.ended[1] + text)
        else:  # of a class that could not be set up or torn down
            self.tell((outcome, 0.0, test.id(), text))

    def addError(self, test, err):
        super().addError(test, err)
        self.note("FAILED", test, self.errors[-1][1])

    def addFailure(self, test, err):
        super().addFailure(test, err)
        self.note("FAILED", test, self.failures[-1][1])

    def addSubTest(self, test, subtest, err):
        super().addSubTest(test, subtest, err)
        if err is not None:
            self.note("FAILED", test, f"{subtest}\n{''.join(traceback.format_exception(*err))}")

    def addSkip(self, test, reason):
        super().addSkip(test, reason)
        self.note("skipped", test, reason)


def run_lane(number, is_lab, classes, work, results):
    """The process of a lane: takes numbers of `classes` until there are none left."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
    reporter = Reporter(results.send)
    try:
        world.start(is_lab, number)
        while (index := work.get()) is not None:
            classes[index].run(reporter)
        results.send(None)
    except KeyboardInterrupt:
        pass
    except Exception:  # no world, no tests
        results.send(("BROKEN", 0.0, f"lane {number}", traceback.format_exc()))
    finally:
        if world.THE_WORLD:
            world.THE_WORLD.stop()


def classes_of(suite):
    """The suites of the classes that have tests, those with the most tests first: what begins last keeps the other lanes waiting."""
    if suite.countTestCases() == 0:
        return []
    tests = list(suite)
    if all(isinstance(test, unittest.TestCase) for test in tests):
        return [suite]
    found = [each for test in tests for each in (classes_of(test) if isinstance(test, unittest.TestSuite) else [unittest.TestSuite([test])])]
    return sorted(found, key=lambda each: -each.countTestCases())


def show(outcome, seconds, name, text):
    print(f"{outcome:7} {seconds:6.1f} s  {name}{': ' + text if outcome == 'skipped' else ''}")
    if outcome in ("FAILED", "BROKEN"):
        print(text)
    sys.stdout.flush()


def results_of(lanes):
    """What the lanes tell, as they do; the last is of one that broke, if one did. `lanes` are their ends of a pipe."""
    while lanes:
        for lane in multiprocessing.connection.wait(lanes):
            try:
                result = lane.recv()
            except EOFError:
                result = ("BROKEN", 0.0, "a lane", "it ended and said nothing")
            if result is None:
                lanes.remove(lane)
                continue
            yield result
            if result[0] == "BROKEN":
                return


def run(suite, is_lab, lanes):
    """Runs it, prints how each test ended and a line that sums it up; returns whether all is well."""
    began = time.monotonic()
    classes = classes_of(suite)
    work = FORK.SimpleQueue()
    for index in [*range(len(classes)), *[None] * lanes]:
        work.put(index)
    processes, pipes, ended = [], [], []
    try:
        for number in range(lanes):
            pipe, end = FORK.Pipe(duplex=False)
            pipes.append(pipe)
            processes.append(FORK.Process(target=run_lane, args=(number, is_lab, classes, work, end)))
            processes[-1].start()
            end.close()
        for result in results_of(pipes):
            show(*result)
            ended.append(result)
    finally:
        for process in processes:
            if pipes and process.is_alive():  # not all are through
                os.kill(process.pid, signal.SIGTERM)
        for process in processes:
            process.join()
    print("\nslowest:", *(f"{seconds:7.1f} s  {name}" for _, seconds, name, _ in sorted(ended, key=lambda each: -each[1])[:10]), sep="\n")
    passed, skipped = (sum(each[0] == outcome for each in ended) for outcome in ("ok", "skipped"))
    failed = len(ended) - passed - skipped
    print(f"{passed} passed, {failed} failed, {skipped} skipped in {time.monotonic() - began:.0f} s")
    return failed == 0 and passed > 0
