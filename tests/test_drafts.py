"""Drafts change no id: random tiny models under bans, watches and limits, with right, wrong, hostile and empty guesses."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice, pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from got_ocr import prompt
from got_ocr.backends import torch as backend_torch
from got_ocr.drafts import MOST_TEXT, Draft, DraftName, NgramDraft, Pace, TextDraft
from got_ocr.errors import InvalidValue, NumericError
from got_ocr.generate import Outcome, Request, finish, generate
from got_ocr.jobs import jobs
from got_ocr.ocr import GotOcr, Options
from got_ocr.profiles import profile
from got_ocr.reading import Reading
from got_ocr.task import Task
from got_ocr.tokenizer import Tokenizer

RULES: list[dict[str, Any]] = [
    {"watch": False},
    {"watch": True, "max_new_tokens": 90},
    {"ban": 2, "watch": False},
    {"ban": 3, "max_new_tokens": 17},
    {"ban": 1, "watch": False, "max_new_tokens": 33},
    {"max_new_tokens": 1},
    {"max_new_tokens": 2},
]


@dataclass
class Knowing:
    """Propose what was written the other time, each id wrong with some probability."""

    answer: Sequence[int]
    right: float
    most: int
    rng: np.random.Generator
    vocabulary: int

    def propose(self, ids: Sequence[int]) -> Sequence[int]:
        known = self.answer[len(ids) : len(ids) + int(self.rng.integers(0, self.most + 1))]
        wrong = self.rng.integers(0, self.vocabulary, len(known))
        return [int(w) if self.rng.random() >= self.right else i for i, w in zip(known, wrong, strict=True)]


@dataclass
class Garbage:
    """Propose any ids at all: specials, image places, the end, far more than there is room for."""

    rng: np.random.Generator
    vocabulary: int
    most: int

    def propose(self, ids: Sequence[int]) -> Sequence[int]:
        return [int(i) for i in self.rng.integers(0, self.vocabulary, int(self.rng.integers(0, self.most)))]


@dataclass
class Always:
    """Propose the same ids at every place."""

    ids: Sequence[int]

    def propose(self, ids: Sequence[int]) -> Sequence[int]:
        return self.ids


def request(model: GotOcr, seed: int, **rules: Any) -> Request:
    tile = np.random.default_rng(seed).integers(0, 256, (3, 128, 128), dtype=np.uint8)
    task = [Task(), Task("format"), Task(color="red")][seed % 3]
    ids = prompt.build(model.tokenizer, task, 4, (500, 500)).ids
    return Request(ids, model.backend.encode([tile]), model.tokenizer.end, **{"max_new_tokens": 70, **rules})


def wrote(model: GotOcr, asked: Request, draft: Draft | None = None) -> tuple[list[int], Outcome]:
    """Give the ids that were handed out, and the outcome."""
    handed: list[int] = []
    running = generate(model.backend, [replace(asked, draft=draft)])
    while True:
        try:
            handed.append(next(running)[1])
        except StopIteration as end:
            return handed, end.value[0]


def guessing(model: GotOcr, said: Sequence[int], rng: np.random.Generator) -> Iterator[Draft]:
    """Make drafts of every kind for an answer that is known."""
    tokenizer, size = model.tokenizer, len(model.tokenizer)
    with_end = [*said, tokenizer.end, tokenizer.end]
    yield from (Knowing(with_end, right, most, rng, size) for right, most in ((1.0, 6), (0.8, 12), (0.3, 4), (0.0, 9)))
    yield from (Knowing(said[1:], 1.0, 40, rng, size), Knowing([*said, *said, *said], 1.0, 500, rng, size))
    yield from (Garbage(rng, size, 12), Garbage(rng, size, 900))
    yield from (Always(()), Always([tokenizer.end] * 3), Always([tokenizer.image] * 5), Always(said[:1] * 700))
    yield from (NgramDraft(8), NgramDraft(8, 1), NgramDraft(3, 5))
    text = tokenizer.decode(said)
    for source in (text, text[: len(text) // 2], "", "\x00\n -" * 50, text * 20, text[::-1]):
        yield TextDraft(tokenizer, lambda source=source: source, 8)  # type: ignore[misc]


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("rules", RULES, ids=str)
def test_no_draft_changes_an_id(whole: GotOcr, rules: dict[str, Any], seed: int) -> None:
    rng = np.random.default_rng(seed)
    asked = request(whole, seed, **rules)
    plain = wrote(whole, asked)
    assert plain[1].steps == 0
    for draft in guessing(whole, plain[0], rng):
        drafted = wrote(whole, asked, draft)
        assert drafted == plain, draft
        assert 1 <= drafted[1].steps <= plain[1].written


def test_no_draft_changes_an_id_in_caches_that_grow(whole: GotOcr, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = request(whole, 4, watch=False, max_new_tokens=120)
    plain = wrote(whole, asked)
    monkeypatch.setattr(backend_torch, "FIRST_ROOM", 2)
    for draft in guessing(whole, plain[0], np.random.default_rng(1)):
        assert wrote(whole, asked, draft) == plain, draft


def test_the_end_of_the_context_holds(whole: GotOcr) -> None:
    """The room for ids ends inside a proposal."""
    asked = request(whole, 1, watch=False, max_new_tokens=4096)
    room = whole.backend.spec.context - len(asked.prompt)
    plain = wrote(whole, asked)
    assert plain[1].written == room
    said = plain[0] + [1] * 50
    drafted = wrote(whole, asked, Knowing(said, 1.0, 60, np.random.default_rng(2), 10))
    assert drafted == plain
    assert drafted[1].steps < room / 8


def test_right_guesses_save_passes(whole: GotOcr) -> None:
    asked = request(whole, 2, watch=False, max_new_tokens=64)
    plain, _ = wrote(whole, asked)

    class Right:
        def propose(self, ids: Sequence[int]) -> Sequence[int]:
            return plain[len(ids) : len(ids) + 7]

    _, outcome = wrote(whole, asked, Right())
    assert outcome.steps == 1 + 8  # the prompt's own id, then 63 in passes of eight


def test_a_deadline_falls_between_two_ids_of_one_pass(whole: GotOcr) -> None:
    asked = request(whole, 2, watch=False)
    plain, _ = wrote(whole, asked)
    _, outcome = wrote(whole, replace(asked, deadline=0.0), Always(plain[1:9]))
    assert (outcome.ids, outcome.stopped) == (tuple(plain[:1]), "deadline")


def test_several_answers_at_once_take_no_drafts(whole: GotOcr) -> None:
    class Never:
        def propose(self, ids: Sequence[int]) -> Sequence[int]:
            raise AssertionError

    asked = [request(whole, seed) for seed in (1, 2)]
    with_drafts = [replace(one, draft=Never()) for one in asked]
    assert finish(generate(whole.backend, with_drafts)) == finish(generate(whole.backend, asked))


def test_a_backend_without_the_ability_takes_no_drafts(script: Any) -> None:
    script.answers = [[9, 8, 7]]
    asked = Request([1] * 5, [4], script.end, draft=Always([9, 8, 7]))
    assert finish(generate(script, [asked])) == [Outcome((9, 8, 7), "ok", 4)]


def test_scores_that_are_no_numbers_count_only_where_they_are_reached(
    whole: GotOcr, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Behind a wrong guess nobody looks; what it left in the cache is gone."""
    asked = request(whole, 1, watch=False, max_new_tokens=12)
    plain = wrote(whole, asked)
    poison = (plain[0][5] + 1) % 100
    model = whole.backend.model  # type: ignore[attr-defined]
    extend = type(model.decoder).extend

    def spoiled(self: Any, ids: Any, cache: Any, reach: int) -> Any:
        scores = extend(self, ids, cache, reach)
        for place in (ids[0] == poison).nonzero().flatten().tolist():
            scores[:, place:] = float("nan")
            cache.values[:, :, :, reach - ids.shape[1] + place] = float("nan")
        return scores

    monkeypatch.setattr(type(model.decoder), "extend", spoiled)
    assert wrote(whole, asked, Always([poison] * 3)) == plain
    monkeypatch.setattr(type(model.decoder), "extend", lambda *given: extend(*given) * float("nan"))
    with pytest.raises(NumericError):
        wrote(whole, asked, Always([5]))


# What the drafts guess.


def follow(draft: Draft, ids: Sequence[int], most: int) -> tuple[int, list[int]]:
    """Write `ids` with a draft as `generate` does: count the passes, and how many were right in each."""
    done, rights = 1, []
    while done < len(ids):
        guess = list(draft.propose(list(ids[:done])))
        assert len(guess) <= most
        right = next((i for i, g in enumerate(guess) if done + i >= len(ids) or g != ids[done + i]), len(guess))
        rights.append(right)
        done += right + 1
    return 1 + len(rights), rights


def text_draft(tokenizer: Tokenizer, text: str, most: int = 16) -> TextDraft:
    return TextDraft(tokenizer, lambda: text, most)


PAGE = (
    "The quick brown fox jumps over the lazy dog. The end of the line, and of the page;\n"
    "follow the instructions carefully and explain your answers in de-\ntail. Reference of the\n"
    "patch: 0 1 2 3 4 5 6 7 8 9 and across multi pages, upon the end of the line and so on."
)
WRITTEN: dict[str, Callable[[str], str]] = {
    "as it stands": lambda text: text,
    "lines joined": lambda text: text.replace("-\n", "").replace("\n", " "),
    "lines joined, hyphens kept": lambda text: text.replace("\n", " "),
    "blank before each break": lambda text: text.replace("\n", " \n"),
    "no blanks at breaks": lambda text: text.replace("\n", ""),
    "a wrong letter": lambda text: text.replace("jumps", "jamps").replace("explain", "exp1ain"),
    "a letter too many": lambda text: text.replace("jumps", "jummps"),
    "a line left out": lambda text: text.split("\n", 2)[0] + "\n" + text.split("\n", 2)[2],
    "words before and after": lambda text: "system user\n" + text + "\nassistant",
    "other order": lambda text: "\n".join(text.split("\n")[::-1]),
    "in bold": lambda text: text.replace("brown fox", "**brown fox**"),
}


@pytest.mark.parametrize("written", WRITTEN)
def test_a_text_is_followed_through_differences(small: Tokenizer, written: str) -> None:
    ids = [*small.encode(WRITTEN[written](PAGE)), small.end]
    passes, _ = follow(text_draft(small, PAGE), ids, 16)
    assert passes < 0.55 * len(ids)


def test_a_text_that_is_the_answer_needs_few_passes(small: Tokenizer) -> None:
    ids = [*small.encode(PAGE), small.end]
    passes, rights = follow(text_draft(small, PAGE), ids, 16)
    assert passes < len(ids) / 8
    assert max(rights) == 16


def test_a_pdf_spells_some_letters_in_its_own_way(small: Tokenizer) -> None:
    ids = [*small.encode('the first line of office de-\ntail and it\'s the "end" of all'), small.end]
    laid = "the \ufb01rst line \u00a0of o\ufb03ce de\x02\r\ntail and it\u2019s the \u201cend\u201d of all\r\n"
    passes, _ = follow(text_draft(small, laid), ids, 16)
    assert passes < 0.6 * len(ids)


def test_hyphenated_lines_are_joined_where_lines_are(small: Tokenizer) -> None:
    text = "one line\nof the page and the\ninstruc-\ntions of the end"
    ids = small.encode("one line of the page and the instructions of the end")
    draft = text_draft(small, text, 40)
    at = len(small.encode("one line of the"))
    assert list(draft.propose(ids[:at])) == ids[at:][:4]
    for done in range(at + 1, len(ids)):
        assert draft.propose(ids[:done])[:1] == ids[done : done + 1]


def test_tables_of_equal_cells_are_followed_in_place(small: Tokenizer) -> None:
    rows = "\n".join(" ".join(["0.00"] * 6) for _ in range(12)) + "\nthe end"
    ids = [*small.encode(rows), small.end]
    passes, _ = follow(text_draft(small, rows), ids, 16)
    assert passes < len(ids) / 8


@pytest.mark.parametrize("text", ["", " \n\t", "\x00", "---\n---", "\ufffd" * 9, "a"])
def test_texts_that_say_nothing_propose_next_to_nothing(small: Tokenizer, text: str) -> None:
    ids = small.encode("the quick brown fox jumps over the lazy dog")
    _, rights = follow(text_draft(small, text), ids, 16)
    assert sum(rights) == 0


def test_a_foreign_text_is_given_up(small: Tokenizer) -> None:
    ids = small.encode("the quick brown fox jumps over the lazy dog and the end of the line " * 3)
    draft = text_draft(small, "0 1 2 3 4 5 6 7 8 9 " * 40)
    proposed = [len(draft.propose(ids[:done])) for done in range(1, len(ids))]
    assert sum(proposed[3:]) == 0


def test_answers_that_follow_each_other_share_a_text(small: Tokenizer) -> None:
    """As the lines of a page do, each an answer of its own."""
    lines = PAGE.split("\n")
    draft = TextDraft(small, lambda: PAGE, 16, one_line=True)
    passes = [follow(draft, [*small.encode(line), small.end], 16)[0] for line in lines]
    assert sum(passes) < sum(len(small.encode(line)) for line in lines) / 4
    assert follow(draft, [*small.encode("answers in de-"), small.end], 16)[0] < 8  # back to a line that was left


def test_a_text_is_asked_for_once_and_late(small: Tokenizer) -> None:
    asked: list[int] = []

    def text() -> str:
        asked.append(1)
        return PAGE

    draft = TextDraft(small, text, 8)
    assert asked == []
    for done in (0, 3, 5):
        draft.propose(small.encode(PAGE)[:done])
    assert asked == [1]


def test_a_huge_text_is_cut(small: Tokenizer) -> None:
    draft = text_draft(small, "the fox " * MOST_TEXT)
    assert list(draft.propose(small.encode("the fox")))
    assert len(draft._page._plain) < MOST_TEXT  # type: ignore[union-attr]


def test_half_a_character_is_waited_for(small: Tokenizer) -> None:
    ids = small.encode("中文é the end of the line")
    assert follow(text_draft(small, "中文é the end of the line"), ids, 16)[0] < len(ids)


def test_what_stood_before_is_proposed_again() -> None:
    draft = NgramDraft(8)
    assert list(draft.propose([1, 2, 3])) == []
    assert list(draft.propose([1, 2, 3, 4, 5, 6])) == []
    assert list(draft.propose([1, 2, 3, 4, 5, 6, 1, 2, 3])) == [4, 5, 6, 1]
    row = [7, 7, 8]
    passes, rights = follow(NgramDraft(8), row * 30, 8)
    assert passes < 30
    assert max(rights) == 8  # a copy goes on with itself


def test_a_place_once_noted_is_not_noted_again() -> None:
    """Ids come in runs of any length; the result is the one of noting them one by one."""
    rng = np.random.default_rng(3)
    ids = [int(i) for i in rng.integers(0, 3, 200)]
    slow, fast = NgramDraft(4), NgramDraft(4)
    for done in range(len(ids)):
        slow.propose(ids[:done])
    for done in islice(range(len(ids)), 0, None, 7):
        fast.propose(ids[:done])
    fast.propose(ids[:-1])
    assert slow._after == fast._after


def test_the_pace_follows_what_was_right() -> None:
    pace = Pace(16)
    ids: list[int] = []
    widths = []
    for right in (4, 8, 16, 3, 0, 0):
        widths.append(pace.width(ids))
        pace.made(ids, [1] * widths[-1])
        ids = ids + [1] * right + [2]
    assert widths == [4, 8, 16, 16, 4, 1]
    assert Pace(2).width([]) == 2


def test_a_draft_that_is_always_wrong_rests_longer_and_longer() -> None:
    pace = Pace(16)
    made = []
    for done in range(200):
        ids = [2] * done
        if pace.width(ids):
            pace.made(ids, [1] * pace.width(ids))
            made.append(done)
    gaps = [b - a for a, b in pairwise(made)]
    assert gaps[:8] == [1, 1, 1, 2, 4, 8, 16, 16]
    assert pace.width([2]) == 4  # another answer


# Where they come from.


@pytest.fixture(scope="session")
def paper(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a PDF page whose text layer says something that no model here will write."""
    pikepdf = pytest.importorskip("pikepdf")
    book = pikepdf.new()
    for _ in range(2):
        book.add_blank_page(page_size=(300, 100))
        font = pikepdf.Dictionary(Type=pikepdf.Name.Font, Subtype=pikepdf.Name.Type1, BaseFont=pikepdf.Name.Helvetica)
        book.pages[-1].Resources = pikepdf.Dictionary(Font=pikepdf.Dictionary(F1=font))
        lines = b"BT /F1 12 Tf 10 70 Td (the quick brown fox) Tj 0 -30 Td (and the end of it) Tj ET"
        book.pages[-1].Contents = book.make_stream(lines)
    path = tmp_path_factory.mktemp("paper") / "page.pdf"
    book.save(path)
    return path


@pytest.mark.parametrize("kind", ["whole", "lines"])
def test_readings_are_the_same_with_every_draft(kind: str, request: pytest.FixtureRequest, paper: Path) -> None:
    model: GotOcr = request.getfixturevalue(kind)

    def stripped(reading: Reading) -> Reading:
        return replace(reading, seconds=0, steps=0)

    drafts: tuple[DraftName, ...] = ("none", "ngram", "auto")
    read = {d: model.read(paper, pages="1", max_new_tokens=40, draft=d) for d in drafts}
    streams = {d: list(model.stream(paper, pages="1", max_new_tokens=40, draft=d)) for d in drafts}
    for draft in drafts:
        assert stripped(read[draft]) == stripped(read["none"])
        *pieces, reading = streams[draft]
        assert pieces == streams["none"][:-1]
        assert stripped(reading) == stripped(read["none"])
        assert 1 <= reading.steps <= reading.tokens
    assert streams["none"][-1].steps == read["none"].tokens


def test_drafts_follow_what_is_asked(whole: GotOcr, lines: GotOcr, paper: Path, page: Any) -> None:
    def kinds(model: GotOcr, source: Any, draft: DraftName = "auto", **words: Any) -> set[str]:
        (job,) = jobs(source, Task(**words), profile("safe"), None if words.get("multi_page") else "1")
        asked = model._ask(job, Options(profile("safe"), draft=draft))
        return {type(one.draft).__name__ for one in asked.requests}

    assert kinds(whole, paper) == kinds(whole, paper, mode="format") == {"TextDraft"}
    assert kinds(whole, paper, multi_page=True) == kinds(whole, paper, crop=True) == {"TextDraft"}
    assert kinds(whole, paper, color="red") == kinds(whole, paper, box=(0, 0, 90, 90)) == {"NoneType"}
    assert kinds(whole, paper, "none") == kinds(whole, page) == {"NoneType"}
    assert kinds(whole, paper, "ngram") == kinds(whole, page, "ngram") == {"NgramDraft"}
    with pytest.raises(InvalidValue, match="draft is one of auto, none, ngram"):
        kinds(whole, paper, "text")  # type: ignore[arg-type]


def test_pages_say_what_they_carry(whole: GotOcr, paper: Path) -> None:
    (job,) = jobs(paper, Task(multi_page=True), profile("safe"), None)
    (asked,) = whole._ask(job, Options(profile("safe"))).requests
    said = "the quick brown fox\nand the end of it"
    assert isinstance(asked.draft, TextDraft)
    assert whole.tokenizer.decode(asked.draft.propose([])) == whole.tokenizer.decode(whole.tokenizer.encode(said)[:4])
    assert asked.draft._page._plain == f"{said}\n{said}"  # type: ignore[union-attr]
