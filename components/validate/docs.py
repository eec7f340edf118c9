"""Data Docs that can be read without the internet.

Great Expectations' pages load styles, scripts and a logo from other people's servers whenever they are looked at. We
take those loads out, write out what was an icon, put the little styling that the tables need in, and make the index,
which is a script's work, a list of links. The filter of failed expectations, a script's work too, is one of style.

They also show values of the tables as they are, so a name could be markup. What is none of their elements becomes text,
and a policy keeps the rest from running, loading or sending anything.
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
      | <p>[^<]*newsletter.*?</p>
      | <script>.*?</script> | \sonclick="[^"]*"               # what calls those scripts
      | <p[^>]*>\s*<a\ data-toggle="collapse".*?</p>          # opens what is open without them""",
    re.VERBOSE | re.DOTALL,
)
ICON = re.compile(r'(<i class="fas (fa-[a-z-]+)[^">]*" ?>)</i>')
STATUS = {"fa-check-circle": "✓ passed", "fa-times": "✗ failed", "fa-exclamation-triangle": "! raised an error"}
ELEMENTS = (
    "a|body|br|code|div|footer|h[1-6]|hr|html|i|input|label|li|nav|ol|p|pre|span|strong|table|tbody|td|th|thead|tr|ul"
)
"""Those that the pages' bodies are made of: neither `script` nor `img`."""
FOREIGN = re.compile(rf"<(?!/?(?:{ELEMENTS})\b)")
UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
LOADED = re.compile(r">\d{8}T\d{6}\.\d{6}Z</span>")
POLICY = """<meta http-equiv="Content-Security-Policy"
 content="default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'">
"""
STYLE = """<style>
body { font-family: system-ui, sans-serif; margin: 1rem auto; max-width: 75rem; padding: 0 1rem; }
table { border-collapse: collapse; width: 100%; }
th, td { border: 1px solid #ccc; padding: .3rem .4rem; text-align: left; vertical-align: top; }
.table-responsive { overflow-x: auto; }
.badge { border: 1px solid #888; border-radius: .3rem; padding: .1rem .4rem; line-height: 1.7; }
i { font-style: normal; white-space: nowrap; }
.text-success { color: #0a6b2d; }
.text-danger, .text-warning { color: #a40e26; font-weight: bold; }
.breadcrumb, #navigation ul { list-style: none; padding: 0; }
#navigation ul { columns: 12rem; }
.card, .card * { max-height: none !important; }
.navbar-brand, .modal, footer { display: none; }
body:has(#option2:checked) tr:has(> .hide-succeeded-validation-target-child),
body:has(#option2:checked) .ge-section:has(.hide-succeeded-validation-target-child):not(:has(i:not(.text-success)))
{ display: none; }
@media (max-width: 40rem) {
table[data-search] > thead { display: none; }
table[data-search] > tbody > tr > td { display: block; border-bottom: 0; overflow-wrap: anywhere; }
table[data-search] { border-bottom: 1px solid #ccc; }
}
</style>
</head>"""
INDEX = f"""<!DOCTYPE html>
<html lang="en">
<meta charset="utf-8">
{POLICY}<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Data Docs</title>
"""


def make_offline(folder: Path) -> None:
    """Rewrites the pages of a freshly built site in place, the same bytes for the same results."""
    for page in sorted(folder.rglob("*.html")):
        head, _, body = ICON.sub(_status, REMOTE.sub("", page.read_text())).partition("</head>")
        head = head.replace("<html>", '<html lang="en">', 1).replace("<head>", f"<head>\n{POLICY}", 1)
        page.write_text(_stable(head + STYLE + FOREIGN.sub("&lt;", body)))
    # Fonts and films for the scripts that are gone: 4 MB.
    shutil.rmtree(folder / "static")
    pages = [page.relative_to(folder) for page in sorted(folder.rglob("*.html"), reverse=True) if page.parent != folder]
    links = [f'<p><a href="{page.as_posix()}">{page.parts[0]}: {page.stem}</a></p>\n' for page in pages]
    (folder / "index.html").write_text(INDEX + "".join(links))


def _status(icon: re.Match[str]) -> str:
    """The icon, whose drawing is in a font that is gone, with what it means; icons without a meaning stay empty."""
    return f"{icon[1]}{STATUS.get(icon[2], '')}</i>"


def _stable(text: str) -> str:
    """The page with its random element ids numbered and the time of loading left out."""
    numbers: dict[str, str] = {}
    return UUID.sub(lambda found: numbers.setdefault(found[0], f"part-{len(numbers)}"), LOADED.sub("></span>", text))
