// Attention over a grid of patches, or windows of it, with decomposed relative positions.
//
// One pass over a head's keys with a running maximum: scores never leave the nearest cache, and no bias is ever written out.
// Numbers are float32 or bfloat16; sums and exponentials are float32. A unit is four bytes: one float32 or two neighbouring
// bfloat16. Columns lie in panels of up to four vectors, [units][vectors][16], as `linear.hpp` has them. Knows no layer.
#pragma once
#include "linear.hpp"
#include <algorithm>
#include <limits>
#include <memory>
#include <new>

namespace got {

using Unit = uint32_t;
constexpr int PANEL = 4;                 // vectors
constexpr int QUERIES = 48, KEYS = 256;  // of a block; six rows of its scores are 6 KB
constexpr float NOTHING = -std::numeric_limits<float>::infinity();

inline int vectors(int64_t columns) { return int((columns + 15) / 16); }

// 2^x for x <= 0, from x less its floor.
template <int N> f16x power(f16x x, const float (&terms)[N]) {
    f16x part = _mm512_reduce_ps(x, 9), sum = _mm512_set1_ps(terms[0]);
    for (int i = 1; i < N; i++) sum = _mm512_fmadd_ps(sum, part, _mm512_set1_ps(terms[i]));
    return _mm512_scalef_ps(sum, x);
}

struct Single {
    using Number = float;
    static constexpr int PER = 1;  // numbers of a unit
    static f16x dot(f16x sum, __m512i a, __m512i b) {
        return _mm512_fmadd_ps(_mm512_castsi512_ps(a), _mm512_castsi512_ps(b), sum);
    }
    static void store(float *to, f16x x, __mmask16 on) { _mm512_mask_storeu_ps(to, on, x); }
    static f16x exp2(f16x x) {  // to 1e-7
        constexpr float TERMS[] = {1.87757658e-3f, 8.98934063e-3f, 5.58263175e-2f, 0.240153611f, 0.693153083f, 0.99999994f};
        return power(x, TERMS);
    }
};

struct Half {
    using Number = bf16;
    static constexpr int PER = 2;
    static f16x dot(f16x sum, __m512i a, __m512i b) { return dot2(sum, a, b); }
    static void store(bf16 *to, f16x x, __mmask16 on) { _mm256_mask_storeu_epi16(to, on, narrow(x)); }
    static f16x exp2(f16x x) {  // to 8e-5: what it gives is rounded to 8 bits
        constexpr float TERMS[] = {7.8024514e-2f, 0.226067185f, 0.695833504f, 0.999925196f};
        return power(x, TERMS);
    }
};

// Multiply M rows of units with a panel of N vectors: c (M, N*16) = or += a (M, units) . b (units, N*16).
template <class T, int M, int N>
void tile(int units, const Unit *a, int64_t stride, const Unit *b, float *c, int64_t c_stride, bool add) {
    f16x sum[M][N];
#pragma GCC unroll 6
    for (int m = 0; m < M; m++)
#pragma GCC unroll 4
        for (int n = 0; n < N; n++) sum[m][n] = add ? _mm512_loadu_ps(c + m * c_stride + n * 16) : _mm512_setzero_ps();
    for (int u = 0; u < units; u++, b += N * 16) {
        __m512i right[N];
#pragma GCC unroll 4
        for (int n = 0; n < N; n++) right[n] = _mm512_loadu_si512(b + n * 16);
#pragma GCC unroll 6
        for (int m = 0; m < M; m++) {
            const __m512i left = _mm512_set1_epi32(int(a[m * stride + u]));
#pragma GCC unroll 4
            for (int n = 0; n < N; n++) sum[m][n] = T::dot(sum[m][n], left, right[n]);
        }
    }
#pragma GCC unroll 6
    for (int m = 0; m < M; m++)
#pragma GCC unroll 4
        for (int n = 0; n < N; n++) _mm512_storeu_ps(c + m * c_stride + n * 16, sum[m][n]);
}

using Tile = void (*)(int, const Unit *, int64_t, const Unit *, float *, int64_t, bool);

template <class T> Tile pick(int rows, int columns) {
#define GOT_TILES(m) {tile<T, m, 1>, tile<T, m, 2>, tile<T, m, 3>, tile<T, m, 4>}
    static constexpr Tile ALL[MOST][PANEL] = {GOT_TILES(1), GOT_TILES(2), GOT_TILES(3),
                                              GOT_TILES(4), GOT_TILES(5), GOT_TILES(6)};
#undef GOT_TILES
    return ALL[rows - 1][columns - 1];
}

// Memory, aligned to a line of the cache. Throws bad_alloc where there is none.
template <class X> class Space {
public:
    explicit Space(int64_t count) : at_(static_cast<X *>(aligned_alloc(64, up(count * sizeof(X) + 64, 64)))) {
        if (!at_) throw std::bad_alloc();
    }
    ~Space() { free(at_); }
    Space(const Space &) = delete;
    Space &operator=(const Space &) = delete;
    operator X *() const { return at_; }

private:
    X *at_;
};

// Lay rows out as columns of panels; where(i) points to row i.
template <class Where> void pack_columns(int rows, int units, Where where, Unit *to) {
    for (int first = 0, all = vectors(rows); first < all; first += PANEL) {
        const int wide = std::min(PANEL, all - first) * 16;
        for (int i = 0; i < wide; i++) {
            const Unit *from = first * 16 + i < rows ? where(first * 16 + i) : nullptr;
            for (int u = 0; u < units; u++) to[int64_t(u) * wide + i] = from ? from[u] : 0;
        }
        to += int64_t(units) * wide;
    }
}

// Lay values out for the second product, (keys, width) -> panels of (keys / PER, width).
template <class T, class Where> void pack_values(int keys, int width, Where where, Unit *to) {
    using Number = typename T::Number;
    for (int first = 0, all = vectors(width); first < all; first += PANEL) {
        const int wide = std::min(PANEL, all - first) * 16, left = std::min(wide, width - first * 16);
        for (int key = 0; key < keys; key += T::PER, to += wide) {
            Number *line = reinterpret_cast<Number *>(to);
            if (left < wide) memset(line, 0, wide * sizeof(Unit));
            for (int p = 0; p < T::PER; p++) {
                const Number *from = key + p < keys ? reinterpret_cast<const Number *>(where(key + p)) + first * 16 : nullptr;
                for (int i = 0; i < left; i++) line[i * T::PER + p] = from ? from[i] : Number(0);
            }
        }
    }
}

// One layer's attention. tables: `span` rows, the embedding of every distance, key minus query, far left first; packed.
// empty: key and value of padding, (heads, depth).
struct Grid {
    int tiles, height, width, heads, depth, window_y, window_x;
    Linear table_y, table_x;
    const void *qkv, *empty_k, *empty_v;  // qkv: (tiles, height, width, 3, heads, depth)
    void *out;                            // (tiles, height, width, heads, depth)

    int down() const { return (height + window_y - 1) / window_y; }
    int across() const { return (width + window_x - 1) / window_x; }
    int keys() const { return window_y * window_x; }
    int heads_of_windows() const { return tiles * down() * across() * heads; }
    static int64_t stride(const Linear &table) { return table.width() + 16; }
};

// One thread's place to work: a head's packed keys and values, a block of queries, its terms and results.
template <class T> class Desk {
public:
    using Number = typename T::Number;

    // span_y, span_x: Grid::stride of the largest tables; throws bad_alloc.
    Desk(int depth, int keys, int64_t span_y, int64_t span_x)
        : units_(depth / T::PER), padded_(vectors(depth) * 16), scale_(1 / std::sqrt(float(depth))),
          k_(int64_t(vectors(keys)) * 16 * units_), v_(int64_t(keys + 1) * padded_), q_(QUERIES * units_),
          out_(QUERIES * padded_), down_((QUERIES + 1) * span_y), across_((QUERIES + 1) * span_x) {}

    // Attend from queries [first, last) of one window's head. What was packed last is not packed again.
    void attend(const Grid &g, int task, int first, int last) {
        const int head = task % g.heads, window = task / g.heads;
        const int top = window / g.across() % g.down() * g.window_y, left = window % g.across() * g.window_x;
        const int high = std::min(g.window_y, g.height - top), wide = std::min(g.window_x, g.width - left);
        const int64_t c = int64_t(g.heads) * g.depth, side = int64_t(head) * g.depth;
        const int64_t tile = window / (g.down() * g.across());
        const Number *qkv = static_cast<const Number *>(g.qkv) + side;
        auto place = [&](int y, int x) { return (tile * g.height + top + y) * g.width + left + x; };
        auto unit = [](const void *at) { return static_cast<const Unit *>(at); };
        if (packed_ != task) {
            auto row = [&](int j, int kind, const void *empty) {
                const int y = j / g.window_x, x = j % g.window_x;
                if (y < high && x < wide) return unit(qkv + (place(y, x) * 3 + kind) * c);
                return unit(static_cast<const Number *>(empty) + side);
            };
            pack_columns(g.keys(), units_, [&](int j) { return row(j, 1, g.empty_k); }, k_);
            pack_values<T>(g.keys(), g.depth, [&](int j) { return row(j, 2, g.empty_v); }, v_);
            packed_ = task;
        }
        last = std::min(last, high * wide);
        for (int i = first; i < last; i += QUERIES) {
            const int count = std::min(QUERIES, last - i);
            for (int r = 0; r < count; r++) {
                y_[r] = (i + r) / wide, x_[r] = (i + r) % wide;
                memcpy(q_ + int64_t(r) * units_, qkv + place(y_[r], x_[r]) * 3 * c, units_ * sizeof(Unit));
            }
            block(g, count);
            for (int r = 0; r < count; r++) write(g, r, static_cast<Number *>(g.out) + place(y_[r], x_[r]) * c + side);
        }
    }

    void forget() { packed_ = -1; }

private:
    void block(const Grid &g, int count) {
        terms(g.table_y, count, down_);
        terms(g.table_x, count, across_);
        std::fill(most_, most_ + count, NOTHING);
        std::fill(total_, total_ + count, 0.0f);
        std::fill(out_ + 0, out_ + int64_t(count) * padded_, 0.0f);
        for (int from = 0; from < g.keys(); from += KEYS) part(g, count, from, std::min(g.keys(), from + KEYS));
    }

    void terms(const Linear &table, int count, float *to) {
        for (int r = 0; r < count; r += MOST)
            for (int p = 0; p < table.panels(); p++)
                pick<T>(std::min(MOST, count - r), PANEL)(
                    units_, q_ + int64_t(r) * units_, units_, reinterpret_cast<const Unit *>(table.weight + p * table.panel_bytes()),
                    to + r * Grid::stride(table) + p * 64, Grid::stride(table), false);
    }

    // Go on with keys [from, to).
    void part(const Grid &g, int rows, int from, int to) {
        alignas(64) float scores[MOST * KEYS];
        alignas(64) Number shares[MOST * KEYS];
        const int wide = vectors(to - from), deep = padded_ / 16, all = (g.keys() + T::PER - 1) / T::PER;
        const int steps = std::min(wide * 16 / T::PER, all - from / T::PER);
        for (int r = 0; r < rows; r += MOST) {
            const int m = std::min(MOST, rows - r);
            for (int n = 0; n < wide; n += PANEL)
                pick<T>(m, std::min(PANEL, wide - n))(units_, q_ + int64_t(r) * units_, units_,
                                                      k_ + int64_t(from + n * 16) * units_, scores + n * 16, KEYS, false);
            for (int i = 0; i < m; i++) {
                bias(g, r + i, from, to - from);
                if (wide == KEYS / 16) soften<KEYS / 16>(r + i, scores + i * KEYS, shares + i * KEYS, wide);
                else soften<0>(r + i, scores + i * KEYS, shares + i * KEYS, wide);
            }
            for (int n = 0; n < deep; n += PANEL) {
                const int some = std::min(PANEL, deep - n);
                const Unit *values = v_ + int64_t(n) * 16 * all + int64_t(from / T::PER) * some * 16;
                pick<T>(m, some)(steps, reinterpret_cast<const Unit *>(shares), KEYS / T::PER, values,
                                 out_ + int64_t(r) * padded_ + n * 16, padded_, true);
            }
        }
    }

    // Make what a row adds to its scores: the terms of each key's distance.
    void bias(const Grid &g, int row, int from, int count) {
        const float *down = down_ + row * Grid::stride(g.table_y) + (g.table_y.outs - 1) / 2 - y_[row];
        const float *across = across_ + row * Grid::stride(g.table_x) + (g.table_x.outs - 1) / 2 - x_[row];
        for (int at = 0, ky = from / g.window_x, kx = from % g.window_x; at < count; ky++, kx = 0) {
            const int some = std::min(g.window_x - kx, count - at);
            const f16x add = _mm512_set1_ps(down[ky]);
            // Lanes behind the grid row are written too, and then overwritten by the next row or hidden below.
            for (int i = 0; i < some; i += 16)
                _mm512_storeu_ps(line_ + at + i, _mm512_add_ps(add, _mm512_loadu_ps(across + kx + i)));
            at += some;
        }
        if (count % 16) _mm512_storeu_ps(line_ + count, _mm512_set1_ps(NOTHING));
    }

    // Turn a row's scores into shares; lower what earlier keys gave where the maximum has risen.
    template <int WIDE> void soften(int row, const float *scores, Number *shares, int any) {
        const int wide = WIDE ? WIDE : any;
        f16x x[KEYS / 16], top = _mm512_set1_ps(NOTHING);
#pragma GCC unroll 16
        for (int n = 0; n < wide; n++) {
            x[n] = _mm512_fmadd_ps(_mm512_load_ps(scores + n * 16), _mm512_set1_ps(scale_), _mm512_loadu_ps(line_ + n * 16));
            top = _mm512_max_ps(top, x[n]);
        }
        const float high = std::max(most_[row], _mm512_reduce_max_ps(top)), log2e = 1.44269504f;
        const f16x by = _mm512_set1_ps(log2e), less = _mm512_set1_ps(-high * log2e);
        f16x sum = _mm512_setzero_ps();
#pragma GCC unroll 16
        for (int n = 0; n < wide; n++) {
            const f16x share = T::exp2(_mm512_fmadd_ps(x[n], by, less));
            sum = _mm512_add_ps(sum, share);
            T::store(shares + n * 16, share, 0xffff);
        }
        if (high > most_[row]) {
            const float keep = std::exp2((most_[row] - high) * log2e);
            float *line = out_ + int64_t(row) * padded_;
            for (int n = 0; n < padded_; n += 16)
                _mm512_store_ps(line + n, _mm512_mul_ps(_mm512_load_ps(line + n), _mm512_set1_ps(keep)));
            total_[row] *= keep;
            most_[row] = high;
        }
        total_[row] += _mm512_reduce_add_ps(sum);
    }

    void write(const Grid &g, int row, Number *to) {
        const f16x by = _mm512_set1_ps(1 / total_[row]);
        const float *line = out_ + int64_t(row) * padded_;
        for (int n = 0; n < g.depth; n += 16) T::store(to + n, _mm512_mul_ps(_mm512_load_ps(line + n), by), lanes(g.depth - n));
    }

    int units_, padded_, packed_ = -1;
    float scale_;
    Space<Unit> k_, v_, q_;
    Space<float> out_, down_, across_;
    int y_[QUERIES], x_[QUERIES];
    float most_[QUERIES], total_[QUERIES];
    alignas(64) float line_[KEYS + 32];
};

}  // namespace got
