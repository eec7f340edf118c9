"""Dubs one video: decode, track, crop, edit, paste back, encode, each stage in a thread, one picture at a time."""

import logging
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from math import ceil
from pathlib import Path

import av
import numpy as np

from components.core.base import files
from components.core.base.errors import UserError
from components.core.diffusion.guidance import Guidance
from components.core.media import video
from components.core.media.face import FaceMesh
from components.core.media.video import LONGEST_S, MediaError, VideoInfo
from components.dub import beside, consent, credentials, faces, likeness, occluder, report, sync
from components.dub.ahead import Stages
from components.dub.blend import Blender
from components.dub.credentials import Sources
from components.dub.edit import Dubber, Edited, Model
from components.dub.faces import Choice
from components.dub.follow import Once, Tracker, track
from components.dub.journal import SUFFIX, Journal
from components.dub.likeness import Likeness
from components.dub.look import Look
from components.dub.model import Editor, Sampling, find
from components.dub.occluder import OccluderExpert
from components.dub.options import DubOptions, Progress
from components.dub.output import FORMATS, Sound, Writer
from components.dub.report import Clock, DubReport, Input
from components.dub.speech import Speech
from components.dub.streams import Others
from components.dub.talk import MOST_FACES
from components.dub.timeline import steady, timeline

DEFAULTS = DubOptions()
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Job:
    """Everything that is known before the first picture is decoded."""

    video: Input
    voice: Input
    model: Input
    info: VideoInfo
    speech: Speech
    editor: Editor
    occluder: OccluderExpert | None
    sampling: Sampling
    options: DubOptions
    consent: str

    @property
    def expected_frames(self) -> int:
        """Of the result, as far as the probe can tell."""
        speech_frames = ceil(self.speech.duration_s * self.info.fps)
        counts = {"video": self.info.frames, "speech": speech_frames, "shortest": min(self.info.frames, speech_frames)}
        return counts[self.options.length]

    @property
    def identity(self) -> dict[str, object]:
        """What decides every pixel of the result."""
        hashes = {name: getattr(self, name).sha256 for name in ("video", "voice", "model")}
        experts = {kind: beside.place(self.model.path, kind) for kind in (sync.KIND, occluder.KIND)}
        hashes |= {kind: files.sha256(path) if path.is_file() else "" for kind, path in experts.items()}
        chosen = {name: getattr(self.options, name) for name in ("length", "extend", "face")}
        return {**hashes, **chosen, **asdict(self.sampling), "versions": report.versions()}


@dataclass(frozen=True)
class Done:
    """What became of the pictures: the reason of each that was not edited, else ""; and what was written."""

    reasons: list[str]
    writer: Writer
    others: Others
    blender: Blender
    choice: Choice
    tracker: Tracker


def run(
    video_path: Path | str,
    speech_path: Path | str,
    out: Path | str,
    options: DubOptions = DEFAULTS,
    progress: Progress | None = None,
) -> DubReport:
    """Writes to `out` the video with its face speaking the speech, and says what was done.

    The result has the video's size, rotation, rate and colours, its times from its first picture on, which is at 0, its
    other streams, and the speech as its sound.
    Pictures without a face stay as they are, and so does everything outside the lower face. The inputs are never
    touched, and `out` is either whole or absent.

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
    start, clock = time.perf_counter(), Clock()
    job = _prepare(source, voice, options, clock)
    signer = credentials.signer(options.sign_key, options.sign_chain)
    journal = Journal(target.with_name(target.name + SUFFIX) if options.resume else None, job.identity)
    done = _written(job, Context(clock, journal, progress, target), signer)
    beside = credentials.beside(target)
    signed = signer.name + (f", in {beside.name}" if beside else "")
    result = _report(job, done, clock, signed, time.perf_counter() - start)
    log.info("%s: %d frames, %s, credentials signed by %s", target, result.frames, result.length, signed)
    return result


@dataclass(frozen=True)
class Context:
    """What goes along with a job: the seconds, the journal, whom to tell of progress, and the name of the result."""

    clock: Clock
    journal: Journal
    progress: Progress | None
    target: Path


def _check(source: Path, voice: Path, target: Path, options: DubOptions) -> None:
    if target.suffix.lower() not in FORMATS:
        raise UserError(f"can not write {target}", got=f"suffix {target.suffix!r}", expected=" ".join(FORMATS))
    if not target.parent.is_dir():
        raise UserError(f"can not write {target}", got="its folder does not exist", fix=f"mkdir -p {target.parent}")
    for written in filter(None, (target, credentials.beside(target))):
        for path in (source, voice):
            if path.exists() and written.exists() and path.samefile(written):
                raise UserError(f"the output {written} is an input, which is never touched", fix="Choose another -o.")
        if written.exists() and not (options.overwrite and written.is_file()):
            raise UserError(f"{written} already exists", fix="Choose another -o, or add --overwrite.")


def _prepare(source: Path, voice: Path, options: DubOptions, clock: Clock) -> Job:
    info = video.probe(source)
    if info.duration_s > info.frames * LONGEST_S:
        raise MediaError("unreadable", f"{source.name}: {info.frames} frames in {info.duration_s:.0f} s are no video")
    grounds = consent.basis(source, options.consent)
    with clock("audio"):
        speech = Speech.load(voice)
    editor = Editor(find(options.model))
    if options.length != "speech":
        _long_enough(source, info.frames, editor.card.chunk_frames)
    guidance = editor.card.guidance
    if options.guidance is not None:
        guidance = Guidance(guidance.reference, options.guidance)
    sampling = Sampling(options.steps or editor.card.steps, guidance, options.seed)
    inputs = (Input.of(source, info.duration_s), Input.of(voice, speech.duration_s), Input.of(editor.path, None))
    return Job(*inputs, info, speech, editor, OccluderExpert.beside(editor), sampling, options, grounds)


def _written(job: Job, context: Context, signer: credentials.Signer) -> Done:
    """The dub, whole and signed at its place."""
    beside = credentials.beside(context.target)
    try:
        with ExitStack() as whole:
            manifest = whole.enter_context(files.replacing(beside)) if beside else None
            temporary = whole.enter_context(files.replacing(context.target))
            done = _dub(job, temporary, context)
            with context.clock("sign"):
                _sign(job, temporary, manifest, signer)
    except (OSError, av.FFmpegError) as error:
        raise UserError(f"can not write {context.target}", got=error.strerror or str(error)) from error
    finally:
        context.journal.close()
    context.journal.remove()
    return done


def _dub(job: Job, temporary: Path, context: Context) -> Done:
    source, size_px, chunk = job.video.path, job.editor.card.size_px, job.editor.card.chunk_frames
    look, reasons, blender = Look.of(source, job.info), list[str](), Blender(size_px)
    with ExitStack() as stack:
        with context.clock("track"):
            sheet = context.target.with_suffix(".faces.png")
            choice = faces.choose(source, job.options.face, sheet, look.pixel_width, job.editor.path)
            mesh = stack.enter_context(FaceMesh(faces=MOST_FACES))
            once = Once(mesh, 2 * likeness.BANK_FRAMES)
            bank = likeness.collect(source, choice, once, size_px, look.pixel_width)
        with context.clock("audio"):
            wanted = likeness.hear(job.voice.path, job.editor)
        model = Model(job.editor, Likeness(bank, wanted, job.editor.card.references), job.occluder)
        others = stack.enter_context(Others(source, job.info.start_s))
        writer = stack.enter_context(Writer(temporary, look, Sound.of(job.voice.path), others))
        stages = stack.enter_context(Stages())  # last, so that no thread outlives what it uses
        known = context.journal.records("places", Tracker.SHAPE, np.float64)
        once.again(knows=not known.left)
        tracker = Tracker(once, choice.follower(), size_px, look.pixel_width, known)
        for edited in stages.ahead(_edited(job, model, tracker, stages, context), chunk):
            with context.clock("paste"):
                picture = blender.paste(edited)
            with context.clock("encode"):
                writer.add(picture)
            reasons.append(edited.reason)
            if context.progress:
                context.progress(len(reasons), job.expected_frames)
        if all(reasons):
            raise MediaError("no_face", f"{source.name}: {_why_none(reasons)} in {len(reasons)} frames")
        _long_enough(source, len(reasons), chunk)
    return Done(reasons, writer, others, blender, choice, tracker)


def _edited(job: Job, model: Model, tracker: Tracker, stages: Stages, context: Context) -> Iterator[Edited]:
    clock, options, card = context.clock, job.options, job.editor.card
    frames = clock.each("decode", steady(video.frames(job.video.path), job.video.path))
    rate_fps, speech_s, video_s = float(job.info.fps), job.speech.duration_s, job.info.duration_s
    pictures = timeline(frames, rate_fps, speech_s, options.length, options.extend, video_s)
    seen = track(stages.ahead(pictures, likeness.AHEAD_FRAMES), tracker, clock)
    shape = (card.window.height, card.window.width, 3)
    known = context.journal.records("made", shape, np.uint8)
    return Dubber(model, job.speech, job.sampling, clock, known).edit(stages.ahead(seen, card.chunk_frames))


def _why_none(reasons: list[str]) -> str:
    return max(set(reasons), key=reasons.count) if reasons else "no picture"


def _sign(job: Job, path: Path, manifest: Path | None, signer: credentials.Signer) -> None:
    """Puts the credentials into the file at `path`, or into one of their own."""
    sources = Sources(job.video.path, job.video.sha256, job.voice.sha256, job.editor.card.card_id, job.consent)
    if manifest:
        return credentials.sign(path, manifest, sources, signer)
    with files.replacing(path) as signed:
        credentials.sign(path, signed, sources, signer)


def _report(job: Job, done: Done, clock: Clock, signed: str, wall_s: float) -> DubReport:
    writer = done.writer
    return DubReport(
        video=job.video,
        speech=job.voice,
        model=job.model,
        card_id=job.editor.card.card_id,
        provider=job.editor.provider,
        occluders=job.occluder is not None,
        consent=job.consent,
        face=done.choice.why,
        credentials=signed,
        pixel_format=writer.look.said,
        sound=writer.sound.said,
        other_streams=tuple(done.others.kept),
        dropped_streams=tuple(done.others.dropped),
        seam_db=done.blender.seam_db,
        options=job.options,
        steps=job.sampling.steps,
        guidance=job.sampling.guidance,
        frames=writer.frames,
        gaps=report.gaps(done.reasons),
        tracks=report.tracks(done.tracker.tracks.values()),
        video_s=writer.end_s,
        audio_s=writer.sound_s,
        length=_length(job, writer.end_s),
        seconds=clock.seconds,
        wall_s=wall_s,
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
