"""The arguments of `dubstrap dub`."""

import argparse
from dataclasses import fields
from pathlib import Path

from components.dub.options import DubOptions

EXAMPLES = """\
examples:
  dubstrap dub interview.mp4 german.wav -o interview.de.mp4
  dubstrap dub --batch jobs.csv                 # columns: video,speech,out and, if you like, face,length,extend,report
  dubstrap dub clip.mov long_speech.mp3 -o out.mp4 --length speech --extend pingpong --report out.json
"""
LENGTH = """how long the result is. video: as the video, the speech followed by silence, or cut with a warning; speech:
as the speech, the video extended, or cut with a warning; shortest: as the shorter of the two (default: video)"""
EXTEND = """how a video that is shorter than its speech goes on, with --length speech: hold the last frame, play the
last seconds back and forth, or refuse (default: hold)"""

BATCH = """dub every line of a table past failures, and write JOBS.result.csv beside it (exit code 1 if any failed);
the other options hold for all lines"""
CONSENT = "say that the person shown has agreed to be dubbed, where no rights.yaml says so; it goes into the report"
RESUME = "keep what is finished in the folder OUT.resume until the result is whole, and go on from there"


def read(description: str | None) -> argparse.Namespace:
    """The command line, or the end of the program with help or with what is wrong."""
    parser = argparse.ArgumentParser(
        "dubstrap dub", description=description, epilog=EXAMPLES, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("video", type=Path, nargs="?", help="a video with a face in it; it is never touched")
    add("speech", type=Path, nargs="?", help="an audio file, or a video whose sound to take")
    add("-o", "--out", type=Path, help="the result: .mp4, .m4v, .mov or .mkv")
    add("--batch", type=Path, metavar="JOBS.csv", help=BATCH)
    add("--report", type=Path, help="also write a JSON report here: hashes, gaps, timings, lengths")
    add("--model", type=Path, help="the ONNX editor (default: the one that `dvc repro` exported)")
    add("--steps", type=int, help="denoising steps (default: the model's own; 1 is fastest)")
    add("--guidance", type=float, help="how hard the lips follow the speech, 1 is plain (default: the model's own)")
    add("--length", default="video", choices=("video", "speech", "shortest"), help=LENGTH)
    add("--extend", default="hold", choices=("hold", "pingpong", "fail"), help=EXTEND)
    add("--face", type=int, help="which face, where there are several: 1 is the leftmost")
    add("--seed", type=int, default=0, help="same seed, same frames (default: 0)")
    add("--i-have-consent", dest="consent", action="store_true", help=CONSENT)
    add("--resume", action="store_true", help=RESUME)
    add("--sign-key", type=Path, help="private key (PEM) that signs the Content Credentials (default: a test key)")
    add("--sign-chain", type=Path, help="its certificate chain (PEM), leaf first")
    add("--overwrite", action="store_true", help="replace the result where it exists")
    given = parser.parse_args()
    one, many = [given.video, given.speech, given.out], given.batch is not None
    if many == any(one) or (not many and not all(one)) or (many and given.report):
        parser.error("VIDEO SPEECH -o OUT, or --batch JOBS.csv alone")
    return given


def options(arguments: argparse.Namespace) -> DubOptions:
    """The options among the arguments."""
    return DubOptions(**{field.name: getattr(arguments, field.name) for field in fields(DubOptions)})
