"""Learn a byte-pair vocabulary from text. Knows no model; `got_ocr.tokenizer` reads what is written."""

from collections.abc import Iterable

from got_ocr.errors import InvalidValue, MissingDependency
from got_ocr.tokenizer import SPLIT, byte_letters


def learn(texts: Iterable[str], size: int) -> dict[bytes, int]:
    """Learn `size` pieces (256 bytes first, then merges by frequency) with the Qwen splitting rule.

    Fewer where the texts hold no more. Raises InvalidValue, MissingDependency.
    """
    if size < 256:
        raise InvalidValue("a vocabulary has at least 256 pieces, one for each byte")
    try:
        from tokenizers import Regex, Tokenizer, models, pre_tokenizers, trainers
    except ImportError:
        raise MissingDependency(
            "learning a vocabulary needs the package tokenizers: pip install 'got-ocr[synth]'"
        ) from None
    letters = byte_letters()
    learner = Tokenizer(models.BPE())
    split = pre_tokenizers.Split(Regex(SPLIT), "isolated")
    level = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    learner.pre_tokenizer = pre_tokenizers.Sequence([split, level])
    trainer = trainers.BpeTrainer(vocab_size=size, initial_alphabet=list(letters.values()), show_progress=False)
    learner.train_from_iterator(texts, trainer)
    back = {letter: byte for byte, letter in letters.items()}
    pieces = {bytes(back[c] for c in piece): rank for piece, rank in learner.get_vocab().items()}
    # Bytes take the first 256 ranks in their own order; merges keep theirs.
    merged = sorted((p for p in pieces if len(p) > 1), key=lambda p: pieces[p])
    return {piece: rank for rank, piece in enumerate([bytes([b]) for b in range(256)] + merged)}
