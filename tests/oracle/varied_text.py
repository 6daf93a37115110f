"""Text that is hard on tokenizers, made from a seed: many scripts, emoji, right-to-left, white space, control and invalid bytes, code.

`documents(seed, size)` gives bytes, some of them no UTF-8; whoever compares with Python decodes them with errors="replace".
"""

import random

# Name and code points of blocks. Unassigned code points are in on purpose: text from tomorrow's Unicode must pass too.
SCRIPTS = {
    "latin": (0x20, 0x7E), "latin-1": (0xA0, 0xFF), "latin extended": (0x100, 0x24F), "phonetic": (0x250, 0x2FF),
    "combining marks": (0x300, 0x36F), "greek": (0x370, 0x3FF), "cyrillic": (0x400, 0x52F), "armenian": (0x530, 0x58F),
    "hebrew": (0x590, 0x5FF), "arabic": (0x600, 0x6FF), "syriac": (0x700, 0x74F), "thaana": (0x780, 0x7BF), "nko": (0x7C0, 0x7FF),
    "arabic extended": (0x860, 0x8FF), "devanagari": (0x900, 0x97F), "bengali": (0x980, 0x9FF), "gurmukhi": (0xA00, 0xA7F),
    "gujarati": (0xA80, 0xAFF), "oriya": (0xB00, 0xB7F), "tamil": (0xB80, 0xBFF), "telugu": (0xC00, 0xC7F), "kannada": (0xC80, 0xCFF),
    "malayalam": (0xD00, 0xD7F), "sinhala": (0xD80, 0xDFF), "thai": (0xE00, 0xE7F), "lao": (0xE80, 0xEFF), "tibetan": (0xF00, 0xFFF),
    "myanmar": (0x1000, 0x109F), "georgian": (0x10A0, 0x10FF), "hangul jamo": (0x1100, 0x11FF), "ethiopic": (0x1200, 0x139F),
    "cherokee": (0x13A0, 0x13FF), "khmer": (0x1780, 0x17FF), "mongolian": (0x1800, 0x18AF), "marks extended": (0x1AB0, 0x1DFF),
    "greek extended": (0x1E00, 0x1FFF), "punctuation": (0x2000, 0x20CF), "marks for symbols": (0x20D0, 0x20FF),
    "letterlike": (0x2100, 0x218F), "symbols": (0x2190, 0x2BFF), "glagolitic": (0x2C00, 0x2DFF), "radicals": (0x2E80, 0x303F),
    "kana": (0x3040, 0x30FF), "bopomofo": (0x3100, 0x33FF), "han extension": (0x3400, 0x4DBF), "han": (0x4E00, 0x9FFF),
    "yi": (0xA000, 0xA4CF), "vai to latin": (0xA500, 0xA7FF), "indic and others": (0xA800, 0xABFF), "hangul": (0xAC00, 0xD7FF),
    "private use": (0xE000, 0xE0FF), "han compatibility": (0xF900, 0xFAFF), "presentation forms": (0xFB00, 0xFEFF),
    "fullwidth": (0xFF00, 0xFFFF), "linear b to ugaritic": (0x10000, 0x107FF), "right to left": (0x10800, 0x10FFF),
    "brahmi and others": (0x11000, 0x11FFF), "cuneiform": (0x12000, 0x125FF), "hieroglyphs": (0x13000, 0x146FF),
    "bamum to tangut": (0x16800, 0x18DFF), "kana supplement": (0x1AFF0, 0x1B2FF), "music and mathematics": (0x1CC00, 0x1D7FF),
    "adlam and others": (0x1DF00, 0x1EFFF), "emoji": (0x1F000, 0x1FBFF), "han supplementary": (0x20000, 0x323AF), "tags": (0xE0000, 0xE01FF),
}  # fmt: skip

SPECIALS = ["<|im_start|>", "<|im_end|>", "<|endoftext|>", "<think>", "</think>", "<tool_call>", "</tool_call>", "<|fim_prefix|>",
            "<|im_start", "<|<|im_end|>", "<s>", "</s>", "<unk>", "<0x41>", "<｜end▁of▁sentence｜>"]  # fmt: skip
SPACES = [" ", "\n", "\t", "\r\n", "  \n", "\u3000", "\u00a0", "\u2028", " \t", "\r", "\x0b", "\x0c", "\x85", "\u200b", "▁"]
CONTRACTIONS = ["I'm", "we'LL", "'S", "'\u017f", "can't", "'Re'VE", "''d", "x'mas", " '", "'", "you'rE", "l'été", "’s"]
EMOJI = ["\U0001F468\u200d\U0001F469\u200d\U0001F467\U0001F3FD", "\u2764\ufe0f", "\U0001F1E9\U0001F1EA", "\U0001F3F4\U000E0067\U000E007F",
         "1\ufe0f\u20e3", "\U0001F600", "\U0001F9D1\U0001F3FF\u200d\U0001F680"]  # fmt: skip
INVALID = [b"\xff", b"\xc0\x80", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\xe4\xb8", b"\xf0\x9f\x98", b"\x80\x80", b"\xc3", b"\xe0\x80\xaf"]
WORDS = """the of and to in is that it was for on are as with his they be at one have this from or had by not but some what there we can out
other were all your when up use word how said each which do their time if will way about many then them would write like so these her long
make thing see him two has look more day could go come did my sound no most number who over know water than call first people may down side
been now find any new work part take get place made live where after back little only round man year came show every good me give our under
name very through just form much great think say help low line before turn cause same mean differ move right boy old too does tell sentence
set three want air well also play small end put home read hand port large spell add even land here must big high such follow act why ask men
change went light kind off need house picture try us again animal point mother world near build self earth father tokenization strawberry
international responsibilities electroencephalography counterrevolutionaries Quern Qwen GitHub""".split()
CODE = ["def f(x):\n    return x ** 2\n", "for (int i = 0; i < n; ++i) {\n\tsum += a[i];\n}\n", "#include <vector>\r\n", '{"a": [1, 2.5e-3, null]}',
        "SELECT * FROM t WHERE id=42;--", "if err != nil {\n\t\treturn nil, err\n\t}\n", "x = lambda a, *b, **c: (a, b)  # noqa\n",
        "<div class=\"a\">\n      </div>\n", "0x7fff_ffff", "\\\\server\\path\\n", "$$\\frac{a}{b}$$", "a->b::c<d>>e", "/* ===== */"]  # fmt: skip


def character(r: random.Random, low: int, high: int) -> str:
    c = r.randint(low, high)
    return chr(c) if not 0xD800 <= c < 0xE000 else " "


def run_of_script(r: random.Random) -> str:
    low, high = SCRIPTS[r.choice(list(SCRIPTS))]
    letters = [character(r, low, high) for _ in range(r.randint(1, 40))]
    if r.random() < 0.5:  # in words
        letters = [c if r.random() < 0.85 else r.choice(" \n\t.,") for c in letters]
    return "".join(letters)


def marks_in_disorder(r: random.Random) -> str:
    base = character(r, *SCRIPTS[r.choice(["latin", "greek", "hangul jamo", "kana", "devanagari", "brahmi and others"])])
    return base + "".join(character(r, *SCRIPTS[r.choice(["combining marks", "marks extended", "hebrew", "arabic"])]) for _ in range(r.randint(1, 9)))


def sentence(r: random.Random) -> str:
    text = " ".join(r.choice(WORDS) for _ in range(r.randint(2, 25)))
    return (text.capitalize() if r.random() < 0.7 else text.upper()) + r.choice([". ", "! ", "?\n", ",\n\n", "; ", ""])


KINDS = [
    (20, run_of_script),
    (3, marks_in_disorder),
    (3, lambda r: "".join(character(r, 0x20, r.choice([0x7F, 0x2FFF, 0x1FFFF])) for _ in range(30))),
    (3, lambda r: r.choice(SPACES) * r.randint(1, 70)),
    (2, lambda r: "".join(r.choice(SPACES) for _ in range(r.randint(1, 12)))),
    (3, lambda r: r.choice(SPECIALS)),
    (2, lambda r: "".join(chr(r.randint(0, 31)) for _ in range(5))),
    (2, lambda r: str(r.randint(0, 10 ** r.randint(1, 30)))),
    (3, lambda r: r.choice(CONTRACTIONS)),
    (2, lambda r: "".join(r.choice(EMOJI) for _ in range(r.randint(1, 5)))),
    (1, lambda r: r.choice("aAzé中😀 .-=") * r.randint(1, 400)),
    (4, lambda r: r.choice(CODE)),
    (40, sentence),
    (2, lambda r: r.choice(INVALID)),
]  # fmt: skip


def document(r: random.Random, size: int) -> bytes:
    parts, total = [], 0
    weights = [weight for weight, _ in KINDS]
    while total < size:
        for _, kind in r.choices(KINDS, weights, k=64):
            part = kind(r)
            parts.append(part if isinstance(part, bytes) else part.encode())
            total += len(parts[-1])
    return b"".join(parts)


def documents(seed: int, size: int) -> list[bytes]:
    """At least `size` bytes in documents of a few bytes to a few hundred thousand."""
    r = random.Random(seed)
    out = [b"", b" ", b"\n", b"a", "▁".encode(), b" a", b"<s>", b"<|im_end|>", b"\xff"]
    while sum(map(len, out)) < size:
        out.append(document(r, int(10 ** r.uniform(1, 5.3))))
    return out
