"""`**kern` by Verovio in a child: drawn through the gate; whatever happens in the child stays there."""

import re
import subprocess
import sys
import time

import pytest

pytest.importorskip("verovio", reason="verovio is not installed")

from got_ocr.errors import ChildCrashed, DeadlineExceeded, MissingDependency, RenderFailed
from got_ocr.render import child, music, render_result
from got_ocr.render.kernfix import MAX_SPINES, repair
from got_ocr.render.markup import Markup
from got_ocr.render.music import MAX_KERN, to_svg

SCORE = "**kern\t**kern\n*clefF4\t*clefG2\n*k[f#]\t*k[f#]\n*M4/4\t*M4/4\n=1\t=1\n1G\t4g\n.\t4a\n.\t4b\n.\t4cc\n==\t==\n*-\t*-\n"


@pytest.fixture(scope="module")
def drawn() -> Markup:
    return to_svg(SCORE)


def test_a_score_is_drawn(drawn: Markup) -> None:
    assert drawn.startswith('<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ')
    assert drawn.count("<use") > 8
    assert "<style" not in drawn
    assert re.findall(r' class="([^"]+)"', drawn) == ["narrow"]
    assert "<desc" not in drawn


def test_nothing_hidden_becomes_visible(drawn: Markup) -> None:
    assert "<ellipse" not in drawn  # the library's placeholders are hidden by a style sheet that is not let in


def test_glyphs_are_named_by_us_and_all_there(drawn: Markup) -> None:
    ids = re.findall(r' id="([^"]+)"', drawn)
    assert ids == [f"m-{at}" for at in range(1, len(ids) + 1)]
    assert set(re.findall(r'href="#([^"]+)"', drawn)) == set(ids)


def test_two_scores_in_a_page_do_not_share_names() -> None:
    assert 'id="a-1"' in to_svg(SCORE, "a-")


def test_the_whole_score_is_inside(drawn: Markup) -> None:
    """A long score becomes a taller drawing, never a cut one."""
    bars = "".join(f"={at}\t=\n4C\t4c\n4D\t4d\n4E\t4e\n4F\t4f\n" for at in range(1, 60))
    long = to_svg("**kern\t**kern\n*clefF4\t*clefG2\n*M4/4\t*M4/4\n" + bars + "*-\t*-\n")
    assert long.count("<use") > 59 * 8
    height = [int(re.findall(r'viewBox="0 0 \d+ (\d+)"', svg)[0]) for svg in (drawn, long)]
    assert height[1] > 4 * height[0]


@pytest.mark.parametrize(("meter", "sign"), [("*M4/4", "*met(c)"), ("*M2/2", "*met(c|)")])
def test_common_and_cut_time_are_drawn(meter: str, sign: str) -> None:
    """One sign a staff stands where two figures stood, or nothing."""
    plain = SCORE.replace("*M4/4\t*M4/4\n", f"{meter}\t{meter}\n")
    signed = plain.replace(f"{meter}\t{meter}\n", f"{meter}\t{meter}\n{sign}\t{sign}\n")
    assert to_svg(signed).count("<use") == to_svg(plain).count("<use") - 2
    assert glyphs(signed) != glyphs(SCORE)


def glyphs(score: str) -> list[str]:
    """List the outlines that a score uses."""
    return re.findall(r' d="([^"]+)"', to_svg(score).split("</defs>")[0])


def test_blanks_for_tabs_and_a_missing_end_are_mended() -> None:
    assert to_svg(SCORE.replace("\t", " ")).count("<use") == to_svg(SCORE).count("<use")
    assert to_svg(SCORE.replace("*-\t*-\n", "")).count("<use") == to_svg(SCORE).count("<use")


@pytest.mark.parametrize(
    ("lines", "repaired"),
    [
        ("**kern\t**kern|4c\t4d|4e", "**kern\t**kern|4c\t4d|4e\t.|*-\t*-"),
        ("**kern\t**kern|4c\t4d\t4e", "**kern\t**kern|4c\t4d|*-\t*-"),
        ("**kern **kern|4c 4d|4e 4f 4g", "**kern\t**kern|4c\t4d|4e 4f 4g\t.|*-\t*-"),
        ("**kern|*^|4c\t4d|*v\t*v|4e", "**kern|*^|4c\t4d|*v\t*v|4e|*-"),
        ("**kern|*v|4e|*x", "**kern|*|4e|*|*-"),
        ("**kern\t**text|*x\t*x|la\t4c", "**kern\t**text|*x\t*x|la\t4c|*-\t*-"),
        ("**kern\t**kern|*-\t*|4c", "**kern\t**kern|*-\t*-"),
        ("**kern\t**kern\t**kern|*-\t*\t*|4c", "**kern\t**kern\t**kern|*\t*\t*|4c\t.\t.|*-\t*-\t*-"),
        ("4c\t4d", "**kern\t**kern|4c\t4d|*-\t*-"),
        ("**kern|c|8dd0c0c|zz|99999e", "**kern|4c|8dd|.|999e|*-"),
        ("**kern\t**text|4c\tword with 0 notes", "**kern\t**text|4c\tword with 0 notes|*-\t*-"),
        ("**kern|=1|!!!OTL: x|!comment|4c", "**kern|=1|!!!OTL: x|!comment|4c|*-"),
        ("**kern\t**kern|=1|4c\t=", "**kern\t**kern|=1\t=1|4c\t.|*-\t*-"),
        ("**kernel|**kern|4c", "**kern|4c|*-"),
    ],
)
def test_spines_and_notes_are_mended(lines: str, repaired: str) -> None:
    assert repair(lines.replace("|", "\n")) == repaired.replace("|", "\n") + "\n"


def test_a_right_score_is_not_touched() -> None:
    assert repair(SCORE) == SCORE


def test_spines_do_not_multiply_without_end() -> None:
    lines = repair("**kern\n" + "*^\n" * 60 + "4c\n").split("\n")
    assert max(line.count("\t") for line in lines) < MAX_SPINES


@pytest.mark.parametrize(
    ("text", "errors"),
    [
        ("**kern\n" + "*^\n" * 60 + "4c\n*-\n", {None, "worker_crash", "render_failed", "deadline"}),
        ("hello", {"render_failed", "worker_crash"}),
        ("", {"render_failed", "worker_crash"}),
        ("**kern\n" + "\x00" * 50, {None, "render_failed", "worker_crash"}),
        ("**kern\n" + "4c\n" * 20_000 + "*-", {"render_failed"}),
        ("**kern\t" * 300 + "\n", {"render_failed", "worker_crash", None}),
        ("**kern\n" + "(" * 5_000 + "\n*-\n", {None, "render_failed", "worker_crash", "deadline"}),
    ],
)
def test_hostile_scores_end_in_time(text: str, errors: set[str | None]) -> None:
    start = time.monotonic()
    made = render_result(text, kind="kern", to="fragment")
    assert made.error in errors
    assert time.monotonic() - start < 8  # five seconds, and room for a busy machine
    if made.error:
        assert f'data-render-error="{made.error}"' in str(made.content)


def test_the_score_that_kills_the_engraver_kills_no_more_than_its_child(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without our repair, sixty splits abort the process that runs Verovio: measured, and the reason for the child."""
    monkeypatch.setattr(music, "repair", lambda source: source)
    made = render_result("**kern\n" + "*^\n" * 60 + "*-\n", kind="kern", to="fragment")
    assert made.error == "worker_crash"
    assert 'data-render-error="worker_crash"' in str(made.content)


def run_as(monkeypatch: pytest.MonkeyPatch, code: str) -> None:
    """Let the child run other code than Verovio's."""
    true = subprocess.run

    def run(command: list[str], **rest: object) -> object:
        return true([sys.executable, "-c", code], **rest)  # type: ignore[call-overload]

    monkeypatch.setattr(child.subprocess, "run", run)


def test_a_child_that_hangs_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    run_as(monkeypatch, "import time; time.sleep(60)")
    start = time.monotonic()
    with pytest.raises(DeadlineExceeded):
        child.run_child("x", "y", "verovio", seconds=0.3)
    assert time.monotonic() - start < 5


@pytest.mark.parametrize(
    ("code", "error"),
    [
        ("import os; os.abort()", ChildCrashed),
        ("import sys; sys.exit(1)", ChildCrashed),
        ("import sys; sys.exit(86)", MissingDependency),
        ("import sys; sys.exit(87)", RenderFailed),
    ],
)
def test_how_a_child_ends_is_told(monkeypatch: pytest.MonkeyPatch, code: str, error: type[Exception]) -> None:
    run_as(monkeypatch, code)
    with pytest.raises(error) as caught:
        child.run_child("x", "y", "verovio")
    assert "Traceback" not in str(caught.value)


@pytest.mark.parametrize(
    "answer", ["", "<svg", "<html/>", "<!DOCTYPE svg><svg xmlns='http://www.w3.org/2000/svg'/>", "\x00"]
)
def test_an_answer_that_is_no_drawing_is_refused(monkeypatch: pytest.MonkeyPatch, answer: str) -> None:
    monkeypatch.setattr(music, "run_child", lambda module, text, library: answer)
    with pytest.raises(RenderFailed):
        to_svg(SCORE)


def test_a_child_limits_itself() -> None:
    """The limits are set before the library is loaded."""
    code = (
        "from got_ocr.render import music_child as m, limits; m._limit(); import resource as r;"
        "assert r.getrlimit(r.RLIMIT_AS)[0] <= limits.CHILD_MEMORY; assert r.getrlimit(r.RLIMIT_CORE)[0] == 0;"
        "assert r.getrlimit(r.RLIMIT_CPU)[0] <= 6"
    )
    pytest.importorskip("resource", reason="no resource limits on this system")
    subprocess.run([sys.executable, "-c", code], check=True, env={"PYTHONPATH": ":".join(sys.path)})


def test_a_long_score_is_refused_before_a_child_starts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(music, "run_child", lambda *_: pytest.fail("started"))
    with pytest.raises(RenderFailed):
        to_svg("4c\n" * MAX_KERN)
