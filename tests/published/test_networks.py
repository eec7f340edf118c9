"""The published networks: equal to plain modules of the same layout, and right where the answer is known."""

from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from components.core.base.errors import UserError
from components.core.media import FPS, RATE_HZ
from components.published import arcface, frechet, inception, lpips, syncnet, tensors
from components.published.framing import Framing, framed
from components.published.tensors import Tensors
from tests.published import checkpoints

FRAMES, SIZE = 12, 48


def clip(seed: int) -> np.ndarray:
    """(f h w 3) of smooth noise that moves."""
    rough = np.random.default_rng(seed).integers(0, 255, (FRAMES, 6, 6, 3)).astype(np.uint8)
    return rough.repeat(SIZE // 6, 1).repeat(SIZE // 6, 2)


def sound(seconds: float) -> np.ndarray:
    """A voice of sorts: what python_speech_features was asked about, for `test_mfcc`."""
    t = np.arange(round(seconds * RATE_HZ)) / RATE_HZ
    voice = 0.3 * np.sin(2 * np.pi * 200 * t) * (1 + np.sin(2 * np.pi * 3 * t)) / 2
    return (voice + 0.05 * np.sin(2 * np.pi * 3100 * t) + 0.001 * np.sin(2 * np.pi * 6000 * t * t)).astype(np.float32)


def held(values: dict[str, torch.Tensor]) -> Tensors:
    return Tensors(Path("some.pth"), values)


def test_mfcc_is_that_of_python_speech_features():
    found = syncnet.mfcc(sound(8123 / RATE_HZ))
    assert found.shape == (50, 13)
    # fmt: off
    said = {  # by python_speech_features 0.6 of the same sound in 16 bits
        10: [19.8058, 6.5234, -2.1072, 48.2352, -16.6508, -6.2129, 27.5043, -35.3388, -16.6, 8.8175, -41.5782,
             -14.0503, -1.2069],
        49: [19.3591, -3.2184, 0.3249, 43.6311, -14.6669, -7.4413, 24.2998, -31.1854, -20.0575, 11.5427, -44.7036,
             -10.2228, -5.0493],
    }
    # fmt: on
    for row, values in said.items():
        np.testing.assert_allclose(found[row], values, atol=2e-3)


def test_syncnet_sees_and_hears_as_its_layers_do():
    model = checkpoints.stirred(checkpoints.syncnet())
    network = held(model.state_dict())
    frames, count = clip(0), FRAMES - syncnet.WINDOW_FRAMES
    seen = torch.from_numpy(framed(frames, syncnet.FRAMING)[..., ::-1].copy()).float().permute(3, 0, 1, 2)
    windows = torch.stack([seen[:, i : i + 5] for i in range(count)])
    with torch.inference_mode():
        expected = model.netfclip(model.netcnnlip(windows).flatten(1))
        torch.testing.assert_close(syncnet.lip_vectors(network, frames, count), expected, rtol=1e-3, atol=1e-3)
        rows = torch.from_numpy(syncnet.mfcc(sound(FRAMES / FPS))).float().T
        heard = torch.stack([rows[None, :, 4 * i : 4 * i + 20] for i in range(count)])
        expected = model.netfcaud(model.netcnnaud(heard).flatten(1))
    found = syncnet.sound_vectors(network, sound(FRAMES / FPS), count)
    torch.testing.assert_close(found, expected, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("late", [0, 3])
def test_sync_is_found_at_any_shift(monkeypatch: pytest.MonkeyPatch, late: int):
    told = torch.from_numpy(np.random.default_rng(0).normal(size=(60, 16))).float()
    monkeypatch.setattr(syncnet, "lip_vectors", lambda network, frames, count: told[:count])
    monkeypatch.setattr(syncnet, "sound_vectors", lambda network, samples, count: told.roll(late, 0)[:count])
    frames, samples = np.zeros((55, 4, 4, 3), np.uint8), np.zeros(55 * RATE_HZ // FPS, np.float32)
    confidence, distance = syncnet.scores(held({}), frames, samples)
    assert distance < 1  # but for what the shift cuts off at the end
    assert confidence > 3
    short = syncnet.scores(held({}), frames[:5], samples)
    assert np.isnan(short).all()


def test_arcface_is_its_layers_and_knows_who_is_who():
    model = checkpoints.stirred(checkpoints.ArcFace())
    network, frames = held(model.state_dict()), clip(1)
    with torch.inference_mode():
        images = torch.from_numpy(framed(frames, arcface.FRAMING)).permute(0, 3, 1, 2)
        expected = F.normalize(model(images.float() / 127.5 - 1)).numpy()
    found = arcface.vectors(network, frames)
    np.testing.assert_allclose(found, expected, atol=1e-4)
    assert arcface.csim(found, found) == pytest.approx(1, abs=1e-5)
    assert arcface.csim(found, arcface.vectors(network, clip(2))) < 0.999


def test_lpips_is_zero_for_the_same_and_grows():
    alexnet, heads = held(checkpoints.alexnet()), held(checkpoints.heads())
    frames = clip(3)
    near = np.clip(frames.astype(int) + np.random.default_rng(0).integers(-4, 5, frames.shape), 0, 255).astype(np.uint8)
    far = clip(4)
    assert lpips.distance(alexnet, heads, frames, frames) == 0
    a, b = (lpips.distance(alexnet, heads, frames, other) for other in (near, far))
    assert 0 < a < b
    assert lpips.distance(alexnet, heads, far, frames) == pytest.approx(b, rel=1e-5)


def test_lpips_of_one_layer_by_hand():
    """Two features that point elsewhere, everywhere: their directions' squared difference is 2, weighed by a half."""
    a, b = (torch.zeros(1, 4, 3, 3) for _ in range(2))
    a[:, 0], b[:, 1] = 5.0, 0.1
    assert float(lpips._layer(held(checkpoints.heads()), 0, a, b)) == pytest.approx(1.0)


def test_inception_has_every_block_in_its_place():
    network = held(checkpoints.inception())
    grey = np.full((2, SIZE, SIZE, 3), 191, np.uint8)
    found = inception.vectors(network, grey)
    assert found.shape == (2, 6 * checkpoints.NARROW)
    # Each convolution hands the mean on and every pooling leaves a constant: also at the border, where a mean that
    # counted the padding, as torch's does unless told, would be darker.
    np.testing.assert_allclose(found, 191 / 255 * 2 - 1, atol=1e-4)


def test_the_last_block_takes_maxima():
    network = held(checkpoints.inception())
    x = torch.zeros(1, 6 * checkpoints.NARROW, 8, 8)
    x[..., 4, 4] = 1.0
    pooled = inception._forked(network, x, "Mixed_7c", F.max_pool2d(x, 3, 1, 1))
    assert pooled.shape[1] == 6 * checkpoints.NARROW
    assert int((pooled[0, -1] > 0.5).sum()) == 9  # the pooled branch: one bright pixel has become nine
    assert int((pooled[0, 0] > 0.5).sum()) == 1
    assert float(inception._mean_pool(x)[0, 0, 4, 4]) == pytest.approx(1 / 9)


def test_frechet_s_distance_of_gaussians():
    draw = np.random.default_rng(0)
    a = draw.normal(size=(50_000, 3))
    assert frechet.distance(a, a) == pytest.approx(0, abs=1e-6)
    assert frechet.distance(a, a + np.array([3, 0, 4])) == pytest.approx(25, abs=1e-6)
    assert frechet.distance(a, 3 * a) == pytest.approx(3 * 2**2, rel=0.05)  # (3 - 1)^2 in each direction
    turn = np.array([[0, 1, 0], [1, 0, 0], [0, 0, 1]])
    stretched = a * np.array([2, 1, 1])
    assert frechet.distance(stretched, stretched @ turn) == pytest.approx(2 * (2 - 1) ** 2, rel=0.05)
    few = draw.normal(size=(4, 8))  # fewer vectors than dimensions: singular, and still a number
    assert frechet.distance(few, few + 1) == pytest.approx(8, abs=1e-4)
    assert np.isnan(frechet.distance(few[:1], few))


def test_videos_give_one_vector_for_every_whole_window(tmp_path: Path):
    checkpoints.write(tmp_path)
    network = frechet.detector(tmp_path / "i3d_torchscript.pt")
    levels = np.repeat(np.array([0, 255], np.uint8), 20)
    film = np.broadcast_to(levels[:, None, None, None], (40, 24, 24, 3))
    found = frechet.video_vectors(network, film)
    assert found.shape == (2, 6)
    assert found[0, 0] == pytest.approx(-1)  # 0 to 255 becomes -1 to 1
    assert found[1, 0] == pytest.approx(0.5)  # 4 black frames of 16
    assert frechet.video_vectors(network, film[:15]).shape[0] == 0


def test_faces_are_framed_by_the_crop_s_own_units():
    crop = np.zeros((1, 120, 120, 3), np.uint8)  # a unit is 10 px
    crop[:, 38:42, 58:62] = 255  # between the eyes: x = 6 u, y = 4 u
    found = framed(crop, Framing(left_u=1.0, top_u=-1.0, side_u=10.0, size_px=200, border=0))
    y, x = (int(np.average(np.arange(200), weights=found[0, ..., 0].sum(axis=axis))) for axis in (1, 0))
    assert abs(x - 100) <= 1
    assert abs(y - 100) <= 1
    outside = framed(crop, Framing(left_u=-2.0, top_u=0.0, side_u=12.0, size_px=96, border=110))
    assert (outside[0, :, :14] == 110).all()


@pytest.mark.parametrize(
    ("content", "message"),
    [({"other": torch.zeros(2)}, "no tensor netcnn"), ([1, 2], "mapping of names"), (None, "can't be read")],
)
def test_a_wrong_file_is_named(tmp_path: Path, content: object, message: str):
    path = tmp_path / "syncnet_v2.model"
    path.write_bytes(b"not torch") if content is None else torch.save(content, path)
    with pytest.raises(UserError, match=rf"syncnet_v2\.model.*{message}"):
        syncnet.lip_vectors(tensors.read(path), clip(0), 1)
