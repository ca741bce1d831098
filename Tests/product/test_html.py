"""Every page is valid HTML, and the site can be written as files by the program alone."""

import gzip
import re
import shutil
import struct
import subprocess
import zlib

import html5lib
import pytest

from running import BINARY, ROOT

GOLDENS = ROOT / "Tests/WebTests/HTML/Goldens"


def errors(text):
    parser = html5lib.HTMLParser(html5lib.getTreeBuilder("etree"))
    parser.parse(text)
    return parser.errors[:3]


# What the golden files hold is what the product sends, byte for byte.
@pytest.mark.parametrize("letter", sorted({file.name[0] for file in GOLDENS.glob("*.html")}))
def test_pages_parse_without_an_error(letter):
    for file in sorted(GOLDENS.glob(f"{letter}*.html")):
        assert not errors(file.read_text()), file.name


def test_an_error_is_an_error():
    assert errors("<!doctype html><html lang=en><title>x</title><p><div></p></div>")
    assert errors("<!doctype html><html lang=en><title>x</title><p>&nosuch;</p>")


def site_build(output, resources=ROOT, app="https://app.example"):
    return subprocess.run(
        [BINARY, "site", "build", "--output", output, "--app-url", app, "--resources", resources],
        capture_output=True, text=True, timeout=120, env={"PATH": "/usr/bin:/bin"})


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    folder = tmp_path_factory.mktemp("site") / "out"
    done = site_build(folder)
    assert done.returncode == 0, done.stderr
    return folder


def test_the_site_as_files(site):
    for file in site.rglob("*.html"):
        html = file.read_text()
        assert not errors(html), file
        assert 'href="https://app.example/login"' in html, file
        assert 'href="/login"' not in html and 'action="/' not in html, file
    assert site_build(site).returncode == 0


def test_the_landing_page_weighs_little(site):
    for page in ("index.html", "pt-br/index.html"):
        html = (site / page).read_text()
        # Whatever a browser fetches for it.
        files = [page] + re.findall(r'<link[^>]* href="/(assets/[^"]*)"', html)
        # The page carries its own rules; beside it there is its icon alone.
        assert len(files) == 2 and "<style>" in html and not re.search(r"<(script|img|iframe|video)\b", html)
        assert sum(len(gzip.compress((site / file).read_bytes())) for file in files) < 40_000


def png(data):
    """Width, height and the rows of a PNG of three channels; every chunk's checksum is looked at."""
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    at, chunks = 8, []
    while at < len(data):
        length, name = struct.unpack(">I4s", data[at:at + 8])
        body = data[at + 8:at + 8 + length]
        (check,) = struct.unpack(">I", data[at + 8 + length:at + 12 + length])
        assert check == zlib.crc32(name + body)
        chunks.append((name, body))
        at += 12 + length
    assert [name for name, _ in chunks] == [b"IHDR", b"IDAT", b"IEND"]
    width, height, *rest = struct.unpack(">IIBBBBB", chunks[0][1])
    assert rest == [8, 2, 0, 0, 0]
    raw, stride = zlib.decompress(chunks[1][1]), width * 3 + 1
    assert len(raw) == stride * height and not any(raw[::stride])
    return width, height, [raw[row * stride + 1:(row + 1) * stride] for row in range(height)]


def test_the_share_image_is_a_picture(site):
    pictures = []
    for page in ("index.html", "pt-br/index.html", "docs/index.html"):
        address = re.search(r'property="og:image" content="https://app.example/([^"]*)"',
                            (site / page).read_text())[1]
        data = (site / address).read_bytes()
        assert len(data) < 60_000
        width, height, rows = png(data)
        assert (width, height) == (1200, 630)
        assert rows[0][:3] == bytes.fromhex("fbfaf7")
        assert rows[112][716 * 3:717 * 3] == bytes.fromhex("dd9a12")
        pictures.append(address)
    assert pictures[0] == pictures[2] != pictures[1]


def test_what_is_refused(site, tmp_path):
    (tmp_path / "mine.txt").write_text("x")
    done = site_build(tmp_path)
    assert done.returncode != 0 and "holds files that no `site build` wrote" in done.stderr
    assert [file.name for file in tmp_path.iterdir()] == ["mine.txt"]
    done = site_build(tmp_path / "new", app="app.example")
    assert done.returncode != 0 and "--app-url is not an address" in done.stderr


def test_a_broken_page_is_named_with_its_line(tmp_path):
    for folder in ("content", "Public", "Templates"):
        shutil.copytree(ROOT / folder, tmp_path / folder)
    page = tmp_path / "content/pt-br/how-it-works.md"
    text = page.read_text()
    line = text[:text.index("lanes:")].count("\n") + 1
    page.write_text(text.replace("lanes: [", "lanes: [Ana, ", 1).replace("tone: back", "tone: blue", 1))
    first = text[:text.index("tone: back")].count("\n") + 1
    done = site_build(tmp_path / "out", resources=tmp_path)
    assert done.returncode != 0 and f"content/pt-br/how-it-works.md:{first}: " in done.stderr
    page.write_text(text.replace("lanes: [", "lanes: [[", 1))
    done = site_build(tmp_path / "out", resources=tmp_path)
    assert done.returncode != 0
    named = re.search(r"content/pt-br/how-it-works.md:(\d+): ", done.stderr)
    # A list that never ends is noticed at the next key.
    assert named and line <= int(named[1]) <= line + 2, done.stderr
    assert not (tmp_path / "out").exists()
