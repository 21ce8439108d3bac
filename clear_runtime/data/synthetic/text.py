"""Random subtitle lines in many scripts.

Characters come from the scripts' own standard repertoires, so that common and rare shapes are both seen:
GB 2312 level 1 for Chinese, JIS X 0208 level 1 with kana for Japanese, KS X 1001 for Korean.
"""

import random

LATIN = "abcdefghijklmnopqrstuvwxyz"
LATIN_MARKS = "àáâäãåçèéêëìíîïñòóôöõøùúûüýßœæčšžřěłżźćńśęąğışőű"
CYRILLIC = "абвгдеёжзийклмнопрстуфхцчшщъыьэюяіїєў"
ARABIC = "ابتثجحخدذرزسشصضطظعغفقكلمنهويىةءئ"
DEVANAGARI = "कखगघचछजझटठडढणतथदधनपफबभमयरलवशषसह"
THAI = "กขคงจฉชซญฎฐณดตถทธนบปผพฟภมยรลวศสหอฮ"
HEBREW = "אבגדהוזחטיכךלמםנןסעפףצץקרשת"
TAMIL = "கஙசஞடணதநபமயரலவழளறன"
KANA = "".join(map(chr, (*range(0x3042, 0x3094), *range(0x30A2, 0x30F5))))
_UNCASED = {"arabic": ARABIC, "devanagari": DEVANAGARI, "thai": THAI, "hebrew": HEBREW, "tamil": TAMIL}


def _double_byte(encoding, lead, trail):
    pairs = (bytes((a, b)) for a in lead for b in trail)
    return "".join(c for c in (p.decode(encoding, "ignore") for p in pairs) if len(c) == 1)


HANZI = _double_byte("gb2312", range(0xB0, 0xD8), range(0xA1, 0xFF))
KANJI = _double_byte("euc_jp", range(0xB0, 0xD0), range(0xA1, 0xFF))
HANGUL = _double_byte("euc_kr", range(0xB0, 0xC9), range(0xA1, 0xFF))


def _words(rng: random.Random, letters: str, length: int, capitals: bool) -> str:
    words: list[str] = []
    used = 0
    while used < length:
        n = min(rng.choice((1, 2, 3, 3, 4, 4, 5, 5, 6, 7, 8, 10)), length)
        word = "".join(rng.choice(letters) for _ in range(n))
        words.append(word.capitalize() if capitals and (not words or rng.random() < 0.1) else word)
        used += n + 1
    if rng.random() < 0.15:
        words.insert(rng.randrange(len(words) + 1), str(rng.randrange(2, 2030)))
    joined = (", " if rng.random() < 0.1 else " ").join(words)
    return joined + rng.choice(("", "", ".", ".", "?", "!", "...", ","))


def _vowelled(letters: str) -> str:
    """Letters in which vowels recur, so that Latin and Cyrillic lines have the width of real ones."""
    vowels = "".join(c for c in letters if c in "aeiouаеиоу")
    return letters + vowels * 4


def random_line(rng: random.Random, script: str, length: int) -> str:
    """One line of about `length` letters (half as many ideographs) in a script of TRAINED or UNSEEN."""
    if script == "latin":
        letters = _vowelled(LATIN) + (LATIN_MARKS if rng.random() < 0.3 else "")
        line = _words(rng, letters, length, True)
        return line.upper() if rng.random() < 0.12 else line
    if script == "cyrillic":
        return _words(rng, _vowelled(CYRILLIC), length, True)
    if script in _UNCASED:
        return _words(rng, _UNCASED[script], length, False)
    if script == "korean":
        return _words(rng, HANGUL, max(2, length // 2), False)
    count = max(2, length // 2)
    ideographs = HANZI if script == "chinese" else None
    chars = [rng.choice(ideographs or (KANA if rng.random() < 0.6 else KANJI)) for _ in range(count)]
    if count > 6 and rng.random() < 0.5:
        chars.insert(rng.randrange(3, count - 2), rng.choice("，、 "))
    return "".join(chars) + rng.choice(("", "", "", "。", "？", "！"))
