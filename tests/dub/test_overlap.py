"""Decoding, tracking, editing and encoding each have a thread, so that none waits for its turn."""

import threading
from collections import defaultdict
from contextlib import contextmanager

import pytest

from components.core.media import video
from components.dub import DubOptions, dub
from components.dub.report import STAGES, Clock


@pytest.mark.media
def test_stages_run_in_threads_of_their_own(media, tmp_path, tinting, monkeypatch):
    threads, count = defaultdict(set), Clock.__call__

    @contextmanager
    def noted(self, stage):
        threads[stage].add(threading.get_ident())
        with count(self, stage):
            yield

    monkeypatch.setattr(Clock, "__call__", noted)
    frames = [frame.rgb for frame in video.frames(media / "clip08_grid_lwbsza.mpg")][:20]
    video.write(tmp_path / "short.mp4", frames, 25, crf=4)
    sound = media / "audio11_latentsync1.wav"
    dub(tmp_path / "short.mp4", sound, tmp_path / "out.mp4", DubOptions(model=tinting, consent=True))
    assert set(threads) == set(STAGES)
    main = {threading.get_ident()}
    assert threads["encode"] == threads["paste"] == threads["sign"] == main
    own = [threads[stage] - main for stage in ("decode", "track", "edit")]
    assert all(len(thread) == 1 for thread in own)
    assert len(set.union(*own)) == 3
