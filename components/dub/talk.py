"""Who of several talks: lips against the video's own sound, by the sync expert, or by loudness where it can't tell."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from components.core.media import FPS, MEL_BINS, MEL_PER_FRAME, RATE_HZ, audio, geometry, mel, video
from components.core.media import face as landmarks_of
from components.core.media.face import MEASURES, FaceMesh
from components.core.media.video import MediaError
from components.dub.follow import Floats, Shots, squared
from components.dub.sync import SyncExpert
from components.dub.tracks import Follower

Image = NDArray[np.uint8]
Rows = NDArray[np.float32]

MOST_FACES = 6
TALK_S = 8.0
"""So much decides who talks, from the first face on."""
ENOUGH_S = 1.5
MOVES = 0.03
"""Standard deviation of the lip opening, in distances of the eyes: speech has 0.05 to 0.14, rest below 0.01."""
STILL = 0.35
"""A mouth that moves less than this share of another's is at rest beside it."""
NEAR_FRAMES, FAR_FRAMES = 3, 15
"""Sound and picture of a clip may be so far apart; scores at up to so many frames are what a wrong sound has."""


@dataclass(frozen=True)
class Bar:
    """What a talker's score has to be.

    Attributes:
        alone: where every other mouth rests.
        least: where another moves too.
        ahead: by so much it then beats the others that move.
    """

    alone: float
    least: float
    ahead: float


EXPERT, LOUDNESS = "sync expert", "loudness"
BARS = {EXPERT: Bar(alone=0.12, least=0.15, ahead=0.1), LOUDNESS: Bar(alone=0.2, least=0.35, ahead=0.25)}
"""The judges, the better one first. The expert's score is its cosine in step over the median of those out of step: .28
to .62 for talkers of the studio, up to .08 for others. That of loudness is its correlation with the opening."""


@dataclass
class Talk:
    """How a face's mouth moves.

    Attributes:
        frames: numbers, at 25 fps from the first that was looked at, of the frames in which it was seen.
        openings: of the lips in these.
        windows: (h w 3) of these, as the sync expert sees them; empty where there is none.
        scores: how well they go with the sound, by the names of BARS; without the expert's where there is none.
    """

    frames: list[int] = field(default_factory=list)
    openings: list[float] = field(default_factory=list)
    windows: list[Image] = field(default_factory=list)
    scores: dict[str, float] = field(default_factory=dict)

    @property
    def motion(self) -> float:
        """Standard deviation of its opening."""
        return float(np.std(self.openings)) if self.openings else 0.0


def talks(
    path: Path, followers: list[Follower], start_s: float, pixel_width: float, expert: SyncExpert | None
) -> list[Talk]:
    """How the mouth of each one's face moves, and how well that goes with the video's own sound.

    Args:
        path: the video.
        followers: of the faces, whose first picture is the one at `start_s`; they go on at 25 fps.
        start_s: from here on TALK_S are looked at.
        pixel_width: width over height of a pixel as displayed.
        expert: to be asked, if there is one.
    """
    found, shots = [Talk() for _ in followers], Shots()
    with FaceMesh(faces=MOST_FACES) as mesh:
        for number, rgb in enumerate(stretch(path, start_s, pixel_width)):
            if cut := shots.begins(rgb):
                mesh.reset()
            faces = mesh.detect(rgb)
            for talk, follower in zip(found, followers, strict=True):
                if (landmarks := follower.pick(faces, rgb, cut)) is not None:
                    _watch(talk, number, rgb, landmarks, expert)
    if (rows := heard(path, start_s)) is not None:
        for talk in found:
            talk.scores[LOUDNESS] = with_loudness(talk, rows)
            if expert:
                talk.scores[EXPERT] = in_sync(talk, rows, expert)
    return found


def _watch(talk: Talk, number: int, rgb: Image, landmarks: Floats, expert: SyncExpert | None) -> None:
    """Adds what is seen of the face with these landmarks (478, 3) in a frame."""
    talk.frames.append(number)
    talk.openings.append(float(landmarks_of.measures(landmarks[None])[0, MEASURES.index("opening")]))
    if expert:
        transform = geometry.alignment(landmarks[None], expert.card.size_px)[0]
        crop = geometry.warp(rgb, transform, expert.card.size_px)
        talk.windows.append(expert.card.window.take(crop[None])[0].copy())


def talker(talks: list[Talk]) -> tuple[int, str] | None:
    """The one that clearly talks, and by which judge: the first that is sure; None where none is."""
    for judge in BARS:
        if (index := clear(talks, judge)) is not None:
            return index, judge
    return None


def clear(talks: list[Talk], judge: str) -> int | None:
    """The one that talks: its mouth moves, and every other's rests or is less in step with the sound; else None."""
    bar, scores = BARS[judge], [talk.scores.get(judge, 0.0) for talk in talks]
    moving = [index for index in range(len(talks)) if talks[index].motion >= MOVES]
    if not moving:
        return None
    one = max(moving, key=lambda index: scores[index])
    others = [index for index in range(len(talks)) if index != one]
    alone = all(talks[other].motion < STILL * talks[one].motion for other in others)
    leads = all(talks[other].motion < MOVES or scores[other] <= scores[one] - bar.ahead for other in others)
    sure = (alone and scores[one] >= bar.alone) or (leads and scores[one] >= bar.least)
    return one if sure else None


def in_sync(talk: Talk, rows: Rows, expert: SyncExpert) -> float:
    """The expert's mean cosine at the best offset of up to NEAR_FRAMES, over the median one of all to FAR_FRAMES."""
    margin, least = expert.card.mel_margin, FAR_FRAMES + expert.card.frames
    missing = max(0, MEL_PER_FRAME * (talk.frames[-1] + 1) - len(rows)) if talk.frames else 0
    padded = np.pad(rows, ((margin, margin + missing), (0, 0)), constant_values=mel.SILENCE)
    offsets = range(-FAR_FRAMES, FAR_FRAMES + 1)
    sums, counts = np.zeros((2, len(offsets)))
    for run in runs(talk.frames):
        start, stop = MEL_PER_FRAME * talk.frames[run.start], MEL_PER_FRAME * (talk.frames[run.stop - 1] + 1)
        if run.stop - run.start < least:
            continue
        cosines = expert.cosines(np.stack(talk.windows[run]), padded[start : stop + 2 * margin])
        sums += [np.trace(cosines, offset) for offset in offsets]
        counts += [len(cosines) - abs(offset) for offset in offsets]
    if counts.max() < ENOUGH_S * FPS:
        return 0.0
    means = sums / counts
    near = means[FAR_FRAMES - NEAR_FRAMES : FAR_FRAMES + NEAR_FRAMES + 1]
    return float(near.max() - np.median(means))


def with_loudness(talk: Talk, rows: Rows) -> float:
    """The best correlation of opening and loudness at an offset of up to NEAR_FRAMES."""
    if len(talk.frames) < 12 or talk.frames[-1] - talk.frames[0] < ENOUGH_S * FPS:
        return 0.0
    loudness = rows[:, : 3 * MEL_BINS // 4].mean(1)  # above lie hiss and sibilants
    smooth = np.convolve(loudness, np.hanning(13) / np.hanning(13).sum(), "same")  # over a syllable
    frames, openings, found = np.array(talk.frames), np.array(talk.openings), [0.0]
    for lag in range(-NEAR_FRAMES * MEL_PER_FRAME, NEAR_FRAMES * MEL_PER_FRAME + 1, 2):
        index = frames * MEL_PER_FRAME + lag
        inside = (index >= 0) & (index < len(smooth))
        heard = smooth[index[inside]]
        if inside.sum() >= 12 and np.std(heard) > 0 and np.std(openings[inside]) > 0:
            found.append(float(np.corrcoef(openings[inside], heard)[0, 1]))
    return max(found)


def runs(frames: list[int]) -> list[slice]:
    """The places in the list of each stretch of numbers that follow one another."""
    starts = [0, *(i for i in range(1, len(frames)) if frames[i] != frames[i - 1] + 1), len(frames)]
    return [slice(*pair) for pair in pairwise(starts) if pair[0] < pair[1]]


def stretch(path: Path, start_s: float, pixel_width: float) -> Iterator[Image]:
    """The pictures of TALK_S from `start_s` on, at 25 fps, their pixels made square."""
    end_s = min(start_s + TALK_S, video.probe(path).duration_s)
    for rgb in video.resample(video.frames(path), FPS, start_s, end_s):
        yield squared(rgb, pixel_width)


def heard(path: Path, start_s: float) -> Rows | None:
    """Log-mel of the video's own sound in TALK_S from `start_s` on; None without sound there."""
    blocks: list[NDArray[np.float32]] = []
    start, position = round(start_s * RATE_HZ), 0
    try:
        for block in audio.stream(path):
            blocks.append(block[0, max(0, start - position) :])
            position += block.shape[1]
            if position > start + (TALK_S + 1) * RATE_HZ:
                break
    except MediaError:
        return None
    return mel.log_mel(np.concatenate(blocks)) if position > start else None
