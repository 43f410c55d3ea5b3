"""The symbols that texts are drawn in: characters, or pieces of words that come often."""

from __future__ import annotations

import itertools
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from functools import lru_cache

END = ""
"""The first symbol: here a text ends."""
RARE = "\ufffd"
"""Stands for every character that comes too rarely to be drawn."""
MOST_SYMBOLS = 4096
LONGEST_SYMBOL = 64
CHUNK = re.compile(r" ?[^\W_]+| ?[^\w\s]+|[\s_]")
"""What pieces never reach beyond: a word with the space before it, signs, one blank."""
MOST_CHUNKS = 50_000
"""Different ones that pieces are learned from, the most frequent."""


class Vocabulary:
    """Symbols by number; the longest that fits is always taken.

    A vocabulary of byte-pair encoding that is read so, from the left and greedily, does as well as one whose merges are done
    in order (Uzan et al. 2024, arXiv:2403.01289), and needs no merges in the model file.
    """

    def __init__(self, symbols: Sequence[str]) -> None:
        """`symbols` are those after END."""
        self.symbols = (END, *symbols)
        if not 2 <= len(self.symbols) <= MOST_SYMBOLS + 1 or len(set(self.symbols)) < len(self.symbols):
            raise ValueError(f"a vocabulary has 1..{MOST_SYMBOLS} different symbols")
        if any(not 1 <= len(symbol) <= LONGEST_SYMBOL for symbol in symbols):
            raise ValueError(f"a symbol has 1..{LONGEST_SYMBOL} characters")
        self.longest = max(map(len, symbols))
        self._numbers = {symbol: number for number, symbol in enumerate(self.symbols)}
        self._has_rare = RARE in self._numbers
        self._chunk = lru_cache(maxsize=1 << 16)(self._read)

    def __len__(self) -> int:
        return len(self.symbols)

    def encode(self, text: str) -> list[int]:
        """The symbols' numbers.

        Raises:
            ValueError: a character that no symbol begins with.
        """
        if self.longest == 1:
            rare, numbers = self._numbers.get(RARE), self._numbers
            read = [numbers.get(letter, rare) for letter in text]
            if None in read:
                raise ValueError(f"the character {text[read.index(None)]!r} was not seen before")
            return [number for number in read if number is not None]
        found: list[int] = []
        place = 0
        for match in CHUNK.finditer(text):
            assert match.start() == place, "every character is part of a chunk"
            found += self._chunk(match.group())
            place = match.end()
        return found

    def decode(self, numbers: Iterable[int]) -> str:
        """The text up to its end."""
        found: list[str] = []
        for number in numbers:
            if number == 0:
                break
            found.append(self.symbols[number])
        return "".join(found)

    def _read(self, chunk: str) -> tuple[int, ...]:
        found: list[int] = []
        place = 0
        while place < len(chunk):
            for length in range(min(self.longest, len(chunk) - place), 0, -1):
                number = self._numbers.get(chunk[place : place + length])
                if number is not None:
                    break
            else:
                if not self._has_rare:
                    raise ValueError(f"the character {chunk[place]!r} was not seen before")
                number, length = self._numbers[RARE], 1
            found.append(number)
            place += length
        return tuple(found)


def learn_characters(counts: Counter[str], most: int) -> tuple[Vocabulary, int]:
    """The most frequent characters, RARE among them if some are left out; and how many places of the texts that affects."""
    ordered = sorted(counts, key=lambda letter: (-counts[letter], letter))
    if len(ordered) <= most:
        return Vocabulary(ordered), 0
    kept = [letter for letter in ordered if letter != RARE][: most - 1]
    return Vocabulary([RARE, *kept]), sum(counts.values()) - sum(counts[letter] for letter in kept)


def learn_pieces(chunks: Counter[str], characters: Vocabulary, most: int) -> Vocabulary:
    """Characters, and what byte-pair encoding makes of them (Sennrich et al. 2016, arXiv:1508.07909).

    Again and again the two symbols that stand side by side most often become a new one, until there are `most`.

    Args:
        chunks: how often each match of CHUNK comes.
    """
    words = [[characters.decode((number,)) for number in characters.encode(chunk)] for chunk in chunks]
    often = list(chunks.values())
    if len(words) > MOST_CHUNKS:
        kept = sorted(range(len(words)), key=lambda place: (-often[place], place))[:MOST_CHUNKS]
        words, often = [words[place] for place in kept], [often[place] for place in kept]
    pairs: Counter[tuple[str, str]] = Counter()
    holders: dict[tuple[str, str], set[int]] = {}
    for place, word in enumerate(words):
        _count(word, often[place], place, pairs, holders)
    symbols = list(characters.symbols[1:])
    known = set(symbols)
    while len(symbols) < most and pairs:
        pair = max(pairs, key=lambda each: (pairs[each], each))
        if pairs[pair] < 2:
            break
        piece = "".join(pair)
        for place in sorted(holders[pair]):
            _count(words[place], -often[place], place, pairs, holders)
            words[place] = _merged(words[place], pair)
            _count(words[place], often[place], place, pairs, holders)
        pairs.pop(pair, None)
        if piece not in known and len(piece) <= LONGEST_SYMBOL and RARE not in piece:
            known.add(piece)
            symbols.append(piece)
    return Vocabulary(symbols)


def _count(
    word: Sequence[str],
    often: int,
    place: int,
    pairs: Counter[tuple[str, str]],
    holders: dict[tuple[str, str], set[int]],
) -> None:
    """Adds a word's pairs `often` times, or takes them away where that is negative."""
    for pair in itertools.pairwise(word):
        pairs[pair] += often
        if often > 0:
            holders.setdefault(pair, set()).add(place)
        else:
            holders[pair].discard(place)
            if pairs[pair] <= 0:
                del pairs[pair]


def _merged(word: Sequence[str], pair: tuple[str, str]) -> list[str]:
    found: list[str] = []
    place = 0
    while place < len(word):
        if tuple(word[place : place + 2]) == pair:
            found.append(word[place] + word[place + 1])
            place += 2
        else:
            found.append(word[place])
            place += 1
    return found
