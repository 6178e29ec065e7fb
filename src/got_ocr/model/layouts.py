"""The three ways in which a checkpoint is written down: our own, the original's, transformers'. Names of tensors only.

Each layout is a table of name prefixes, ours -> theirs, read in both directions. Knows no file and no tensor's values;
what the configurations say is `configs`' concern.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from got_ocr.errors import InvalidWeights

LayoutName = Literal["native", "original", "hf"]


@dataclass(frozen=True, slots=True)
class Layout:
    """Describe one layout's names.

    names: (our prefix, theirs), `#` standing for a layer's number. spellings: (prefix as found, prefix as written
    here), first match wins; releases of transformers differ. head: the name of the stored output head, a copy of the
    embedding. stores_head: whether the layout's own writer stores that copy.
    """

    name: LayoutName
    model_type: str
    names: tuple[tuple[str, str], ...]
    spellings: tuple[tuple[str, str], ...] = ()
    head: str | None = None
    stores_head: bool = False

    def theirs(self, ours: str) -> str:
        """Translate one of our names."""
        number = re.search(r"\.(\d+)\.", ours)
        template = re.sub(r"\.\d+\.", ".#.", ours)
        for mine, other in self.names:
            if template.startswith(mine):
                template = other + template[len(mine) :]
                break
        return template.replace("#", number.group(1)) if number else template

    def canonical(self, found: Iterable[str]) -> dict[str, str]:
        """Map each name, whatever release wrote it, to the one in the file.

        Raises InvalidWeights where two become one.
        """
        names: dict[str, str] = {}
        for name in found:
            match = next((pair for pair in self.spellings if name.startswith(pair[0])), ("", ""))
            plain = match[1] + name[len(match[0]) :]
            if plain in names:
                raise InvalidWeights("the same tensor is stored twice under names of different releases")
            names[plain] = name
        return names


NATIVE = Layout("native", "got-ocr", ())

ORIGINAL = Layout(
    "original",
    "GOT",
    (
        ("vision.patch_embed.", "model.vision_tower_high.patch_embed.proj."),
        ("vision.pos_embed", "model.vision_tower_high.pos_embed"),
        ("vision.layers.#.", "model.vision_tower_high.blocks.#."),
        ("vision.neck.conv1.", "model.vision_tower_high.neck.0."),
        ("vision.neck.norm1.", "model.vision_tower_high.neck.1."),
        ("vision.neck.conv2.", "model.vision_tower_high.neck.2."),
        ("vision.neck.norm2.", "model.vision_tower_high.neck.3."),
        ("vision.down1.", "model.vision_tower_high.net_2."),
        ("vision.down2.", "model.vision_tower_high.net_3."),
        ("connector.", "model.mm_projector_vary."),
        ("decoder.embed.", "model.embed_tokens."),
        ("decoder.layers.#.input_norm.", "model.layers.#.input_layernorm."),
        ("decoder.layers.#.attn.", "model.layers.#.self_attn."),
        ("decoder.layers.#.post_norm.", "model.layers.#.post_attention_layernorm."),
        ("decoder.layers.#.mlp.", "model.layers.#.mlp."),
        ("decoder.norm.", "model.norm."),
    ),
    head="lm_head.weight",
    stores_head=True,
)

HF = Layout(
    "hf",
    "got_ocr2",
    (
        ("vision.patch_embed.", "vision_tower.patch_embed.projection."),
        ("vision.pos_embed", "vision_tower.pos_embed"),
        ("vision.layers.#.norm1.", "vision_tower.layers.#.layer_norm1."),
        ("vision.layers.#.norm2.", "vision_tower.layers.#.layer_norm2."),
        ("vision.layers.#.", "vision_tower.layers.#."),
        ("vision.neck.norm1.", "vision_tower.neck.layer_norm1."),
        ("vision.neck.norm2.", "vision_tower.neck.layer_norm2."),
        ("vision.neck.", "vision_tower.neck."),
        ("vision.down1.", "multi_modal_projector.conv_upsampler1."),
        ("vision.down2.", "multi_modal_projector.conv_upsampler2."),
        ("connector.", "multi_modal_projector.multimodal_projector."),
        ("decoder.embed.", "language_model.model.embed_tokens."),
        ("decoder.layers.#.input_norm.", "language_model.model.layers.#.input_layernorm."),
        ("decoder.layers.#.attn.", "language_model.model.layers.#.self_attn."),
        ("decoder.layers.#.post_norm.", "language_model.model.layers.#.post_attention_layernorm."),
        ("decoder.layers.#.mlp.", "language_model.model.layers.#.mlp."),
        ("decoder.norm.", "language_model.model.norm."),
    ),
    spellings=(
        ("language_model.model.", "language_model.model."),
        ("language_model.lm_head.", "language_model.lm_head."),
        ("lm_head.", "language_model.lm_head."),
        ("language_model.", "language_model.model."),
        ("model.language_model.", "language_model.model."),
        ("model.vision_tower.", "vision_tower."),
        ("model.multi_modal_projector.", "multi_modal_projector."),
    ),
    head="language_model.lm_head.weight",
)

LAYOUTS: dict[LayoutName, Layout] = {layout.name: layout for layout in (NATIVE, ORIGINAL, HF)}
