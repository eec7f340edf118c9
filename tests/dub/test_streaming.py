"""Streaming: decoding, tracking, editing and encoding overlap, and however long a video is, few pictures are held."""

import threading
import weakref
from collections import defaultdict
from contextlib import contextmanager

import numpy as np
import pytest

from components.core.media import video
from components.dub import DubOptions, dub
from components.dub.output import Writer
from components.dub.report import STAGES, Clock
from components.dub.timeline import Picture
from tests.dub.people import film

MOST_PICTURES = 60
"""What two chunks in queues, one in hand, the smoothing's reach and the encoder's picture come to, and some more."""


@pytest.fixture
def talking(tmp_path):
    """A clip of so many frames, which goes on backwards where it is longer than the film."""

    def write(frames):
        shown = film(0, 75).pictures
        path = tmp_path / "source.mp4"
        video.write(path, ([*shown, *shown[::-1]])[:frames], 25, crf=4)
        return path

    return write


def test_stages_run_in_threads_of_their_own(talking, speech, tmp_path, tinting, monkeypatch):
    threads, count = defaultdict(set), Clock.__call__

    @contextmanager
    def noted(self, stage):
        threads[stage].add(threading.get_ident())
        with count(self, stage):
            yield

    monkeypatch.setattr(Clock, "__call__", noted)
    dub(talking(20), speech(1.0), tmp_path / "out.mp4", DubOptions(model=tinting, consent=True))
    assert set(threads) == set(STAGES)
    main = {threading.get_ident()}
    assert threads["encode"] == threads["paste"] == threads["sign"] == main
    own = [threads[stage] - main for stage in ("decode", "track", "edit")]
    assert all(len(thread) == 1 for thread in own)
    assert len(set.union(*own)) == 3


def test_few_pictures_are_in_memory_at_any_time(talking, speech, tmp_path, tinting, monkeypatch):
    """Pixels are counted, since they are what fills a memory: every array that is as large as a frame."""
    made, alive = [], []
    begin, add = Picture.__init__, Writer.add

    def noted(self, rgb, *more, **named):
        begin(self, rgb, *more, **named)
        made.append(weakref.ref(rgb))

    def count(self, picture):
        made[:] = [one for one in made if one() is not None]
        alive.append(len({id(one()) for one in made}))
        add(self, picture)

    monkeypatch.setattr(Picture, "__init__", noted)
    monkeypatch.setattr(Writer, "add", count)
    report = dub(talking(140), speech(6.0), tmp_path / "out.mp4", DubOptions(model=tinting, consent=True))
    assert (report.frames, report.gaps) == (140, ())
    assert 1 < max(alive) <= MOST_PICTURES
    assert np.mean(alive[100:]) <= np.mean(alive[30:100]) + 5
