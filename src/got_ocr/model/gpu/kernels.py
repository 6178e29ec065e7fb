"""The Triton kernels. Only `launch` imports this file, since Triton need not be there; `ops` says in PyTorch what each computes.

Products are added up in float32 whatever the numbers' format. No program reads outside its arrays, whatever lengths say, and
every softmax has at least one position to see. Sizes in capitals are fixed when a kernel is compiled; the blocks are powers
of two.
"""
# mypy: disable-error-code="misc, no-untyped-def, untyped-decorator, import-not-found, import-untyped, no-any-return"

import triton
import triton.language as tl

LOG2E = tl.constexpr(1.4426950408889634)
EIGHT = tl.constexpr(448.0)  # the largest number of float8 e4m3


@triton.jit
def row_terms(at, row, ky, real, seen, ROWS: tl.constexpr):
    """Read the row terms of a block's keys: one number a query where they all stand in one row."""
    if ROWS == 1:  # noqa: SIM108 - chosen when the kernel is compiled
        terms = tl.load(at - row, real, 0.0)[:, None]
    else:
        terms = tl.load(at[:, None] - ky[None, :], real[:, None] & seen[None, :], 0.0)
    return terms.to(tl.float32)


@triton.jit
def joined(scores, v, highest, total, mixed, PRECISION: tl.constexpr):
    """Take a block of scores (base 2) and values into running softmaxes, one a row; gives (highest, total, mixed)."""
    higher = tl.maximum(highest, tl.max(scores, 1))
    share = tl.exp2(scores - higher[:, None])
    fade = tl.exp2(highest - higher)
    mixed = mixed * fade[:, None] + tl.dot(share.to(v.dtype), v, input_precision=PRECISION)
    return higher, total * fade + tl.sum(share, 1), mixed


@triton.jit
def relative_attention(
    qkv, empty, terms_h, terms_w, out, tokens, grid_y, grid_x, window_y, window_x, across, heads,
    middle_h, middle_w, wide_h, wide_w, scale,
    D: tl.constexpr, BLOCK_M: tl.constexpr, BLOCK_D: tl.constexpr, ROWS: tl.constexpr, COLUMNS: tl.constexpr,
    PADDED: tl.constexpr, PRECISION: tl.constexpr,
):  # fmt: skip
    """Attend from BLOCK_M queries of one window to ROWS rows of its keys at a time.

    Programs: (blocks of a window's queries, windows, tiles x heads). COLUMNS: window_x, rounded up. With one row of keys a
    block, the row term is one number a query; the column term is the same tile of numbers for every block.
    """
    place, pair = tl.program_id(1), tl.program_id(2)
    tile, head = (pair // heads).to(tl.int64), (pair % heads).to(tl.int64)
    top, left = place // across * window_y, place % across * window_x
    first, width = tile * grid_y * grid_x, heads * D
    d = tl.arange(0, BLOCK_D)
    inside = d < D

    m = tl.program_id(0) * BLOCK_M + tl.arange(0, BLOCK_M)
    qy, qx = m // window_x, m % window_x
    real = (qy < window_y) & (top + qy < grid_y) & (left + qx < grid_x)
    token = first + tl.where(real, (top + qy) * grid_x + left + qx, 0)
    q = tl.load(qkv + token[:, None] * 3 * width + head * D + d[None, :], real[:, None] & inside[None, :], 0.0)
    line = head * tokens + token  # of the terms

    j = tl.arange(0, ROWS * COLUMNS)
    jy, kx = j // COLUMNS, j % COLUMNS
    column = kx < window_x
    by_col = tl.load(
        terms_w + line[:, None] * wide_w + (qx[:, None] - kx[None, :] + middle_w), real[:, None] & column[None, :], 0.0
    ).to(tl.float32) * LOG2E  # fmt: skip
    if PADDED:
        empty_k = tl.load(empty + width + head * D + d, inside, 0.0)
        empty_v = tl.load(empty + 2 * width + head * D + d, inside, 0.0)

    highest = tl.full((BLOCK_M,), float("-inf"), tl.float32)
    total = tl.zeros((BLOCK_M,), tl.float32)
    mixed = tl.zeros((BLOCK_M, BLOCK_D), tl.float32)
    for row in range(0, window_y, ROWS):
        ky = row + jy
        seen = (ky < window_y) & column
        here = seen & (top + ky < grid_y) & (left + kx < grid_x)
        at = first + tl.where(here, (top + ky) * grid_x + left + kx, 0)
        where = qkv + at[:, None] * 3 * width + head * D + d[None, :]
        k = tl.load(where + width, here[:, None] & inside[None, :], 0.0)
        v = tl.load(where + 2 * width, here[:, None] & inside[None, :], 0.0)
        if PADDED:
            k = tl.where(here[:, None], k, empty_k[None, :])
            v = tl.where(here[:, None], v, empty_v[None, :])
        scores = tl.dot(q, tl.trans(k), input_precision=PRECISION) * (scale * LOG2E) + by_col
        scores += row_terms(terms_h + line * wide_h + qy + middle_h, row, ky, real, seen, ROWS) * LOG2E
        highest, total, mixed = joined(
            tl.where(seen[None, :], scores, float("-inf")), v, highest, total, mixed, PRECISION
        )
    mixed = mixed / total[:, None]
    spot = out + token[:, None] * width + head * D + d[None, :]
    tl.store(spot, mixed.to(out.dtype.element_ty), real[:, None] & inside[None, :])


@triton.jit
def narrowed(x, EIGHTH: tl.constexpr, kind: tl.constexpr):
    """Round a row of float32 to what the cache holds; gives (numbers of the cache's format, their scale)."""
    if EIGHTH:
        scale = tl.maximum(tl.max(tl.abs(x), 0) / EIGHT, 1e-12).to(tl.bfloat16).to(tl.float32)
        x = tl.minimum(tl.maximum(x / scale, -EIGHT), EIGHT)
    else:
        scale = 1.0
    return x.to(kind), scale


@triton.jit
def rotated(new, d, partner, inside, c, s, first):
    """Read a row of D numbers and rotate it."""
    x, other = tl.load(new + d, inside, 0.0).to(tl.float32), tl.load(new + partner, inside, 0.0).to(tl.float32)
    return (x * c + tl.where(first, -other, other) * s).to(new.dtype.element_ty).to(tl.float32)


@triton.jit
def taken(scores, v, highest, total, mixed):
    """Take some scores (base 2) and their values into one running softmax; gives (highest, total, mixed)."""
    higher = tl.maximum(highest, tl.max(scores, 0))
    share = tl.exp2(scores - higher)
    fade = tl.exp2(highest - higher)
    return higher, total * fade + tl.sum(share, 0), mixed * fade + tl.sum(v * share[:, None], 0)


@triton.jit
def attend(
    qkv, cos, sin, keys, values, key_scales, value_scales, rows, lengths, out, parts, stats,
    heads, size, scale,
    D: tl.constexpr, BLOCK_D: tl.constexpr, BLOCK_S: tl.constexpr, SPLITS: tl.constexpr, EIGHTH: tl.constexpr,
):  # fmt: skip
    """Turn one head's query and key, write key and value into the cache, attend over one part of the filled positions.

    Programs: (rows, heads, parts). Nobody reads what another program writes: the part with number 0 takes the new position
    from its registers. A part without positions has the highest score -inf, and `combine` gives it no weight.
    """
    row, head, part = tl.program_id(0).to(tl.int64), tl.program_id(1), tl.program_id(2)
    slot = tl.load(rows + row).to(tl.int64)
    length = tl.minimum(tl.load(lengths + slot), size - 1).to(tl.int32)
    d = tl.arange(0, BLOCK_D)
    inside, first = d < D, d < D // 2
    partner = tl.where(first, d + D // 2, d - D // 2)
    width = heads * D
    new = qkv + row * 3 * width + head * D
    turn = length.to(tl.int64) * D + d
    c, s = tl.load(cos + turn, inside, 0.0).to(tl.float32), tl.load(sin + turn, inside, 0.0).to(tl.float32)
    q = rotated(new, d, partner, inside, c, s, first) * (scale * LOG2E)

    # Every part computes the new position, which is little; only the first one writes it and counts it.
    head_at = (slot * heads + head) * size
    mine = d < tl.where(part == 0, D, 0)
    new += width
    k = rotated(new, d, partner, inside, c, s, first)
    v = tl.load(new + width + d, inside, 0.0).to(tl.float32)
    k8, k_scale = narrowed(k, EIGHTH, keys.dtype.element_ty)
    v8, v_scale = narrowed(v, EIGHTH, values.dtype.element_ty)
    tl.store(keys + (head_at + length) * D + d, k8, mine)
    tl.store(values + (head_at + length) * D + d, v8, mine)
    if EIGHTH:
        tl.store(key_scales + head_at + length, k_scale.to(key_scales.dtype.element_ty), part == 0)
        tl.store(value_scales + head_at + length, v_scale.to(value_scales.dtype.element_ty), part == 0)
    highest = tl.where(part == 0, tl.sum(q * k8.to(tl.float32), 0) * k_scale, float("-inf"))
    total = tl.where(part == 0, 1.0, 0.0)
    mixed = tl.where(mine, v8.to(tl.float32) * v_scale, 0.0)

    share = tl.cdiv(tl.cdiv(length, SPLITS), BLOCK_S) * BLOCK_S
    end = tl.minimum((part + 1) * share, length)
    j = tl.arange(0, BLOCK_S)
    for start in range(part * share, end, BLOCK_S):
        seen = start + j < end
        at = head_at + start + j
        both = seen[:, None] & inside[None, :]
        past_k = tl.load(keys + at[:, None] * D + d[None, :], both, 0.0).to(tl.float32)
        past_v = tl.load(values + at[:, None] * D + d[None, :], both, 0.0).to(tl.float32)
        scores = tl.sum(past_k * q[None, :], 1)
        if EIGHTH:
            scores *= tl.load(key_scales + at, seen, 0.0).to(tl.float32)
            past_v *= tl.load(value_scales + at, seen, 0.0).to(tl.float32)[:, None]
        highest, total, mixed = taken(tl.where(seen, scores, float("-inf")), past_v, highest, total, mixed)
    if SPLITS == 1:
        tl.store(out + row * width + head * D + d, (mixed / total).to(out.dtype.element_ty), inside)
    else:
        number = (row * heads + head) * SPLITS + part
        tl.store(parts + number * D + d, mixed, inside)
        tl.store(stats + 2 * number, highest)
        tl.store(stats + 2 * number + 1, total)


@triton.jit
def combine(parts, stats, out, heads, D: tl.constexpr, BLOCK_D: tl.constexpr, SPLITS: tl.constexpr):
    """Join the parts of one row's head. Programs: (rows, heads)."""
    number = tl.program_id(0).to(tl.int64) * heads + tl.program_id(1)
    part, d = tl.arange(0, SPLITS), tl.arange(0, BLOCK_D)
    inside = d < D
    at = number * SPLITS + part
    highest, total = tl.load(stats + 2 * at), tl.load(stats + 2 * at + 1)
    weights = tl.exp2(highest - tl.max(highest, 0))
    mixed = tl.load(parts + at[:, None] * D + d[None, :], inside[None, :], 0.0)
    mixed = tl.sum(mixed * weights[:, None], 0) / tl.sum(total * weights, 0)
    tl.store(out + number * D + d, mixed.to(out.dtype.element_ty), inside)


@triton.jit
def project(
    x, weight, bias, norm, residual, out, ins, outs, eps,
    ROWS: tl.constexpr, BLOCK_O: tl.constexpr, BLOCK_I: tl.constexpr,
    NORM: tl.constexpr, BIAS: tl.constexpr, GATED: tl.constexpr, RESIDUAL: tl.constexpr,
):  # fmt: skip
    """Map ROWS rows (a few) to BLOCK_O numbers each; with NORM they are normalised first, and BLOCK_I holds a whole row.

    GATED: the weight's second half of rows is what the first half's SiLU gates. All of a weight is read once, by one program.
    """
    r, i = tl.arange(0, ROWS), tl.arange(0, BLOCK_I)
    o = tl.program_id(0) * BLOCK_O + tl.arange(0, BLOCK_O)
    kept = o < outs
    at = o.to(tl.int64)[:, None] * ins
    got = tl.zeros((ROWS, BLOCK_O), tl.float32)
    up = tl.zeros((ROWS, BLOCK_O), tl.float32)
    for start in range(0, ins, BLOCK_I):
        inside = start + i < ins
        h = tl.load(x + r[:, None] * ins + start + i[None, :], inside[None, :], 0.0).to(tl.float32)
        if NORM:
            h = h / tl.sqrt(tl.sum(h * h, 1) / ins + eps)[:, None]
            h = h * tl.load(norm + i, inside, 0.0).to(tl.float32)[None, :]
            h = h.to(x.dtype.element_ty).to(tl.float32)
        w = tl.load(weight + at + start + i[None, :], kept[:, None] & inside[None, :], 0.0).to(tl.float32)
        got += tl.sum(h[:, None, :] * w[None, :, :], 2)
        if GATED:
            w = tl.load(weight + at + outs * ins + start + i[None, :], kept[:, None] & inside[None, :], 0.0)
            up += tl.sum(h[:, None, :] * w.to(tl.float32)[None, :, :], 2)
    if GATED:
        got = got * tl.sigmoid(got) * up
    if BIAS:
        got += tl.load(bias + o, kept, 0.0).to(tl.float32)[None, :]
    spot = r[:, None] * outs + o[None, :]
    both = kept[None, :]
    if RESIDUAL:
        got += tl.load(residual + spot, both, 0.0).to(tl.float32)
    tl.store(out + spot, got.to(out.dtype.element_ty), both)


@triton.jit
def ban(scores, history, filled, sizes, rows, wide, vocab, BLOCK: tl.constexpr):
    """Put -inf where an id would complete an n-gram that its row holds already. Programs: (rows, blocks of positions)."""
    row = tl.program_id(0).to(tl.int64)
    slot = tl.load(rows + row).to(tl.int64)
    n, length = tl.load(sizes + slot).to(tl.int32), tl.load(filled + slot).to(tl.int32)
    past = history + slot * wide
    j = tl.program_id(1) * BLOCK + tl.arange(0, BLOCK)
    same = (j >= n - 1) & (j < tl.where(n > 0, length, 0))
    for back in range(1, n):
        before = tl.load(past + j - back, same, -1)
        same = same & (before == tl.load(past + tl.maximum(length - back, 0)))
    token = tl.load(past + j, same, 0)
    same = same & (token >= 0) & (token < vocab)
    tl.store(scores + row * vocab + token, float("-inf"), same)


@triton.jit
def take(
    chosen, best, rows, last, history, filled, lengths, live, wrong, ends, limits, wide, count, BLOCK: tl.constexpr
):  # fmt: skip
    """Write each living row's id down and see whether the row goes on. One program; see `ops.take`."""
    i = tl.arange(0, BLOCK)
    here = i < count
    slot = tl.load(rows + i, here, 0).to(tl.int64)
    alive = here & (tl.load(live + slot, here, 0) != 0)
    value = tl.load(best + i, here, 0.0).to(tl.float32)
    token = tl.load(chosen + i, here, 0)
    sound = (value > float("-inf")) & (value < float("inf"))
    at = tl.load(filled + slot, alive, 0)
    tl.store(last + slot, token, alive)
    tl.store(history + slot * wide + at, token.to(history.dtype.element_ty), alive & (at < wide))
    tl.store(filled + slot, at + 1, alive)
    tl.store(lengths + slot, tl.load(lengths + slot, alive, 0) + 1, alive)
    tl.store(wrong + slot, tl.full((BLOCK,), 1, tl.int8), alive & ~sound)
    on = sound & (token != tl.load(ends + slot, alive, 0)) & (at + 1 < tl.load(limits + slot, alive, 0))
    tl.store(live + slot, on.to(tl.int8), alive)
