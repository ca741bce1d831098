"""Every page is valid HTML: what the golden files hold is what the product sends, byte for byte."""

import html5lib
import pytest

from running import ROOT

GOLDENS = ROOT / "Tests/WebTests/HTML/Goldens"


@pytest.mark.parametrize("letter", sorted({file.name[0] for file in GOLDENS.glob("*.html")}))
def test_pages_parse_without_an_error(letter):
    for file in sorted(GOLDENS.glob(f"{letter}*.html")):
        parser = html5lib.HTMLParser(html5lib.getTreeBuilder("etree"))
        parser.parse(file.read_text())
        assert not parser.errors, (file.name, parser.errors[:3])


def test_an_error_is_an_error():
    parser = html5lib.HTMLParser(html5lib.getTreeBuilder("etree"))
    parser.parse("<!doctype html><html lang=en><title>x</title><p><div></p></div>")
    assert parser.errors
