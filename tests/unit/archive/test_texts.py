"""Texts as an owner wrote them, out of records."""

import sys

from smugmug_backup.archive.texts import keywords_of, text_of, unescaped


def test_keywords_are_parted_as_smugmug_does():
    assert keywords_of({"Keywords": "a, b"}) == ["a", "b"]
    assert keywords_of({"Keywords": '"New York"; a, b'}) == ["New York", "a, b"]
    assert keywords_of({"KeywordArray": ["a", "b", "a", 3], "Keywords": "x"}) == ["a", "b"]
    assert keywords_of({}) == []


def test_a_text_has_its_characters_and_not_their_entities():
    assert text_of("Fish &amp; Chips &eacute;&#233;") == "Fish & Chips \u00e9\u00e9"
    assert unescaped("Fish & Chips") == "Fish & Chips"
    assert text_of(None) == text_of(5) == ""


def test_what_xml_has_no_character_for_becomes_a_mark_and_all_else_stays():
    # https://www.w3.org/TR/xml/#charsets
    text = {0x9, 0xA, 0xD, *range(0x20, 0xD800), *range(0xE000, 0xFFFE)}
    text |= {*range(0x10000, sys.maxunicode + 1)}
    for number in (*range(0x11000), sys.maxunicode):
        assert (text_of(chr(number)) == chr(number)) is (number in text) or number == 0xFFFD
