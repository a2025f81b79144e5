"""Names of files and folders that people have, and that nobody would choose, for tests."""

from __future__ import annotations

import random
import sys
import unicodedata

PRINTABLE = [chr(code) for code in range(0x20, sys.maxunicode) if unicodedata.category(chr(code)) not in ("Cc", "Cs", "Co", "Cn")]
PUNCTUATION = [sign for sign in map(chr, range(0x20, 0x7F)) if not sign.isalnum() and sign != "/"]

CHOSEN = (
    *("photos (1)", "Müller", "a,b", "it's", "[a]", "[a,b]", "{a: 1}", "#1", "a=b", ";", " ", " a ", "$HOME", "${HOME}", "${seed}"),
    *("a${b", "100%", "%20", "*", "?", "a\\b", "\\", "\\'", '"', '"a"', "'a'", "~", "~a", "???", "2024", "1e5", "true", "nan"),
    *("-m", "--help", "a:b", "a|b", "<b>", "`a`", "choice(a,b)", "a@b", "+a", "日本", "\U0001f600", "\u202ea", "e\u0301"),
    *("\t", "a\nb", "\x1b[31mred", "caf\udce9"),
)


def drawn(count: int, seed: int = 0) -> list[str]:
    """Names of up to 12 signs, half of them punctuation. The same seed gives the same names."""
    draw = random.Random(seed)
    found: dict[str, None] = {}
    while len(found) < count:
        signs = [draw.choice(draw.choice((PUNCTUATION, PRINTABLE))) for _ in range(draw.randint(1, 12))]
        name = "".join(signs)
        if name not in (".", "..") and "/" not in name:
            found[name] = None
    return list(found)
