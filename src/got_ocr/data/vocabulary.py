"""Learn a byte-pair vocabulary from text, or learn on from an older one. Knows no model; `got_ocr.tokenizer` reads what is written."""

from collections import Counter
from collections.abc import Iterable, Mapping
from itertools import pairwise
from typing import TYPE_CHECKING

from got_ocr.errors import InvalidValue, MissingDependency
from got_ocr.tokenizer import SPLIT, Tokenizer, byte_letters

if TYPE_CHECKING:
    from tokenizers.pre_tokenizers import Split


def learn(texts: Iterable[str], size: int) -> dict[bytes, int]:
    """Learn `size` pieces (256 bytes first, then merges by frequency) with the Qwen splitting rule.

    Fewer where the texts hold no more. Raises InvalidValue, MissingDependency.
    """
    if size < 256:
        raise InvalidValue("a vocabulary has at least 256 pieces, one for each byte")
    split = _splitter()
    import tokenizers
    from tokenizers import models, pre_tokenizers, trainers

    letters = byte_letters()
    learner = tokenizers.Tokenizer(models.BPE())
    level = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    learner.pre_tokenizer = pre_tokenizers.Sequence([split, level])
    trainer = trainers.BpeTrainer(vocab_size=size, initial_alphabet=list(letters.values()), show_progress=False)
    learner.train_from_iterator(texts, trainer)
    back = {letter: byte for byte, letter in letters.items()}
    pieces = {bytes(back[c] for c in piece): rank for piece, rank in learner.get_vocab().items()}
    # Bytes take the first 256 ranks in their own order; merges keep theirs.
    merged = sorted((p for p in pieces if len(p) > 1), key=lambda p: pieces[p])
    return {piece: rank for rank, piece in enumerate([bytes([b]) for b in range(256)] + merged)}


def extend(ranks: Mapping[bytes, int], texts: Iterable[str], size: int) -> dict[bytes, int]:
    """Learn on from `ranks` to `size` pieces: old pieces keep their ids, new ones join what the old ones leave apart.

    Fewer where the texts hold no more. Raises InvalidValue, MissingDependency.
    """
    if size < len(ranks):
        raise InvalidValue(f"the vocabulary has {len(ranks)} pieces already; it cannot be extended to {size}")
    old, extended, split = Tokenizer(ranks), dict(ranks), _splitter()
    words = Counter(word for text in texts for word, _ in split.pre_tokenize_str(text))
    parts = {word: [old.decode_bytes([i]) for i in old.encode(word)] for word in words}
    while len(extended) < size:
        pairs: Counter[tuple[bytes, bytes]] = Counter()
        for word, pieces in parts.items():
            for pair in pairwise(pieces):
                pairs[pair] += words[word]
        best = max(pairs, key=lambda pair: (pairs[pair], pair), default=None)
        if best is None or pairs[best] < 2:
            break
        extended[best[0] + best[1]] = len(extended)
        parts = {word: _joined(pieces, best) for word, pieces in parts.items() if len(pieces) > 1}
    return extended


def _splitter() -> "Split":
    """Open what splits a text into the words that merges stay inside. Raises MissingDependency."""
    try:
        from tokenizers import Regex
        from tokenizers.pre_tokenizers import Split
    except ImportError:
        raise MissingDependency(
            "learning a vocabulary needs the package tokenizers: pip install 'got-ocr[synth]'"
        ) from None
    return Split(Regex(SPLIT), "isolated")


def _joined(pieces: list[bytes], pair: tuple[bytes, bytes]) -> list[bytes]:
    """Join a pair wherever it stands, from left to right."""
    made: list[bytes] = []
    for piece in pieces:
        if made and (made[-1], piece) == pair:
            made[-1] += piece
        else:
            made.append(piece)
    return made
