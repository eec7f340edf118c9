"""Dubs one video: decode, track, crop, edit, paste back, encode, one picture at a time."""

import logging
from collections.abc import Iterator
from dataclasses import dataclass, replace
from math import ceil
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

from components.core.base import files
from components.core.base.errors import UserError
from components.core.diffusion.guidance import Guidance
from components.core.media import audio, geometry, video
from components.core.media.face import FaceMesh
from components.core.media.video import MediaError, VideoInfo
from components.dub import follow, model, report
from components.dub.edit import Dubber, Edited
from components.dub.follow import Follower, track
from components.dub.model import Editor, Sampling
from components.dub.options import DubOptions, Progress
from components.dub.output import FORMATS, SOUND_HZ, Look, Writer
from components.dub.report import Clock, DubReport, Input
from components.dub.speech import Speech
from components.dub.timeline import LONGEST_S, Picture, steady, timeline

DEFAULTS = DubOptions()
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Job:
    """Everything that is known before the first picture is decoded."""

    video: Path
    voice: Path
    info: VideoInfo
    speech: Speech
    editor: Editor
    sampling: Sampling
    options: DubOptions

    @property
    def expected_frames(self) -> int:
        """Of the result, as far as the probe can tell."""
        speech_frames = ceil(self.speech.duration_s * self.info.fps)
        counts = {"video": self.info.frames, "speech": speech_frames, "shortest": min(self.info.frames, speech_frames)}
        return counts[self.options.length]


def run(
    video_path: Path | str,
    speech_path: Path | str,
    out: Path | str,
    options: DubOptions = DEFAULTS,
    progress: Progress | None = None,
) -> DubReport:
    """Writes to `out` the video with its face speaking the speech, and says what was done.

    The result has the video's size, rotation, rate, times and colours and the speech as its sound. Pictures without a
    face stay as they are, and so does everything outside the lower face. The inputs are never touched, and `out` is
    either whole or absent.

    Args:
        video_path: any video with a face in it.
        speech_path: any audio file, or a video whose sound to take.
        out: the result: .mp4, .m4v, .mov or .mkv.
        options: see `DubOptions`.
        progress: called after every frame.

    Raises:
        UserError: something about the inputs, the model or the output is wrong; its text says what and what to do.
    """
    source, voice, target = Path(video_path), Path(speech_path), Path(out)
    _check(source, voice, target, options)
    job, clock = _prepare(source, voice, options), Clock()
    try:
        with files.replacing(target) as temporary:
            result = _dub(job, temporary, clock, progress)
    except (OSError, av.FFmpegError) as error:
        raise UserError(f"can not write {target}", got=error.strerror or str(error)) from error
    log.info("%s: %d frames, %s", target, result.frames, result.length)
    return result


def _check(source: Path, voice: Path, target: Path, options: DubOptions) -> None:
    if target.suffix.lower() not in FORMATS:
        raise UserError(f"can not write {target}", got=f"suffix {target.suffix!r}", expected=" ".join(FORMATS))
    if not target.parent.is_dir():
        raise UserError(f"can not write {target}", got="its folder does not exist", fix=f"mkdir -p {target.parent}")
    for path in (source, voice):
        if path.exists() and target.exists() and path.samefile(target):
            raise UserError(f"the output {target} is an input, which is never touched", fix="Choose another -o.")
    if target.exists() and not (options.overwrite and target.is_file()):
        raise UserError(f"{target} already exists", fix="Choose another -o, or add --overwrite.")


def _prepare(source: Path, voice: Path, options: DubOptions) -> Job:
    info, speech = video.probe(source), Speech.load(voice)
    if info.duration_s > info.frames * LONGEST_S:
        raise MediaError("unreadable", f"{source.name}: {info.frames} frames in {info.duration_s:.0f} s are no video")
    editor = Editor(model.find(options.model))
    if options.length != "speech":
        _long_enough(source, info.frames, editor.card.chunk_frames)
    guidance = editor.card.guidance
    if options.guidance is not None:
        guidance = Guidance(guidance.reference, options.guidance)
    return Job(source, voice, info, speech, editor, Sampling(options.steps or editor.card.steps, guidance), options)


def _dub(job: Job, target: Path, clock: Clock, progress: Progress | None) -> DubReport:
    with clock("track"):
        face, count = follow.choose(job.video, job.options.face)
    mask = geometry.soft_mask(job.editor.card.size_px)
    dubbed: list[bool] = []
    with clock("audio"):
        sound = audio.load(job.voice, SOUND_HZ)
    with (
        FaceMesh(faces=1 if count <= 1 else follow.MOST_FACES) as mesh,
        Writer(target, Look.of(job.video, job.info), sound) as writer,
    ):
        follower = follow.Follower(face, alone=count <= 1)
        for edited in _edited(job, follower, mesh, clock):
            with clock("paste"):
                picture = _pasted(edited, mask)
            with clock("encode"):
                writer.add(picture)
            dubbed.append(edited.window is not None)
            if progress:
                progress(len(dubbed), job.expected_frames)
    if not any(dubbed):
        raise MediaError("no_face", f"{job.video.name}: no face found in {len(dubbed)} frames")
    _long_enough(job.video, len(dubbed), job.editor.card.chunk_frames)
    return _report(job, writer, dubbed, clock)


def _edited(job: Job, follower: Follower, mesh: FaceMesh, clock: Clock) -> Iterator[Edited]:
    frames = clock.each("decode", steady(video.frames(job.video), job.video))
    options = job.options
    pictures = timeline(frames, float(job.info.fps), job.speech.duration_s, options.length, options.extend)
    seen = track(pictures, follower, mesh, job.editor.card.size_px, clock)
    return Dubber(job.editor, job.speech, job.sampling, options.seed, clock).edit(seen)


def _pasted(edited: Edited, mask: NDArray[np.float32]) -> Picture:
    if edited.window is None or edited.transform is None:
        return edited.picture
    return replace(edited.picture, rgb=geometry.paste(edited.picture.rgb, edited.window, edited.transform, mask))


def _report(job: Job, writer: Writer, dubbed: list[bool], clock: Clock) -> DubReport:
    return DubReport(
        video=Input(job.video.name, files.sha256(job.video), job.info.duration_s),
        speech=Input(job.voice.name, files.sha256(job.voice), job.speech.duration_s),
        model=Input(job.editor.path.name, files.sha256(job.editor.path), None),
        card_id=job.editor.card.card_id,
        provider=job.editor.provider,
        options=job.options,
        steps=job.sampling.steps,
        guidance=job.sampling.guidance,
        frames=writer.frames,
        gaps=report.gaps(dubbed),
        video_s=writer.end_s,
        audio_s=writer.sound_s,
        length=_length(job, writer.end_s),
        seconds=clock.seconds,
    )


def _length(job: Job, result_s: float) -> str:
    """What the length policy came to; where it cost anybody something, that is also logged as a warning."""
    policy = job.options.length
    frame_s = 1 / float(job.info.fps)
    lost = {"speech": job.speech.duration_s - result_s, "video": job.info.duration_s - result_s}
    cut = [f"the last {lost_s:.2f} s of the {name} are cut" for name, lost_s in lost.items() if lost_s > frame_s]
    added = []
    if lost["video"] < -frame_s:
        added.append(f"the video is extended by {-lost['video']:.2f} s ({job.options.extend})")
    if lost["speech"] < -frame_s:
        added.append(f"the last {-lost['speech']:.2f} s are silent")
    if cut:
        log.warning("%s (--length %s); the other policies are video, speech and shortest", " and ".join(cut), policy)
    return "; ".join([f"--length {policy}: {result_s:.2f} s", *cut, *added])


def _long_enough(path: Path, frames: int, chunk_frames: int) -> None:
    if frames < chunk_frames:
        detail = (
            f"{path.name}: {frames} frames to dub, expected at least the {chunk_frames} that the model sees at once"
        )
        raise MediaError("too_short", detail)
