"""A job is watched, paused and cancelled from outside."""

from __future__ import annotations

import threading
import time

import pytest

from app.engine.jobs import NULL_JOB, Cancelled, Job, Progress


def test_tracking_counts_what_was_done() -> None:
    job = Job()
    assert list(job.track("abc", "Reading", 3)) == ["a", "b", "c"]
    assert (job.progress.phase, job.progress.done, job.progress.total) == ("Reading", 3, 3)


def test_failures_and_the_last_note_are_kept() -> None:
    job = Job()
    job.begin("Reading", 2)
    job.advance(failed=1, note="a.jpg")
    job.advance()
    assert (job.progress.failed, job.progress.note) == (1, "a.jpg")


def test_reports_are_thinned_and_the_last_one_always_comes() -> None:
    seen: list[Progress] = []
    job = Job(seen.append, min_interval_s=3600)
    for _ in job.track(range(1000), "Reading", 1000):
        pass
    assert [progress.done for progress in seen] == [0, 1000]


def test_what_an_earlier_job_has_done_says_nothing_of_how_fast_this_one_is(monkeypatch: pytest.MonkeyPatch) -> None:
    now_s = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: now_s[0])
    job = Job()
    job.begin("Downloading", 1000, done=800, in_bytes=True)
    now_s[0] += 10
    job.advance(100)
    assert (job.progress.done, job.progress.in_bytes) == (900, True)
    assert (job.progress.rate_per_s, job.progress.remaining_s) == (10, 10)


def test_cancelling_ends_the_work_at_its_next_step() -> None:
    job = Job()
    done = []
    with pytest.raises(Cancelled):
        for number in job.track(range(10), "Reading"):
            done.append(number)
            if number == 2:
                job.cancel()
    assert done == [0, 1, 2]
    assert job.cancelled


def test_a_paused_job_waits_and_goes_on() -> None:
    paused, finished = threading.Event(), threading.Event()
    job = Job(lambda progress: paused.set() if progress.paused else None, min_interval_s=0)
    job.pause()

    def work() -> None:
        list(job.track(range(3), "Reading", 3))
        finished.set()

    thread = threading.Thread(target=work)
    thread.start()
    assert paused.wait(10)
    assert not finished.is_set()
    job.resume()
    thread.join(10)
    assert finished.is_set()
    assert not job.progress.paused


def test_a_paused_job_can_be_cancelled() -> None:
    job = Job()
    job.pause()
    job.cancel()
    with pytest.raises(Cancelled):
        job.check()


def test_nobody_watching_costs_nothing() -> None:
    assert list(NULL_JOB.track("ab", "Reading")) == ["a", "b"]
