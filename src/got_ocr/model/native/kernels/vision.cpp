// The encoder's layers for some tiles of one size, in one call. Plain C interface; knows no Python and no tensor.
//
// Between two attentions everything is a matter of single rows (patches): a piece of some rows goes through the projection, the
// MLP and the next layer's query, key and value at once, so that the widened rows stay in the cache.
#include "grid.hpp"
#include "team.hpp"
#include <mutex>
#include <vector>

using namespace got;

extern "C" {

// window: 0 x 0 is the whole grid. tables: every distance, key minus query, far left first. empty_k, empty_v: (C,) of padding.
struct GotVisionLayer {
    const float *norm1, *bias1, *norm2, *bias2;
    Linear qkv, proj, lin1, lin2, table_y, table_x;
    const void *empty_k, *empty_v;
    int64_t window_y, window_x;
};

struct GotVision {
    int64_t layers, width, heads, half;  // half: numbers are bfloat16, otherwise float32
    float eps;
    const GotVisionLayer *layer;
};

// x: (tiles, height, grid, C) float32, changed in place. qkv: (.., 3C), mixed: (.., C), room in the layers' numbers.
struct GotVisionCall {
    int64_t tiles, height, grid;
    float *x;
    void *qkv, *mixed;
    int64_t threads;
    Fork fork;  // see team.hpp
};

}

namespace {

constexpr int ROWS = 48, PARTS = 8;  // rows of a piece; pieces of a large grid's queries

// x Phi(x), by the error function to 1.5e-7 (Abramowitz and Stegun, 7.1.26).
f16x gelu(f16x x) {
    const f16x one = _mm512_set1_ps(1.0f), z = _mm512_mul_ps(_mm512_abs_ps(x), _mm512_set1_ps(0.70710678f));
    const f16x t = _mm512_div_ps(one, _mm512_fmadd_ps(z, _mm512_set1_ps(0.3275911f), one));
    f16x p = _mm512_set1_ps(1.061405429f);
    for (float c : {-1.453152027f, 1.421413741f, -0.284496736f, 0.254829592f}) p = _mm512_fmadd_ps(p, t, _mm512_set1_ps(c));
    const f16x tail = _mm512_mul_ps(_mm512_mul_ps(p, t), exp16(_mm512_sub_ps(_mm512_setzero_ps(), _mm512_mul_ps(z, z))));
    const f16x half = _mm512_mul_ps(x, _mm512_set1_ps(0.5f)), low = _mm512_mul_ps(half, tail);
    return _mm512_mask_sub_ps(low, _mm512_cmp_ps_mask(x, _mm512_setzero_ps(), _CMP_GT_OQ), x, low);
}

void normalise(const float *x, const float *weight, const float *bias, int64_t width, float eps, float *out) {
    f16x sum = _mm512_setzero_ps(), square = sum;
    for (int64_t i = 0; i < width; i += 16) sum = _mm512_add_ps(sum, _mm512_maskz_loadu_ps(lanes(width - i), x + i));
    const f16x mean = _mm512_set1_ps(_mm512_reduce_add_ps(sum) / float(width));
    for (int64_t i = 0; i < width; i += 16) {
        const f16x v = _mm512_maskz_sub_ps(lanes(width - i), _mm512_maskz_loadu_ps(lanes(width - i), x + i), mean);
        square = _mm512_fmadd_ps(v, v, square);
    }
    const f16x by = _mm512_set1_ps(1 / std::sqrt(_mm512_reduce_add_ps(square) / float(width) + eps));
    for (int64_t i = 0; i < width; i += 16) {
        const __mmask16 on = lanes(width - i);
        const f16x v = _mm512_mul_ps(_mm512_sub_ps(_mm512_maskz_loadu_ps(on, x + i), mean), by);
        const f16x weighted = _mm512_fmadd_ps(v, _mm512_maskz_loadu_ps(on, weight + i), _mm512_maskz_loadu_ps(on, bias + i));
        _mm512_mask_storeu_ps(out + i, on, weighted);
    }
}

// Things that several threads take turns with.
template <class X> class Shelf {
public:
    void add(std::unique_ptr<X> one) { free_.push_back(std::move(one)); }
    template <class F> void with(F &&f) {
        std::unique_ptr<X> one;
        {
            std::lock_guard<std::mutex> hold(lock_);
            one = std::move(free_.back());
            free_.pop_back();
        }
        f(*one);
        std::lock_guard<std::mutex> hold(lock_);
        free_.push_back(std::move(one));
    }
    template <class F> void all(F &&f) {
        for (auto &one : free_) f(*one);
    }

private:
    std::mutex lock_;
    std::vector<std::unique_ptr<X>> free_;
};

// Room for a piece of rows: as the products want them, and widened.
template <class T> struct Bench {
    using Number = typename T::Number;
    Bench(int64_t width, int64_t widest)
        : plain(width), narrow(ROWS * (width + 1)), wide(ROWS * (widest + 1)) {
        std::fill(narrow + 0, narrow + ROWS * (width + 1), Number(0));
        std::fill(wide + 0, wide + ROWS * (widest + 1), Number(0));  // what fills rows up stays zero
    }
    Space<float> plain;
    Space<Number> narrow, wide;
};

template <class T> class Run {
public:
    using Number = typename T::Number;

    // Takes all memory that the layers need; throws bad_alloc.
    Run(const GotVision &m, const GotVisionCall &c) : m(m), c(c), rows(c.tiles * c.height * c.grid) {
        int64_t widest = 0, span_y = 0, span_x = 0;
        int keys = 0;
        for (int64_t i = 0; i < m.layers; i++) {
            const GotVisionLayer &l = m.layer[i];
            widest = std::max(widest, l.lin1.outs);
            keys = std::max(keys, grid(l).keys());
            span_y = std::max(span_y, Grid::stride(l.table_y)), span_x = std::max(span_x, Grid::stride(l.table_x));
        }
        for (int64_t i = 0; i < std::max<int64_t>(1, c.threads); i++) {
            benches.add(std::make_unique<Bench<T>>(m.width, widest));
            desks.add(std::make_unique<Desk<T>>(int(m.width / m.heads), keys, span_y, span_x));
        }
    }

    void all(Team &team) {
        pieces(team, nullptr, &m.layer[0]);
        for (int64_t i = 0; i < m.layers; i++) {
            attend(team, m.layer[i]);
            pieces(team, &m.layer[i], i + 1 < m.layers ? &m.layer[i + 1] : nullptr);
        }
    }

private:
    Grid grid(const GotVisionLayer &l) const {
        const int y = int(l.window_y ? l.window_y : c.height), x = int(l.window_x ? l.window_x : c.grid);
        return {int(c.tiles), int(c.height), int(c.grid), int(m.heads), int(m.width / m.heads), y, x,
                l.table_y, l.table_x, c.qkv, l.empty_k, l.empty_v, c.mixed};
    }

    void attend(Team &team, const GotVisionLayer &l) {
        const Grid g = grid(l);
        const int parts = std::clamp(g.keys() / 512, 1, PARTS), each = int(up((g.keys() + parts - 1) / parts, QUERIES));
        desks.all([](Desk<T> &desk) { desk.forget(); });
        team.each(int64_t(g.heads_of_windows()) * parts, 1, [&](int64_t i) {
            const int task = int(i / parts), part = int(i % parts);
            desks.with([&](Desk<T> &desk) { desk.attend(g, task, part * each, (part + 1) * each); });
        });
    }

    // Finish the layer that attended, and begin the next one.
    void pieces(Team &team, const GotVisionLayer *before, const GotVisionLayer *after) {
        team.each((rows + ROWS - 1) / ROWS, 1, [&](int64_t i) {
            const int64_t first = i * ROWS, count = std::min<int64_t>(ROWS, rows - first);
            benches.with([&](Bench<T> &bench) {
                if (before) finish(*before, first, count, bench);
                if (after) begin(*after, first, count, bench);
            });
        });
    }

    void finish(const GotVisionLayer &l, int64_t first, int64_t count, Bench<T> &bench) {
        float *x = c.x + first * m.width;
        auto add = [&](int64_t r, int64_t o, f16x v, __mmask16 on) {
            float *to = x + r * m.width + o;
            _mm512_mask_storeu_ps(to, on, _mm512_add_ps(v, _mm512_maskz_loadu_ps(on, to)));
        };
        multiply(l.proj, static_cast<Number *>(c.mixed) + first * m.width, count, add);
        norm(l.norm2, l.bias2, l.lin1, x, count, bench);
        multiply(l.lin1, bench.narrow, count, [&](int64_t r, int64_t o, f16x v, __mmask16 on) {
            T::store(bench.wide + r * l.lin2.depth() + o, gelu(v), on);
        });
        multiply(l.lin2, bench.wide, count, add);
    }

    void begin(const GotVisionLayer &l, int64_t first, int64_t count, Bench<T> &bench) {
        norm(l.norm1, l.bias1, l.qkv, c.x + first * m.width, count, bench);
        Number *to = static_cast<Number *>(c.qkv) + first * l.qkv.outs;
        multiply(l.qkv, bench.narrow, count, [&](int64_t r, int64_t o, f16x v, __mmask16 on) {
            T::store(to + r * l.qkv.outs + o, v, on);
        });
    }

    void norm(const float *weight, const float *bias, const Linear &l, const float *x, int64_t count, Bench<T> &bench) {
        Rows a(int(l.kind), count, l.depth(), reinterpret_cast<char *>(bench.narrow + 0));
        for (int64_t r = 0; r < count; r++) {
            normalise(x + r * m.width, weight, bias, m.width, m.eps, bench.plain);
            a.put(r, bench.plain, m.width);
        }
    }

    template <class F> void multiply(const Linear &l, Number *from, int64_t count, F &&take) {
        Rows a(int(l.kind), count, l.depth(), reinterpret_cast<char *>(from));
        for (int p = 0; p < l.panels(); p++) panel(l, a, p, take);
    }

    const GotVision &m;
    const GotVisionCall &c;
    const int64_t rows;
    Shelf<Bench<T>> benches;
    Shelf<Desk<T>> desks;
};

template <class T> void see(const GotVision &model, const GotVisionCall &call) {
    Run<T> run(model, call);
    Team::run(call.fork, int(call.threads), [&](Team &team) { run.all(team); });
}

}  // namespace

// 0, or 1 where memory is short.
extern "C" int got_see(const GotVision *model, const GotVisionCall *call) {
    try {
        if (model->half) see<Half>(*model, *call);
        else see<Single>(*model, *call);
    } catch (const std::bad_alloc &) {
        return 1;
    }
    return 0;
}
