"""Composes params.yaml from configs/: `python -m flows.params [OVERRIDE ...]`."""

import argparse
import difflib
import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from components.core.base import files, params, runtime
from components.core.base.errors import UserError, shell

log = logging.getLogger(__name__)

CONFIGS = Path("configs")
PARAMS = Path("params.yaml")
ABSENT = "nothing"
OWN = ("about", "scale", "seed")  # what belongs to no stage


def compose(overrides: Sequence[str] = (), configs: Path = CONFIGS) -> str:
    """The text of params.yaml, byte for byte what `dvc exp run -S OVERRIDE` composes.

    Raises:
        UserError: an override or a file of configs/ names a key or a group that is not there.
    """
    from hydra import compose as hydra_compose
    from hydra import initialize_config_dir
    from hydra.errors import HydraException
    from omegaconf import OmegaConf
    from omegaconf.errors import OmegaConfBaseException

    try:
        with initialize_config_dir(str(configs.resolve()), version_base=None):
            config = hydra_compose("config", overrides=list(overrides))
            OmegaConf.resolve(config)
    except (HydraException, OmegaConfBaseException) as error:
        given = " ".join(overrides) or "no overrides"
        raise UserError(
            f"cannot compose {PARAMS} from {configs}/", got=f"{error} ({given})", expected=_nearest(overrides, configs)
        ) from error
    _check_sections(config, configs)
    return str(OmegaConf.to_yaml(config))


def _nearest(overrides: Sequence[str], configs: Path) -> str:
    """What the first override with an unknown key may have meant, or what overrides look like."""
    known = [key for key, _ in params.leaves(yaml.safe_load(compose(configs=configs)))] if overrides else []
    for key in (override.partition("=")[0].lstrip("+~") for override in overrides):
        close = difflib.get_close_matches(key, known, n=1)
        if close and key not in known:
            return f"{close[0]} (the nearest match)"
    return "keys and groups that are there, such as scale=smoke or editor.lip.rank=8"


def _check_sections(config: Mapping[Any, Any], configs: Path) -> None:
    """Each section has a group; stages check the keys within their own, and nobody would miss one that none reads."""
    known = [*OWN, *sorted(path.name for path in configs.iterdir() if path.is_dir())]
    for key in map(str, config):
        if key not in known:
            homes = (
                path for path in sorted(configs.rglob("*.yaml")) if key in (yaml.safe_load(path.read_text()) or ())
            )
            raise UserError(
                f"unknown key {key} in {next(homes, configs)}",
                expected=f"{difflib.get_close_matches(key, known, n=1, cutoff=0)[0]} (the nearest match)",
            )


def check(path: Path = PARAMS, configs: Path = CONFIGS) -> None:
    """Raises a UserError that names the keys in which the file differs from the composition of its own scale."""
    values = params.read(path)
    found = differences(yaml.safe_load(compose([f"scale={values.get('scale', 'studio')}"], configs)), values)
    if found:
        raise UserError(
            f"{path} is not what {configs}/ composes",
            got="; ".join(found[:5]) + (f" and {len(found) - 5} more" if len(found) > 5 else ""),
            fix="Run `make params`, after writing into configs/ what should stay.",
        )


def differences(expected: Mapping[str, Any], actual: Mapping[str, Any]) -> list[str]:
    """One line per leaf key whose value differs: "editor.lip.rank: 8, in configs 16"."""
    here, there = dict(params.leaves(actual)), dict(params.leaves(expected))
    keys = sorted(here.keys() | there.keys())
    return [
        f"{key}: {here.get(key, ABSENT)}, in configs {there.get(key, ABSENT)}"
        for key in keys
        if here.get(key, ABSENT) != there.get(key, ABSENT)
    ]


@shell
def main() -> None:
    """Reads the arguments and writes or checks params.yaml."""
    runtime.start()
    parser = argparse.ArgumentParser("python -m flows.params", description=__doc__)
    parser.add_argument("overrides", nargs="*", metavar="OVERRIDE", help="such as scale=smoke or editor.lip.rank=8")
    parser.add_argument("--check", action="store_true", help="write nothing; exit 2 where params.yaml is not composed")
    arguments = parser.parse_args()
    if arguments.check:
        check()
        return
    files.write_text(PARAMS, compose(arguments.overrides))
    log.info("%s composed from %s/%s", PARAMS, CONFIGS, "".join(f" {text}" for text in arguments.overrides))


if __name__ == "__main__":
    main()
