"""Picture of a school geometry drawing -> its texts as strips, and its TikZ once they are read. Knows no model weights."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from PIL import Image

from got_ocr.geometry import nameless, spelling
from got_ocr.geometry.axes import LATTICE, POINTS, STEPS, VECTORS
from got_ocr.geometry.board import is_number, note_of
from got_ocr.geometry.gate import is_drawing
from got_ocr.geometry.ink import Seen, look_at
from got_ocr.geometry.names import ordered
from got_ocr.geometry.numbers import NumberLine, find_line
from got_ocr.geometry.places import Stand, Stands, lengthened, spots, stands
from got_ocr.geometry.plan import Plan, make_plan
from got_ocr.geometry.polygons import find_polygons
from got_ocr.geometry.scene import read_scene
from got_ocr.geometry.script import Naming, at, drawn
from got_ocr.geometry.texts import Text, is_italic, label_of, slant
from got_ocr.geometry.waves import WaveDrawing, find_wave, wave_texts
from got_ocr.labels import Label
from got_ocr.spec import ModelSpec

BESIDE = 0.09  # centimetres by which a text may be off from where it would stand exactly
FAR = 0.16
FEW_NAMES, SURE = 4, 0.85  # texts, and how many of them are names, where a drawing can be nothing else
LAST = 200  # behind all letters


@dataclass(frozen=True, slots=True)
class GeometryDrawing:
    """What was seen of a drawing. labels: strips of its texts. places: where each may stand. leans: see `slant`."""

    labels: tuple[Label, ...]
    plan: Plan
    places: tuple[Stands, ...]
    leans: tuple[tuple[float, float], ...]

    @property
    def sure(self) -> bool:
        """Say whether it can be nothing else: it has axes with arrow heads, or its texts stand where names of points do."""
        named = sum(stand.point is not None and stand.point.off <= BESIDE for stand in self.places)
        return self.plan.scene.axes is not None or (len(self.places) >= FEW_NAMES and named >= SURE * len(self.places))

    def write(self, answers: Sequence[str]) -> str:
        """Write the drawing down as TikZ. answers: what was read of each label; missing ones are taken for empty."""
        told = [*answers, *[""] * len(self.labels)][: len(self.labels)]
        return write(self, told)


def cut_geometry(picture: Image.Image, spec: ModelSpec) -> GeometryDrawing | NumberLine | WaveDrawing | None:
    """Find what a drawing shows; None where the picture shows no drawing."""
    seen = look_at(picture)
    if seen is None:
        return None
    wave = find_wave(seen)
    if wave is not None:
        texts = wave_texts(seen, wave)
        return WaveDrawing(_strips(texts, seen, spec), wave, texts)
    scene = read_scene(seen)
    if scene is None:
        return None
    line = find_line(seen)
    if line is not None:
        return NumberLine(_strips(scene.texts, seen, spec), line, scene.texts)
    if scene.axes is None:
        scene = lengthened(scene)
    where = spots(scene)
    found = tuple(stands(scene, text, where) for text in scene.texts)
    if not is_drawing(scene, found):
        return None
    for stand in found:
        if stand.point is not None and stand.point.off <= BESIDE:
            scene.net.add(stand.point.spot)
    if scene.axes is not None:
        kept = [i for i, text in enumerate(scene.texts) if not is_number(scene, text)]
        scene = replace(scene, numbers=len(kept) < len(scene.texts) - 1, texts=tuple(scene.texts[i] for i in kept))
        found = tuple(found[i] for i in kept)
    leans = tuple(slant(text) for text in scene.texts)
    return GeometryDrawing(_strips(scene.texts, seen, spec), make_plan(scene), found, leans)


def _strips(texts: Sequence[Text], seen: Seen, spec: ModelSpec) -> tuple[Label, ...]:
    heights = [text.box[3] - text.box[1] for text in texts]
    usual = round(float(np.median(heights))) if heights else 0
    return tuple(label_of(text, usual, seen, spec) for text in texts)


def write(drawing: GeometryDrawing, answers: Sequence[str]) -> str:
    """Put names to places, and everything in order."""
    plan = drawing.plan
    names: dict[int, str] = {}
    points: dict[int, Stand] = {}
    for number, (stand, answer) in enumerate(zip(drawing.places, answers, strict=True)):
        name = spelling.name_of(answer) if note_of(plan.scene, plan.scene.texts[number]) is None else ""
        place = _place_of(drawing, stand)
        if name and place is not None and place not in names and name not in names.values():
            names[place] = name
            points[number] = stand.point  # type: ignore[assignment]
    order = ordered(names, _centre_first(plan, names))
    naming = Naming(names, {k: i for i, k in enumerate(order)}, find_polygons(plan, names, order))
    lines = [rf"\coordinate ({names[k]}) at {spelling.spot(plan.place(k))};" for k in order]
    told = [(text.middle, answer) for text, answer in zip(plan.scene.texts, answers, strict=True)]
    known = [] if order or plan.scene.axes is not None else nameless.sets(plan, told) or nameless.box_net(plan)
    lines += known or drawn(plan, naming)
    if plan.scene.axes is not None and (plan.scene.axes.low, plan.scene.axes.high) == STEPS:
        return "\n".join(
            [r"\begin{tikzpicture}", *lines, *_labels(drawing, answers, naming, points), r"\end{tikzpicture}"]
        )
    dots = sorted({plan.scene.net.add(z) for z in plan.scene.dots}, key=lambda k: (naming.rank(k), plan.place(k).real))
    if plan.scene.axes is not None:
        window = plan.scene.axes.low, plan.scene.axes.high
        dots = [k for k in dots if k in names or window == POINTS] if window not in (VECTORS, LATTICE) else []
    lines += [rf"\fill {at(plan, naming, k)} circle (1.5pt);" for k in dots]
    lines += _labels(drawing, answers, naming, points)
    return "\n".join([r"\begin{tikzpicture}", *lines, r"\end{tikzpicture}"])


def _place_of(drawing: GeometryDrawing, stand: Stands) -> int | None:
    if stand.point is None or stand.point.off > BESIDE:
        return None
    return drawing.plan.scene.net.place_at(stand.point.spot)


def _centre_first(plan: Plan, names: dict[int, str]) -> bool:
    """Say whether O is named before the other points."""
    net = plan.scene.net
    place = next((k for k, name in names.items() if name == "O"), None)
    if place is None:
        return True
    z, near = net.places[place], 0.06 * plan.unit
    dotted = any(abs(dot - z) < near for dot in plan.scene.dots)
    others = ordered({k: n for k, n in names.items() if k != place}, True)
    polygons = find_polygons(plan, {k: names[k] for k in others}, others)
    if not dotted and any(not arc.round for arc in net.arcs):
        return False  # the middle of the foot of a cone
    if not dotted:
        ends = sum(place in pair for pair in net.ends)
        return ends >= 2 and not polygons and all(place not in stations[1:-1] for stations in net.on)
    around = [arc for arc in net.arcs if abs(arc.center - z) < near]
    if polygons and around:
        corners = [net.places[k] for k in polygons[0].places]
        through = any(all(abs(abs(c - z) - arc.rx) < near for c in corners) for arc in around)
        across = any(place in stations[1:-1] for stations in net.on)
        return through and not across and (len(corners) == 4 or (len(corners) == 3 and len(others) > 3))
    widest = max((arc.rx for arc in around), default=0.0)
    outside = [k for k in others[:1] if around and abs(net.places[k] - z) > 1.15 * widest]
    joined = any(place in pair for pair in net.ends)
    return not polygons and not (outside and not joined)


def _labels(drawing: GeometryDrawing, answers: Sequence[str], naming: Naming, points: dict[int, Stand]) -> list[str]:
    """Write the texts: names of points in order, then the others."""
    plan = drawing.plan
    italic = is_italic([drawing.leans[n] for n in points], [answers[n] for n in points])
    items: list[tuple[tuple[float, ...], str]] = []
    for number, (stand, answer) in enumerate(zip(drawing.places, answers, strict=True)):
        if number in points:
            place = plan.scene.net.place_at(points[number].spot)
            name = naming.names[place]  # type: ignore[index]
            text = spelling.formula(name) if italic or len(name) > 1 else name
            items.append(((0, naming.rank(place)), rf"\node[{points[number].side}] at ({name}) {{{text}}};"))  # type: ignore[arg-type]
            continue
        note = note_of(plan.scene, plan.scene.texts[number])
        if note is not None:
            rank, side, where = note
            items.append(((-1, rank), rf"\node[{side}] at {spelling.spot(where)} {{{spelling.formula(answer)}}};"))
            continue
        text = spelling.formula(answer)
        if plan.scene.axes is not None and (plan.scene.axes.low, plan.scene.axes.high) == VECTORS:
            text = rf"$\vec{{{answer.strip()[:1]}}}$"
        angle, measure = stand.angle, stand.measure
        if angle is not None and angle.off < FAR and (measure is None or angle.off <= measure.off or "°" in answer):
            items.append(((0.5, angle.arc), rf"\node at {spelling.spot(plan.move(angle.spot))} {{{text}}};"))
        elif measure is not None and measure.off < FAR:
            items.append(
                ((1, number), rf"\node[{measure.side}] at {spelling.spot(plan.move(measure.spot))} {{{text}}};")
            )
        else:
            letter = len(answer.strip()) == 1 and answer.strip().isupper()
            items.append(
                (
                    (3, ord(answer.strip()) if letter else LAST + number),
                    rf"\node at {spelling.spot(plan.move(plan.scene.texts[number].middle))} {{{text}}};",
                )
            )
    return [text for _, text in sorted(items, key=lambda item: item[0])]
