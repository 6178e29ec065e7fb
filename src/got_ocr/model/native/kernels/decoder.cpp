// The decoder's layers for new positions of some rows, in one call. Plain C interface; knows no Python and no tensor.
//
// Shapes: R new positions of all rows together, C width, H heads, D = C/H. A row's new positions follow each other.
#include "attention.hpp"
#include "linear.hpp"
#include "team.hpp"
#include <cstdlib>
#include <memory>

using namespace got;

extern "C" {

struct GotLayer {
    const float *input_norm, *post_norm;
    Linear qkv, out, gate, up, down;
};

struct GotModel {
    int64_t layers, width, heads, half;  // half: the cache is bfloat16, otherwise float32
    float eps;
    const GotLayer *layer;
    const float *norm;
    Linear head;
};

// rows, starts, counts: (batch,) which row of the cache, its filled positions, its new positions.
// x: (R, C) embedded ids; used up. keys, values: (layers, rows, heads, S, D) with strides in numbers, D contiguous.
// cos, sin: (positions, D/2). last: score each row's last new position alone, otherwise all. logits: (scored, vocabulary).
struct GotCall {
    int64_t batch;
    const int64_t *rows, *starts, *counts;
    float *x;
    char *keys, *values;
    int64_t layer_stride, row_stride, head_stride, stride;
    const float *cos, *sin;
    int64_t last;
    float *logits;
    int64_t threads;
    Fork fork;  // may be absent: then this thread works alone
};

}

namespace {

constexpr int64_t MUCH = 16, SOME = 4;  // rows from which on preparing them is shared out, and how many at a time
constexpr int64_t STRETCH = 128 << 10, LEAST = 8;  // bytes of weights that a thread reads in one go; pieces of a matrix at least

struct Free { void operator()(void *at) const { free(at); } };
using Room = std::unique_ptr<char, Free>;
Room allocate(int64_t bytes) { return Room(static_cast<char *>(aligned_alloc(64, up(bytes + 64, 64)))); }

// Root-mean-square norm of one row.
void normalise(const float *x, const float *weight, int64_t width, float eps, float *out) {
    f16x square = _mm512_setzero_ps();
    for (int64_t i = 0; i < width; i += 16) {
        f16x v = _mm512_maskz_loadu_ps(lanes(width - i), x + i);
        square = _mm512_fmadd_ps(v, v, square);
    }
    f16x by = _mm512_set1_ps(1.0f / std::sqrt(_mm512_reduce_add_ps(square) / float(width) + eps));
    for (int64_t i = 0; i < width; i += 16) {
        __mmask16 mask = lanes(width - i);
        f16x v = _mm512_mul_ps(_mm512_maskz_loadu_ps(mask, x + i), by);
        _mm512_mask_storeu_ps(out + i, mask, _mm512_mul_ps(v, _mm512_maskz_loadu_ps(mask, weight + i)));
    }
}

// Panels that a thread takes at once: long ones read faster, too few leave a thread without work at the end.
int64_t stretch(const Linear &l) {
    return std::max<int64_t>(1, std::min(STRETCH / l.panel_bytes(), l.panels() / LEAST));
}

class Run {
public:
    Run(const GotModel &m, const GotCall &c) : m(m), c(c), d(m.width / m.heads) {
        total = 0;
        for (int64_t b = 0; b < c.batch; b++) total += c.counts[b];
        int64_t deep = m.head.depth();
        const GotLayer &l = m.layer[0];
        // Layers may differ in their kinds of weights: room for the largest.
        for (int64_t i = 0; i < m.layers; i++)
            for (const Linear *one : {&m.layer[i].qkv, &m.layer[i].out, &m.layer[i].gate, &m.layer[i].down})
                most = std::max(most, Rows::bytes(int(one->kind), total, one->depth()));
        most = std::max(most, Rows::bytes(int(m.head.kind), total, deep));
        int64_t widest = std::max(m.width, l.gate.outs);
        packed = allocate(most);
        qkv = allocate(total * 3 * m.width * 4);
        mixed = allocate(total * widest * 4);
        plain = allocate(total * m.width * 4);
        good = packed && qkv && mixed && plain;
    }

    void all(Team &with) {
        team = &with;
        float *x = c.x;
        int64_t rows = total;
        for (int64_t i = 0; i < m.layers; i++) {
            const GotLayer &l = m.layer[i];
            gemm(l.qkv, normed(x, rows, l.input_norm, l.qkv), floats(qkv), 3 * m.width, false);
            attention(i);
            if (i + 1 == m.layers && c.last) rows = keep_last(x);
            gemm(l.out, prepared(floats(mixed), m.width, rows, l.out), x, m.width, true);
            widen_mlp(l, normed(x, rows, l.post_norm, l.gate));
            gemm(l.down, prepared(floats(mixed), l.gate.outs, rows, l.down), x, m.width, true);
        }
        gemm(m.head, normed(x, rows, m.norm, m.head), c.logits, m.head.outs, false);
    }

    bool good;

private:
    static float *floats(const Room &room) { return reinterpret_cast<float *>(room.get()); }

    template <class F> void rows_each(int64_t rows, F &&f) {
        if (rows >= MUCH) team->each(rows, SOME, f);
        else
            for (int64_t r = 0; r < rows; r++) f(r);
    }

    Rows prepared(const float *x, int64_t ins, int64_t rows, const Linear &l) {
        Rows a(int(l.kind), rows, l.depth(), packed.get());
        rows_each(rows, [&](int64_t r) { a.put(r, x + r * ins, ins); });
        return a;
    }

    Rows normed(const float *x, int64_t rows, const float *weight, const Linear &l) {
        Rows a(int(l.kind), rows, l.depth(), packed.get());
        rows_each(rows, [&](int64_t r) {
            float *one = floats(plain) + r * m.width;
            normalise(x + r * m.width, weight, m.width, m.eps, one);
            a.put(r, one, m.width);
        });
        return a;
    }

    void gemm(const Linear &l, const Rows &a, float *out, int64_t stride, bool add) {
        team->each(l.panels(), stretch(l), [&](int64_t p) {
            panel(l, a, p, [&](int64_t r, int64_t o, f16x v, __mmask16 mask) {
                float *at = out + r * stride + o;
                if (add) v = _mm512_add_ps(v, _mm512_maskz_loadu_ps(mask, at));
                _mm512_mask_storeu_ps(at, mask, v);
            });
        });
    }

    // silu(gate) * up of all rows, into `mixed`: (rows, widened).
    void widen_mlp(const GotLayer &l, const Rows &a) {
        float *out = floats(mixed);
        int64_t stride = l.gate.outs;
        team->each(l.gate.panels(), stretch(l.gate), [&](int64_t p) {
            panel(l.gate, a, p, [&](int64_t r, int64_t o, f16x v, __mmask16 mask) {
                _mm512_mask_storeu_ps(out + r * stride + o, mask, v);
            });
            panel(l.up, a, p, [&](int64_t r, int64_t o, f16x v, __mmask16 mask) {
                float *at = out + r * stride + o;
                _mm512_mask_storeu_ps(at, mask, _mm512_mul_ps(v, silu(_mm512_maskz_loadu_ps(mask, at))));
            });
        });
    }

    // Rotate, fill the cache and attend: qkv -> mixed (R, C).
    void attention(int64_t layer) {
        team->each(c.batch * m.heads, 1, [&](int64_t i) { head(layer, i / m.heads, i % m.heads); });
    }

    void head(int64_t layer, int64_t b, int64_t h) {
        int64_t size = m.half ? 2 : 4;
        int64_t base = (layer * c.layer_stride + c.rows[b] * c.row_stride + h * c.head_stride) * size;
        Head one{c.keys + base, c.values + base, c.stride, d, m.half != 0};
        int64_t row = 0;
        for (int64_t i = 0; i < b; i++) row += c.counts[i];
        float *in = floats(qkv) + row * 3 * m.width + h * d, *out = floats(mixed) + row * m.width + h * d;
        for (int64_t t = 0; t < c.counts[b]; t++) {
            float *q = in + t * 3 * m.width, *k = q + m.width, *v = k + m.width;
            int64_t at = c.starts[b] + t;
            const float *cos = c.cos + at * (d / 2), *sin = c.sin + at * (d / 2);
            rotate(q, cos, sin, d, 1.0f / std::sqrt(float(d)));
            rotate(k, cos, sin, d, 1.0f);
            for (int64_t j = 0; j < d; j += 16) {
                __mmask16 mask = lanes(d - j);
                store(one.keys, one.half, at * c.stride + j, mask, _mm512_maskz_loadu_ps(mask, k + j));
                store(one.values, one.half, at * c.stride + j, mask, _mm512_maskz_loadu_ps(mask, v + j));
            }
        }
        int64_t t = 0;
        for (; t + 4 <= c.counts[b]; t += 4) queries<4>(in, out, t, b, one);
        for (; t < c.counts[b]; t++) queries<1>(in, out, t, b, one);
    }

    template <int Q> void queries(float *in, float *out, int64_t t, int64_t b, const Head &one) {
        const float *from[Q];
        float *to[Q];
        for (int q = 0; q < Q; q++) {
            from[q] = in + (t + q) * 3 * m.width;
            to[q] = out + (t + q) * m.width;
        }
        attend<Q>(from, one, c.starts[b] + t, to);
    }

    // Move each row's last position to the front of x and of `mixed`; give how many they are.
    int64_t keep_last(float *x) {
        int64_t end = 0;
        for (int64_t b = 0; b < c.batch; b++) {
            end += c.counts[b];
            memmove(x + b * m.width, x + (end - 1) * m.width, m.width * 4);
            memmove(floats(mixed) + b * m.width, floats(mixed) + (end - 1) * m.width, m.width * 4);
        }
        return c.batch;
    }

    const GotModel &m;
    const GotCall &c;
    Team *team = nullptr;
    int64_t d, total, most = 0;
    Room packed, qkv, mixed, plain;
};

}  // namespace

extern "C" {

// 0, or 1 where memory is short.
int got_run(const GotModel *model, const GotCall *call) {
    Run run(*model, *call);
    if (!run.good) return 1;
    Team::run(call->fork, int(call->threads), [&](Team &team) { run.all(team); });
    return 0;
}

// Multiply rows (R, I) with one matrix: (R, O). For tests, and for other networks' layers.
int got_linear(const Linear *l, const float *x, int64_t rows, float *out, int64_t threads, Fork fork) {
    Room room = allocate(Rows::bytes(int(l->kind), rows, l->depth()));
    if (!room) return 1;
    Rows a(int(l->kind), rows, l->depth(), room.get());
    Team::run(fork, int(threads), [&](Team &team) {
        team.each(rows, SOME, [&](int64_t r) { a.put(r, x + r * l->ins, l->ins); });
        team.each(l->panels(), stretch(*l), [&](int64_t p) {
            panel(*l, a, p, [&](int64_t r, int64_t o, f16x v, __mmask16 mask) {
                _mm512_mask_storeu_ps(out + r * l->outs + o, mask, v);
            });
        });
    });
    return 0;
}

// Unpack one output's weights for each id: (count, I). For the embedding, which is the head.
void got_embed(const Linear *l, const int64_t *ids, int64_t count, float *out) {
    int64_t size = SHAPES[l->kind].panel, deep = l->depth();
    for (int64_t i = 0; i < count; i++) {
        const char *w = l->weight + ids[i] / size * l->panel_bytes();
        int64_t j = ids[i] % size;
        float *to = out + i * l->ins;
        for (int64_t k = 0; k < l->ins && k < deep; k++) {
            if (l->kind == F32) to[k] = reinterpret_cast<const float *>(w)[k * size + j];
            if (l->kind == BF16) {
                uint32_t bits = uint32_t(reinterpret_cast<const bf16 *>(w)[(k / 2 * size + j) * 2 + k % 2]) << 16;
                memcpy(to + k, &bits, 4);
            }
            if (l->kind == I8) to[k] = (float(uint8_t(w[(k / 4 * size + j) * 4 + k % 4])) - 128) * l->scale[ids[i]];
        }
    }
}

}
