"""Where flows report to: the server of `make server` if it runs, else a temporary one that Prefect starts itself."""

import os
import urllib.request

API = "http://127.0.0.1:4200/api"  # Prefect's default, and that of `make server`
VARIABLE = "PREFECT_API_URL"


def find(api: str = API) -> None:
    """Names the running server to Prefect, unless the user has named one. Call before Prefect is imported."""
    if VARIABLE not in os.environ and healthy(api):
        os.environ[VARIABLE] = api


def healthy(api: str) -> bool:
    """Whether a Prefect server answers there."""
    try:
        with urllib.request.urlopen(f"{api}/health", timeout=1) as answer:
            return bool(answer.read() == b"true")
    except OSError:
        return False
