"""Write the rights.yaml of a speaker's folder: who is seen, under which terms, for which uses."""

import argparse
import logging
import sys
from pathlib import Path

from components.core.base import runtime
from components.core.base.errors import UserError, shell
from components.core.media.rights import UNKNOWN_LANGUAGE, USES

QUESTIONS = {
    "speaker": "who is seen and heard",
    "licence": "terms of use of the footage, such as CC-BY-4.0 or private",
    "consent": "how and when the person agreed, such as 'written release of 2026-03-01'",
    "permitted": f"uses that are permitted, out of {','.join(USES)}, between commas; train is what the pipeline needs",
    "source": "where the footage is from",
    "language": f"language that is spoken, such as en; {UNKNOWN_LANGUAGE} if you don't know",
}


@shell
def main() -> None:
    """Reads flags, asks for what they leave open, writes the file."""
    parser = argparse.ArgumentParser(
        prog="dubstrap rights",
        description=__doc__,
        epilog="Without flags it asks. In a script give every flag: dubstrap rights data/footage/anna --speaker Anna "
        "--licence private --consent 'written release of 2026-03-01' --permitted train,dub --source 'own camera' "
        "--language en",
    )
    parser.add_argument("folder", type=Path, help="the speaker's folder, such as data/footage/anna")
    for name, question in QUESTIONS.items():
        parser.add_argument(f"--{name}", help=question)
    parser.add_argument("--overwrite", action="store_true", help="replace a rights.yaml that is already there")
    args = parser.parse_args()
    runtime.start()

    from components.rights.core import Answers, run

    answers = {name: _answer(name, question, getattr(args, name)) for name, question in QUESTIONS.items()}
    logging.getLogger(__name__).info("wrote %s", run(args.folder, Answers(**answers), args.overwrite))


def _answer(name: str, question: str, given: str | None) -> str:
    """The flag's value, or what the user types."""
    if given is not None:
        return given
    if not sys.stdin.isatty():
        raise UserError(
            f"--{name} is missing", expected=question, fix="Give it, or run this in a terminal to be asked."
        )
    return input(f"{name} ({question}): ").strip()


if __name__ == "__main__":
    main()
