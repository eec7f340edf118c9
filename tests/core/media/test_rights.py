import pytest

from components.core.media import rights
from components.core.media.rights import Rights
from components.core.media.video import MediaError

AGREED = Rights("Ann", "CC-BY-4.0", "written: yes, 2026", ("train", "dub"), "own camera", "en")


def test_what_is_saved_is_loaded(tmp_path) -> None:
    rights.save(tmp_path, AGREED)
    assert rights.load(tmp_path) == AGREED


@pytest.mark.parametrize(
    ("text", "reason", "detail"),
    [
        (None, "no_rights", "dubstrap rights"),
        ("a: [", "no_rights", "not YAML"),
        ("just words", "no_rights", "no keys"),
        ("speaker: a\nlicence: b\nconsent: c\npermitted: [train]", "no_rights", "does not say source"),
        ("speaker: a\nlicence: b\nconsent: c\nsource: d\npermitted: [sell]", "no_rights", "sell"),
        ("speaker: ' '\nlicence: b\nconsent: c\nsource: d\npermitted: []", "no_rights", "speaker is empty"),
        ("speaker: a\nlicence: b\nconsent: no\nsource: d\npermitted: [train]", "rights_refused", "no consent"),
    ],
)
def test_what_says_too_little_is_refused_with_the_reason(tmp_path, text, reason, detail) -> None:
    if text is not None:
        (tmp_path / rights.NAME).write_text(text)
    with pytest.raises(MediaError, match=detail) as caught:
        rights.load(tmp_path)
    assert caught.value.reason == reason


def test_one_use_may_stand_without_a_list_and_notes_are_allowed(tmp_path) -> None:
    (tmp_path / rights.NAME).write_text("speaker: a\nlicence: b\nconsent: c\nsource: d\npermitted: train\nnote: hi\n")
    assert rights.load(tmp_path) == Rights("a", "b", "c", ("train",), "d")
