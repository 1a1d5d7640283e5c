"""What an appeal is about: how near it is to each question of the catalogue, and which concepts its words name.

Explicit semantic analysis (Gabrilovich and Markovitch, 2007) over the catalogue: a text becomes a weighted vector of
its characters and pairs of characters, its likeness to every question's own words becomes its meaning, and two appeals
are alike in matter when the same questions are near to both. Concepts are the groups of words in repeats.toml; they
count among the characters, too.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from libs.common.city.catalogue import Question
from services.intake.repeats.knowledge import CONCEPTS, Knowledge
from services.intake.repeats.senses import Grams, Senses
from services.intake.repeats.sketches import HASHES, QUESTIONS

_LATIN = re.compile("[a-z]+")
_WIDTH = 4
"""A key holds up to four characters of 16 bits; what is longer is known by its first four."""
_SHARPNESS = 6
_MEANT = 0.3
"""What the meaning of words counts beside the words themselves, in how near a question is."""
_PRIME = (1 << 31) - 1
SCOPES = ("public", "building", "personal")
Keys = NDArray[np.uint64]
Latin = Sequence[Sequence[str]]


@dataclass(frozen=True, slots=True)
class Meanings:
    """Of many texts: the nearest questions and their shares, concepts as bits, a sketch of the words, scopes."""

    questions: NDArray[np.uint16]
    shares: NDArray[np.uint8]
    concepts: NDArray[np.uint8]
    words: NDArray[np.uint8]
    grams: NDArray[np.uint16]
    sense: NDArray[np.int8]
    personal: NDArray[np.uint8]
    building: NDArray[np.uint8]


class Matters:
    """The catalogue as something to compare texts by. Holds arrays only; safe to share between threads."""

    def __init__(self, catalogue: Iterable[Question], knowledge: Knowledge, senses: Senses) -> None:
        questions = list(catalogue)
        self._senses = senses
        self._latin: dict[str, int] = {}
        self._known: list[Keys] = []
        self._columns: list[NDArray[np.int64]] = []
        self._concepts = [_concept_table(knowledge, length) for length in range(1, _WIDTH + 1)]
        self._named = {w: i for i, words in enumerate(knowledge.concepts) for w in words if w.isascii()}
        bits = knowledge.numbers
        along = [bits[name] for name in knowledge.implied["along"]]
        self._plain = np.array([b for name, b in bits.items() if name in knowledge.troubles and b not in along])
        self._implied = [
            (bits[trouble], [bits[name] for name in names])
            for trouble, names in knowledge.implied.items()
            if trouble != "along"
        ]
        self._prototypes = self._learn([_words_of(question) for question in questions])
        self.level1 = _numbered(q.l1 for q in questions)
        self._learn_scopes(questions, knowledge)
        rarity = self._rarity([phrase for q in questions for phrase in q.phrases])
        groups = (knowledge.troubles, knowledge.things, knowledge.own, knowledge.people, ("again", "everyone"))
        kinds = np.repeat(np.arange(5), [len(group) for group in groups])
        kinds = np.concatenate([kinds, np.full(CONCEPTS - len(kinds), 5)])
        # What is one's own is a trouble as well.
        self.troubles = rarity * ((kinds == 0) | (kinds == 2))
        self.things = rarity * (kinds == 1)
        self._public, self._own = kinds == 0, kinds == 2
        self.people = kinds == 3
        self.again, self.everyone = np.flatnonzero(kinds == 4).tolist()
        chance = np.random.default_rng(HASHES)
        self._hashes = chance.integers(1, _PRIME, size=(2, HASHES), dtype=np.uint64)

    def read(self, texts: Sequence[str]) -> Meanings:
        """Return the meanings of texts, folded and in lower case, with the names of places taken out."""
        grams, latin = grams_of(texts)
        concepts = self._concepts_in(grams, latin)
        sense = self._senses.of(grams, latin)
        near = np.asarray((self._rows(grams, latin, concepts) @ self._prototypes).toarray())
        near = np.maximum(near + _MEANT * (sense @ self._meant.T), 0)
        top = np.argpartition(-near, QUESTIONS, axis=1)[:, :QUESTIONS].astype(np.uint16)
        shares = np.take_along_axis(near, top.astype(np.int64), axis=1) ** _SHARPNESS
        total = np.maximum(shares.sum(axis=1, keepdims=True), 1e-12)
        scopes = (np.einsum("tq,tqs->ts", shares / total, self._scopes[top]) + self._scopes_by(sense)) / 2
        peak = np.maximum(shares.max(axis=1, keepdims=True), 1e-12)
        words, sizes = self._sketch(grams, len(texts))
        personal = self._personal(scopes[:, SCOPES.index("personal")], concepts)
        return Meanings(
            questions=top,
            shares=(255 * shares / peak).astype(np.uint8),
            concepts=np.packbits(concepts, axis=1),
            words=words,
            grams=sizes,
            sense=np.round(127 * sense).astype(np.int8),
            personal=(255 * personal).astype(np.uint8),
            building=(255 * scopes[:, SCOPES.index("building")]).astype(np.uint8),
        )

    def groups(self, sketches: Any) -> NDArray[np.int64]:
        """Return the two categories of level 1 that are nearest to each appeal."""
        size = int(self.level1.max()) + 1
        rows = np.arange(len(sketches))[:, None] * size + self.level1[sketches["questions"]]
        shares = np.bincount(rows.ravel(), sketches["shares"].ravel(), len(sketches) * size)
        return np.argsort(-shares.reshape(len(sketches), size), axis=1)[:, :2]

    def _personal(self, share: NDArray[np.float64], concepts: NDArray[np.bool_]) -> NDArray[np.float64]:
        """Return how likely a matter is the reporter's own: words that say so outweigh what the questions suggest."""
        own = concepts[:, self._own].any(axis=1)
        trouble = concepts[:, self._public].any(axis=1)
        thing = (concepts & (self.things > 0)).any(axis=1)
        # Nobody's own affair is told without a word of the groups for it, and few matters of all without one of theirs.
        public = np.select([trouble, thing], [share * 0.5, share * 0.6], share)
        return np.select([own & trouble, own], [np.maximum(share, 0.3 + share / 2), np.maximum(share, 0.8)], public)

    def _learn_scopes(self, questions: Sequence[Question], knowledge: Knowledge) -> None:
        """Learn whose matter words are from the questions the pack names; of the others, what these suggest."""
        named = [knowledge.scopes.of(q.code) for q in questions]
        owner = np.repeat(np.arange(len(questions)), [len(q.phrases) for q in questions])
        said = self._senses.of(*grams_of([phrase.lower() for q in questions for phrase in q.phrases]))
        self._meant = self._unit_means(said, owner)
        known = np.array([scope is not None for scope in named])[owner]
        wanted = np.array([np.eye(len(SCOPES))[SCOPES.index(scope or "personal")] for scope in named])
        self._mean = said[known].mean(axis=0)
        x = said[known] - self._mean
        self._usual = wanted[owner][known].mean(axis=0)
        self._to_scopes = np.linalg.solve(x.T @ x + np.eye(x.shape[1]), x.T @ (wanted[owner][known] - self._usual))
        guessed = self._scopes_by(said)
        for at in np.flatnonzero([scope is None for scope in named]):
            wanted[at] = np.eye(len(SCOPES))[guessed[owner == at].mean(axis=0).argmax()]
        self._scopes = wanted

    def _unit_means(self, said: NDArray[np.float32], owner: NDArray[np.int64]) -> NDArray[np.float32]:
        starts = np.flatnonzero(np.r_[True, owner[1:] != owner[:-1]])
        sums = np.add.reduceat(said, starts, axis=0)
        return np.asarray(sums / np.maximum(np.linalg.norm(sums, axis=1, keepdims=True), 1e-9))

    def _scopes_by(self, sense: NDArray[np.float32]) -> NDArray[np.float64]:
        return np.asarray(np.clip(self._usual + (sense - self._mean) @ self._to_scopes, 0, 1))

    def _learn(self, words: Sequence[Sequence[str]]) -> Any:
        """Number the grams of all questions, weigh them by rarity, and return the questions' directions as columns."""
        texts = [text for said in words for text in said]
        grams, latin = grams_of(texts)
        size = 0
        for keys, _ in grams[:2]:
            self._known.append(np.unique(keys))
            self._columns.append(np.arange(size, size + len(self._known[-1])))
            size += len(self._known[-1])
        self._named_from, size = size, size + CONCEPTS
        for word in sorted({word for some in latin for word in some}):
            self._latin[word] = size + len(self._latin)
        self._idf = np.ones(size + len(self._latin))
        concepts = self._concepts_in(grams, latin)
        counts = self._counted(grams, latin, concepts)
        self._idf = np.log((1 + len(texts)) / (1 + np.asarray((counts > 0).sum(axis=0)).ravel())) + 1
        rows = self._rows(grams, latin, concepts)
        owners = np.repeat(np.arange(len(words)), [len(said) for said in words])
        gathered = sparse.csr_matrix((np.ones(len(texts)), (owners, np.arange(len(texts)))))
        return sparse.csr_matrix(_unit(sparse.csr_matrix(gathered @ rows)).T)

    def _rows(self, grams: Grams, latin: Latin, found: NDArray[np.bool_]) -> Any:
        counts = self._counted(grams, latin, found)
        counts.data = (1 + np.log(counts.data)) * self._idf[counts.indices]
        return _unit(counts)

    def _counted(self, grams: Grams, latin: Latin, found: NDArray[np.bool_]) -> Any:
        rows, columns = [], []
        for (keys, of), known, numbers in zip(grams, self._known, self._columns, strict=False):
            at = np.minimum(np.searchsorted(known, keys), len(known) - 1)
            hit = known[at] == keys
            rows.append(of[hit])
            columns.append(numbers[at[hit]])
        of, concepts = np.nonzero(found)
        rows.append(of)
        columns.append(concepts + self._named_from)
        words = [(i, self._latin[word]) for i, some in enumerate(latin) for word in some if word in self._latin]
        rows.append(np.array([i for i, _ in words], dtype=np.int64))
        columns.append(np.array([column for _, column in words], dtype=np.int64))
        where = (np.concatenate(rows), np.concatenate(columns))
        shape = (len(latin), len(self._idf))
        counted = sparse.csr_matrix((np.ones(len(where[0])), where), shape=shape)
        counted.sum_duplicates()
        return counted

    def _concepts_in(self, grams: Grams, latin: Latin) -> NDArray[np.bool_]:
        found = np.zeros((len(latin), CONCEPTS), dtype=bool)
        for (keys, of), (words, concepts) in zip(grams, self._concepts, strict=True):
            first = np.searchsorted(words, keys, side="left")
            # A word may name more than one concept: then it stands more than once.
            for offset in range(3):
                at = np.minimum(first + offset, len(words) - 1)
                hit = (words[at] == keys) & (first + offset < len(words))
                found[of[hit], concepts[at[hit]]] = True
        for i, some in enumerate(latin):
            for word in some:
                if word in self._named:
                    found[i, self._named[word]] = True
        unnamed = ~found[:, self._plain].any(axis=1)
        for trouble, things in self._implied:
            found[:, trouble] |= unnamed & found[:, things].all(axis=1)
        return found

    def _rarity(self, phrases: Sequence[str]) -> NDArray[np.float64]:
        """Return how much each concept says by being rare."""
        often = self._concepts_in(*grams_of(phrases)).sum(axis=0)
        return np.asarray(np.log((1 + len(phrases)) / (1 + often)))

    def _sketch(self, grams: Grams, size: int) -> tuple[NDArray[np.uint8], NDArray[np.uint16]]:
        """Return b-bit minwise hashes (Li and König, 2010) of each text's pairs of characters, and how many it has."""
        keys, of = grams[1]
        keys = (keys % np.uint64(_PRIME)).astype(np.uint64)
        sizes = np.bincount(of, minlength=size)
        words = np.zeros((size, HASHES), dtype=np.uint8)
        if len(keys):
            hashed = (keys[:, None] * self._hashes[0] + self._hashes[1]) % np.uint64(_PRIME)
            starts = np.flatnonzero(np.r_[True, of[1:] != of[:-1]])
            words[of[starts]] = (np.minimum.reduceat(hashed, starts, axis=0) & np.uint64(255)).astype(np.uint8)
        return words, np.minimum(sizes, 65535).astype(np.uint16)


def _words_of(question: Question) -> list[str]:
    said = [*question.phrases, question.l3, question.l2, question.evidence, *question.ask, question.name_en]
    return [text.lower() for text in said]


def grams_of(texts: Sequence[str]) -> tuple[Grams, Latin]:
    """Return the runs of one to four letters of all texts and whose each is; and the words in Latin letters."""
    chars, owner = _characters(texts)
    return [_grams(chars, owner, n) for n in range(1, _WIDTH + 1)], [_LATIN.findall(text) for text in texts]


def _characters(texts: Sequence[str]) -> tuple[Keys, NDArray[np.int64]]:
    """Return the characters of all texts, 0 for what is no letter of a language without spaces, and whose each is."""
    # A text is kept from the next by a character that is no letter.
    joined = "\n".join(texts) + "\n"
    codes = np.frombuffer(joined.encode("utf-16-le", errors="replace"), dtype="<u2").astype(np.uint64)
    wide = [len(text.encode("utf-16-le", errors="replace")) // 2 + 1 for text in texts]
    owner = np.repeat(np.arange(len(texts)), wide)
    return np.where((codes >= 0x3400) & (codes <= 0x9FFF), codes, 0), owner


def _grams(chars: Keys, owner: NDArray[np.int64], length: int) -> tuple[Keys, NDArray[np.int64]]:
    """Return the runs of so many letters as keys, and the text each is of."""
    count = max(0, len(chars) - length + 1)
    keys = np.zeros(count, dtype=np.uint64)
    whole = np.ones(count, dtype=bool)
    for offset in range(length):
        part = chars[offset : offset + count]
        keys = (keys << np.uint64(16)) | part
        whole &= part > 0
    return keys[whole], owner[:count][whole]


def _key(word: str) -> int:
    key = 0
    for char in word[:_WIDTH]:
        key = key << 16 | ord(char)
    return key


def _concept_table(knowledge: Knowledge, length: int) -> tuple[Keys, NDArray[np.int64]]:
    words = [
        (_key(word), number)
        for number, words in enumerate(knowledge.concepts)
        for word in words
        if not word.isascii() and min(len(word), _WIDTH) == length
    ]
    found = sorted(set(words)) or [(0, 0)]
    return np.array([key for key, _ in found], dtype=np.uint64), np.array([number for _, number in found])


def _numbered(names: Iterable[object]) -> NDArray[np.int64]:
    known: dict[object, int] = {}
    return np.array([known.setdefault(name, len(known)) for name in names])


def _unit(rows: Any) -> Any:
    """Return sparse rows with length 1; an empty row stays empty."""
    lengths = np.sqrt(np.asarray(rows.multiply(rows).sum(axis=1)).ravel())
    rows.data = rows.data / np.repeat(np.where(lengths > 0, lengths, 1), np.diff(rows.indptr))
    return rows
