"""Data Docs that can be read without the internet.

Great Expectations' pages load styles, scripts and a logo from other people's servers whenever they are looked at. We
take those loads out, put the little styling that the tables need in, and make the index, which is a script's
work, a list of links.
"""

import re
import shutil
from pathlib import Path

REMOTE = re.compile(
    r"""<script[^>]*\ssrc=["']https?://[^>]*>\s*</script>      # scripts
      | <link[^>]*\shref=["']https?://[^>]*>                   # styles
      | <link[^>]*\srel=["']shortcut\ icon["'][^>]*>
      | <img[^>]*\ssrc=["']https?://[^>]*>                     # the logo, whose address carries the time of the run
      | url\(["']?https?://[^)]*\)                             # backgrounds
      | <p>[^<]*newsletter.*?</p>""",
    re.VERBOSE | re.DOTALL,
)
UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
LOADED = re.compile(r">\d{8}T\d{6}\.\d{6}Z</span>")
STYLE = """<style>
body { font-family: system-ui, sans-serif; margin: 2rem auto; max-width: 75rem; padding: 0 1rem; }
table { border-collapse: collapse; width: 100%; }
th, td { border: 1px solid #ccc; padding: .3rem .6rem; text-align: left; }
.badge { border: 1px solid #888; border-radius: .3rem; padding: .1rem .4rem; }
.navbar, .breadcrumb, .modal, .btn { display: none; }
</style>
</head>"""
INDEX = """<!DOCTYPE html>
<meta charset="utf-8">
<title>Data Docs</title>
"""


def make_offline(folder: Path) -> None:
    """Rewrites the pages of a freshly built site in place, the same bytes for the same results."""
    for page in sorted(folder.rglob("*.html")):
        page.write_text(_stable(REMOTE.sub("", page.read_text()).replace("</head>", STYLE, 1)))
    # Fonts and films for the scripts that are gone: 4 MB.
    shutil.rmtree(folder / "static")
    pages = [page.relative_to(folder) for page in sorted(folder.rglob("*.html"), reverse=True) if page.parent != folder]
    links = [f'<p><a href="{page.as_posix()}">{page.parts[0]}: {page.stem}</a></p>\n' for page in pages]
    (folder / "index.html").write_text(INDEX + "".join(links))


def _stable(text: str) -> str:
    """The page with its random element ids numbered and the time of loading left out."""
    numbers: dict[str, str] = {}
    return UUID.sub(lambda found: numbers.setdefault(found[0], f"part-{len(numbers)}"), LOADED.sub("></span>", text))
