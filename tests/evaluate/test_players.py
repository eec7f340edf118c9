"""A player shows every row in step, with the speech and the curves that the metrics were made of."""

import json
from pathlib import Path

import numpy as np
import pytest

from components.core.media import audio, shards, video
from components.evaluate import core, players
from components.evaluate.benchmark import Pair
from components.evaluate.rows import ROWS
from tests.evaluate.conftest import FRAMES, SIZE, speech


def test_the_film_holds_the_rows_from_left_to_right(evaluation: core.Evaluation, tmp_path: Path):
    player = evaluation.players[0]
    assert (player.pair_id, player.about["rows"]) == ("c0--p0", list(ROWS))
    film = video.decode_bytes(player.film)
    assert film.shape == (FRAMES, SIZE, SIZE * len(ROWS), 3)
    kept = evaluation.samples[0].frames
    for number, row in enumerate(ROWS):
        tile = film[:, :, number * SIZE : (number + 1) * SIZE].astype(float)
        assert np.abs(tile - kept[row]).mean() < 12, row  # chroma is halved, and this world is rough
        if row == "generator":
            assert np.abs(tile - kept["copy"]).mean() > np.abs(tile - kept[row]).mean()
    (tmp_path / "film.mp4").write_bytes(player.film)
    assert np.abs(audio.load(tmp_path / "film.mp4")).max() > 0.05


def test_the_curves_are_the_openings(evaluation: core.Evaluation):
    about = evaluation.players[1].about
    opening = {row: np.array(values) for row, values in about["opening"].items()}
    assert set(opening) == set(ROWS)
    assert np.corrcoef(opening["truth"], speech(101))[0, 1] > 0.95
    assert np.corrcoef(opening["copy"], speech(1))[0, 1] > 0.95
    assert np.abs(opening["editor"] - opening["truth"]).max() < 0.01
    assert about["slices"] == ["language=en", "yaw=0-10"]


def test_a_lost_face_is_null_in_json(pairs: list[Pair], tmp_path: Path):
    frames = {"copy": pairs[0].source.frames}
    player = players.make(pairs[0], frames, {"copy": np.array([np.nan] + [0.5] * (FRAMES - 1))})
    players.write(tmp_path, [player])
    about = shards.read(tmp_path, "players-00000.tar", "c0--p0")["json"]
    assert about["opening"]["copy"][:2] == [None, 0.5]
    json.dumps(about, allow_nan=False)


def test_a_key_that_no_shard_takes_is_refused(pairs: list[Pair], tmp_path: Path):
    player = players.Player("../p", b"", {})
    with pytest.raises(ValueError, match="neither dots nor slashes"):
        players.write(tmp_path, [player])
