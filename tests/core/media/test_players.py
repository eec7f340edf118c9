"""What evaluate put side by side comes apart as it was."""

import io

import numpy as np

from components.core.media import FPS, RATE_HZ, players, video


def test_tiles_and_speech_come_back():
    tone = 0.3 * np.sin(2 * np.pi * 300 * np.arange(RATE_HZ) / RATE_HZ).astype(np.float32)
    levels = {"truth": 40, "copy": 120, "editor": 200}
    film = np.concatenate([np.full((FPS, 48, 48, 3), level, np.uint8) for level in levels.values()], axis=2)
    buffer = io.BytesIO()
    video.write(buffer, film, FPS, crf=8, audio=tone)
    sample = {"mp4": buffer.getvalue(), "json": {"rows": list(levels)}}
    found = players.tiles(sample)
    assert list(found) == list(levels)
    for row, level in levels.items():
        assert found[row].shape == (FPS, 48, 48, 3)
        assert np.abs(found[row][:, 4:-4, 4:-4].astype(int) - level).max() <= 4
    heard = players.speech(sample)[: len(tone)]
    assert np.corrcoef(heard, tone[: len(heard)])[0, 1] > 0.98
