"""Pictures as they are stored: the source's own samples, bit for bit, but for what the edit changed."""

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

from components.core.media import video
from components.dub import look as module
from components.dub.look import Look
from components.dub.timeline import timeline
from tests.dub.builders import save_video

STAMPS, TICK = [index * 512 for index in range(6)], Fraction(1, 12800)
FORMATS = ["yuv420p", "yuv422p", "yuv444p", "yuv420p10le", "yuv444p10le"]


def source(tmp_path, **look):
    """Look and pictures of a generated clip."""
    path = save_video(tmp_path / f"source{look.pop('suffix', '.mp4')}", STAMPS, TICK, **look)
    info = video.probe(path)
    return Look.of(path, info), list(timeline(video.frames(path), 25.0, 1.0, "video", "hold"))


def planes(frame):
    return [plane.copy() for plane in module._planes(frame)]


def brighter(picture, rows, columns, amount=40):
    """The picture with a smoothly brighter region, as an edit gives it."""
    rgb = picture.rgb.astype(int)
    rgb[rows, columns] += amount
    return replace(picture, rgb=rgb.clip(0, 255).astype(np.uint8), before=picture.rgb)


@pytest.mark.parametrize("pixel_format", FORMATS)
@pytest.mark.parametrize("rotation", [0, 90])
def test_what_is_not_edited_is_the_source_sample_for_sample(tmp_path, pixel_format, rotation):
    look, pictures = source(tmp_path, pixel_format=pixel_format, rotation=rotation)
    assert look.said == pixel_format
    for picture in pictures:
        made = look.stored(picture)
        assert made.format.name == pixel_format
        for ours, theirs in zip(planes(made), planes(picture.stored), strict=True):
            np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize("colour_range", [1, 2])
@pytest.mark.parametrize("pixel_format", FORMATS)
def test_an_edit_changes_its_blocks_and_nothing_else(tmp_path, pixel_format, colour_range):
    look, pictures = source(tmp_path, pixel_format=pixel_format, colour_range=colour_range, matrix=1)
    edited = brighter(pictures[2], slice(20, 30), slice(35, 50))
    made = look.stored(edited)
    for ours, theirs in zip(planes(made), planes(edited.stored), strict=True):
        down, across = 48 // len(ours), 64 // ours.shape[1]
        inside = np.zeros(ours.shape, bool)
        inside[16 // down : 32 // down, 32 // across : 64 // across] = True
        np.testing.assert_array_equal(ours[~inside], theirs[~inside])
    luma, before = planes(made)[0].astype(int), planes(edited.stored)[0]
    depth = 4 if "10" in pixel_format else 1
    expected = 40 * depth * (1 if colour_range == 2 else 219 / 255)
    assert (luma - before)[22:28, 37:48].mean() == pytest.approx(expected, abs=depth)
    back = made.to_ndarray(format="rgb24")
    assert np.abs(back[22:28, 38:47].astype(int) - edited.rgb[22:28, 38:47]).mean() < 4


@pytest.mark.parametrize("rotation", [0, 90, 180, 270])
def test_an_edit_is_where_it_was_made_at_every_rotation(tmp_path, rotation):
    look, pictures = source(tmp_path, rotation=rotation)
    edited = brighter(pictures[0], slice(4, 12), slice(20, 28))
    shown = np.rot90(look.stored(edited).to_ndarray(format="rgb24"), -(rotation // 90))
    change = shown.astype(int) - pictures[0].rgb
    assert change[6:10, 22:26].mean() > 25
    change[2:14, 18:30] = 0
    assert np.abs(change).mean() < 3


def test_a_picture_of_ten_bits_keeps_its_fine_steps(tmp_path):
    look, pictures = source(tmp_path, pixel_format="yuv420p10le")
    edited = brighter(pictures[0], slice(20, 30), slice(20, 30))
    luma, before = planes(look.stored(edited))[0], planes(pictures[0].stored)[0]
    steps = {int(value) % 4 for value in before[:16].ravel()}
    assert len(steps) > 1  # the source uses the two more bits
    np.testing.assert_array_equal(luma[:16], before[:16])


def test_odd_sizes_and_what_is_not_luma_and_chroma_are_converted(tmp_path):
    look, pictures = source(tmp_path, size=(63, 47), pixel_format="yuv444p")
    np.testing.assert_array_equal(planes(look.stored(pictures[0]))[0], planes(pictures[0].stored)[0])
    made = look.stored(replace(pictures[0], stored=None))
    assert np.abs(planes(made)[0].astype(int) - planes(pictures[0].stored)[0]).mean() < 2


@pytest.mark.parametrize(
    ("codec", "coded", "own", "ours"),
    [
        ("prores_ks", "yuva444p10le", "yuva444p12le", "yuv444p10le"),
        ("ffv1", "yuv420p12le", "yuv420p12le", "yuv420p10le"),
        ("ffv1", "yuv422p12le", "yuv422p12le", "yuv422p10le"),
        ("ffv1", "yuv411p", "yuv411p", "yuv422p"),
        ("ffv1", "yuv440p", "yuv440p", "yuv444p"),
        ("ffv1", "gray12le", "gray12le", "yuv420p10le"),
        ("ffv1", "gbrp12le", "gbrp12le", "yuv444p10le"),
        ("libx264rgb", "rgb24", "gbrp", "yuv444p"),
        ("qtrle", "rgb24", "rgb24", "yuv444p"),
    ],
)
def test_what_the_encoder_lacks_becomes_the_nearest_that_it_has_and_the_report_can_say_so(
    tmp_path, codec, coded, own, ours
):
    suffix, matrix = ".mkv" if codec == "ffv1" else ".mov", 2 if "rgb" in coded or "gbr" in coded else 9
    look, pictures = source(tmp_path, codec=codec, pixel_format=coded, suffix=suffix, matrix=matrix, options={})
    assert (look.pixel_format, look.said) == (ours, f"{ours}, from {own}")
    edited = brighter(pictures[2], slice(20, 30), slice(35, 50))
    for picture in (pictures[2], edited):
        made = look.stored(picture)
        assert made.format.name == ours
        assert int(made.colorspace) == (9 if own.startswith("yuv") else 1)
        assert np.abs(made.to_ndarray(format="rgb24").astype(int) - picture.rgb).mean() < 3
    if own.startswith("yuv"):
        shift = 2 if "12" in own else 0
        luma, before = planes(look.stored(pictures[2]))[0], planes(pictures[2].stored)[0]
        np.testing.assert_allclose(luma, before / 2**shift, atol=1 if shift else 0)
    if "10" in ours:
        assert len({int(value) % 4 for value in planes(made)[0][:16].ravel()}) > 1  # not by way of eight bits


def test_an_odd_size_in_halved_chroma_becomes_full_chroma_and_the_report_can_say_so(tmp_path):
    look, pictures = source(tmp_path, size=(63, 47), pixel_format="yuv420p", codec="ffv1", suffix=".mkv", options={})
    assert look.said == "yuv444p, from yuv420p"
    np.testing.assert_array_equal(planes(look.stored(pictures[0]))[0], planes(pictures[0].stored)[0])


def test_the_source_s_picture_is_never_written_to(tmp_path):
    look, pictures = source(tmp_path)
    before = planes(pictures[0].stored)
    look.stored(brighter(pictures[0], slice(0, 40), slice(0, 60)))
    for ours, theirs in zip(planes(pictures[0].stored), before, strict=True):
        np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize(("aspect", "rotation", "width"), [(None, 0, 1), (2, 0, 2), (2, 90, 0.5), (2, 180, 2)])
def test_the_width_of_a_displayed_pixel(tmp_path, aspect, rotation, width):
    more = {"aspect": Fraction(aspect)} if aspect else {}
    assert source(tmp_path, rotation=rotation, **more)[0].pixel_width == width
