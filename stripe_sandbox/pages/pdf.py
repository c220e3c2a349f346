"""A small PDF writer: text in two standard fonts on A4 pages, and nothing else.

Source: ISO 32000-1, 7.5 (file structure) and 9.4 (text objects).
"""

from __future__ import annotations

from dataclasses import dataclass

WIDTH, HEIGHT = 595, 842
_FONTS = {"F1": "Helvetica", "F2": "Helvetica-Bold"}
# Thousandths of the font size; every digit is as wide as the dollar sign.
_DIGIT, _NARROW, _HYPHEN = 556, 278, 333
_WIDTHS = {".": _NARROW, ",": _NARROW, " ": _NARROW, "-": _HYPHEN}


@dataclass(frozen=True, slots=True)
class Text:
    """One line of text; `x` and `y` are points from the lower left corner."""

    x: int
    y: int
    text: str
    size: int = 10
    bold: bool = False

    def content(self) -> bytes:
        """Return the operators that show it."""
        escaped = self.text.encode("cp1252", "replace")
        for special in (b"\\", b"(", b")"):
            escaped = escaped.replace(special, b"\\" + special)
        font = "F2" if self.bold else "F1"
        begin = f"BT /{font} {self.size} Tf {self.x} {self.y} Td (".encode()
        return begin + escaped + b") Tj ET\n"


def right_aligned(
    right: int, y: int, amount: str, *, size: int = 10, bold: bool = False
) -> Text:
    """Return an amount of money that ends at `right`."""
    width = sum(_WIDTHS.get(character, _DIGIT) for character in amount)
    return Text(right - width * size // 1000, y, amount, size, bold)


def document(pages: list[list[Text]], *, title: str) -> bytes:
    """Return a PDF file of these pages."""
    fonts_at = 3 + 2 * len(pages)
    info_at = fonts_at + len(_FONTS)
    kids = " ".join(f"{3 + 2 * number} 0 R" for number in range(len(pages)))
    bodies = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        f"<< /Type /Pages /Kids [{kids}] /Count {len(pages)} >>".encode(),
    ]
    for number, texts in enumerate(pages):
        bodies += [_page(4 + 2 * number, fonts_at), _stream(texts)]
    bodies += [
        f"<< /Type /Font /Subtype /Type1 /BaseFont /{name}"
        " /Encoding /WinAnsiEncoding >>".encode()
        for name in _FONTS.values()
    ]
    bodies.append(b"<< /Title (" + _ascii(title) + b") >>")
    return _file(bodies, info_at)


def _page(content_at: int, fonts_at: int) -> bytes:
    fonts = " ".join(
        f"/{key} {fonts_at + number} 0 R" for number, key in enumerate(_FONTS)
    )
    return (
        f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 {WIDTH} {HEIGHT}]"
        f" /Contents {content_at} 0 R /Resources << /Font << {fonts} >> >> >>"
    ).encode()


def _stream(texts: list[Text]) -> bytes:
    content = b"".join(text.content() for text in texts)
    return b"<< /Length %d >>\nstream\n%sendstream" % (len(content), content)


def _ascii(text: str) -> bytes:
    kept = "".join(c for c in text if c.isalnum() or c in " -.,#")
    return kept.encode("ascii", "ignore")


def _file(bodies: list[bytes], info_at: int) -> bytes:
    written = b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n"
    offsets = []
    for number, body in enumerate(bodies, start=1):
        offsets.append(len(written))
        written += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    entries = b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    return written + (
        b"xref\n0 %d\n0000000000 65535 f \n%s"
        b"trailer\n<< /Size %d /Root 1 0 R /Info %d 0 R >>\nstartxref\n%d\n%%%%EOF\n"
        % (len(bodies) + 1, entries, len(bodies) + 1, info_at, len(written))
    )
