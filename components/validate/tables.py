"""Parquet in and out, with errors that people can act on."""

from pathlib import Path

import pandas as pd
from pyarrow import ArrowInvalid

from components.core.base.errors import UserError
from components.core.base.files import replacing


def read(path: Path, stage: str) -> pd.DataFrame:
    """The table; a missing or broken file names the stage that writes it."""
    try:
        return pd.read_parquet(path)
    except FileNotFoundError:
        raise UserError(f"{path} does not exist", fix=f"Run `dvc repro {stage}`.") from None
    except ArrowInvalid as error:
        raise UserError(f"{path} is not parquet", got=str(error), fix=f"Run `dvc repro --force {stage}`.") from None


def write(path: Path, table: pd.DataFrame) -> None:
    """The whole table or nothing."""
    with replacing(path) as temporary:
        table.to_parquet(temporary, index=False)
