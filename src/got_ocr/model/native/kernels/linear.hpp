// Products of a few or many rows with a packed matrix (O outputs, I inputs), in four kinds of weights:
//
//   F32   panels of 64 outputs: [I][64] float32
//   BF16  panels of 64 outputs: [I/2][64][2] bfloat16
//   I8    panels of 32 outputs: [I/4][32][4] bytes, value + 128; one float32 scale an output
//   I4    panels of 32 outputs, groups of 32 inputs: [4][32][4] bytes (low half: inputs 0..3 of eight, high half: 4..7; value
//         + 8), then 32 float16 scales
//
// Panels follow each other, so that one row's product reads memory in one go. I is filled up with zeros to the kind's group,
// O to its panel. For I8 and I4 rows become bytes, each group of inputs with its own scale.
#pragma once
#include "simd.hpp"

namespace got {

enum Kind { F32 = 0, BF16 = 1, I8 = 2, I4 = 3 };
struct Shape { int panel, group; };  // outputs of a panel; inputs are a multiple of group
constexpr Shape SHAPES[] = {{64, 1}, {64, 2}, {32, 64}, {32, 32}};

struct Linear {
    const char *weight;
    const float *scale;  // I8: one an output, filled up; otherwise unused
    const float *bias;   // may be absent
    int64_t outs, ins, kind;

    int64_t depth() const { return up(ins, SHAPES[kind].group); }
    int64_t width() const { return up(outs, SHAPES[kind].panel); }
    int panels() const { return int(width() / SHAPES[kind].panel); }
    int64_t panel_bytes() const {
        constexpr int64_t TIMES2[] = {8, 4, 2, 1};
        return SHAPES[kind].panel * (depth() * TIMES2[kind] / 2 + (kind == I4 ? depth() / 32 * 2 : 0));
    }
};

// Rows in the form that a kind of weights multiplies with.
struct Rows {
    int kind;
    int64_t rows, depth;
    char *data;        // (rows, depth) float32, bfloat16 or int8
    float *scale;      // (rows, depth/group): I8, I4
    int32_t *offset;   // (rows, depth/group): -128 or -8 times the group's sum

    static int64_t bytes(int kind, int64_t rows, int64_t depth) {
        if (kind == F32) return rows * depth * 4;
        if (kind == BF16) return rows * depth * 2;
        return rows * (up(depth, 64) + depth / SHAPES[kind].group * 8);
    }
    Rows(int kind, int64_t rows, int64_t depth, char *room) : kind(kind), rows(rows), depth(depth), data(room) {
        int64_t groups = depth / SHAPES[kind].group;
        scale = reinterpret_cast<float *>(room + rows * up(depth, 64));
        offset = reinterpret_cast<int32_t *>(scale + rows * groups);
    }
    void put(int64_t row, const float *x, int64_t ins);
};

inline void Rows::put(int64_t row, const float *x, int64_t ins) {
    if (kind == F32) {
        memcpy(data + row * depth * 4, x, ins * 4);
        return;
    }
    if (kind == BF16) {
        bf16 *out = reinterpret_cast<bf16 *>(data) + row * depth;
        for (int64_t k = 0; k < depth; k += 16)
            _mm256_mask_storeu_epi16(out + k, lanes(depth - k), narrow(_mm512_maskz_loadu_ps(lanes(ins - k), x + k)));
        return;
    }
    int group = SHAPES[kind].group, middle = kind == I8 ? 128 : 8;
    int8_t *out = reinterpret_cast<int8_t *>(data) + row * depth;
    for (int64_t g = 0; g < depth / group; g++) {
        f16x part[4], most = _mm512_setzero_ps();
        for (int i = 0; i < group / 16; i++) {
            int64_t k = g * group + 16 * i;
            part[i] = _mm512_maskz_loadu_ps(lanes(ins - k), x + k);
            most = _mm512_max_ps(most, _mm512_abs_ps(part[i]));
        }
        float top = _mm512_reduce_max_ps(most);
        f16x inverse = _mm512_set1_ps(top > 0 ? 127.0f / top : 0.0f);
        __m512i sum = _mm512_setzero_si512();
        for (int i = 0; i < group / 16; i++) {
            __m512i whole = _mm512_cvtps_epi32(_mm512_mul_ps(part[i], inverse));
            sum = _mm512_add_epi32(sum, whole);
            _mm_storeu_si128(reinterpret_cast<__m128i *>(out + g * group + 16 * i), _mm512_cvtsepi32_epi8(whole));
        }
        scale[row * (depth / group) + g] = top / 127.0f;
        offset[row * (depth / group) + g] = -middle * _mm512_reduce_add_epi32(sum);
    }
}

// The processor fetches ahead by itself: fetching by hand made one row's product up to a third slower.
//
// Each of the following multiplies M rows from `first` on with one panel: tile[M][panel].

template <int M> void times_f32(const char *w, const Rows &a, int64_t first, float *tile) {
    f16x sum[M][4];
    const float *x[M];
    for (int m = 0; m < M; m++) {
        x[m] = reinterpret_cast<const float *>(a.data) + (first + m) * a.depth;
        for (int j = 0; j < 4; j++) sum[m][j] = _mm512_setzero_ps();
    }
    for (int64_t k = 0; k < a.depth; k++, w += 256) {
        f16x b[4];
        for (int j = 0; j < 4; j++) b[j] = _mm512_load_ps(reinterpret_cast<const float *>(w) + 16 * j);
        for (int m = 0; m < M; m++)
            for (int j = 0; j < 4; j++) sum[m][j] = _mm512_fmadd_ps(b[j], _mm512_set1_ps(x[m][k]), sum[m][j]);
    }
    for (int m = 0; m < M; m++)
        for (int j = 0; j < 4; j++) _mm512_store_ps(tile + 64 * m + 16 * j, sum[m][j]);
}

template <int M> void times_bf16(const char *w, const Rows &a, int64_t first, float *tile) {
    f16x sum[M][4];
    const int32_t *x[M];
    for (int m = 0; m < M; m++) {
        x[m] = reinterpret_cast<const int32_t *>(a.data + (first + m) * a.depth * 2);
        for (int j = 0; j < 4; j++) sum[m][j] = _mm512_setzero_ps();
    }
    for (int64_t k = 0; k < a.depth / 2; k++, w += 256) {
        __m512i b[4];
        for (int j = 0; j < 4; j++) b[j] = _mm512_load_si512(w + 64 * j);
        for (int m = 0; m < M; m++)
            for (int j = 0; j < 4; j++) sum[m][j] = dot2(sum[m][j], b[j], _mm512_set1_epi32(x[m][k]));
    }
    for (int m = 0; m < M; m++)
        for (int j = 0; j < 4; j++) _mm512_store_ps(tile + 64 * m + 16 * j, sum[m][j]);
}

template <int M> void times_i8(const char *w, const Rows &a, int64_t first, float *tile) {
    f16x sum[M][2];
    const int32_t *x[M];
    int64_t groups = a.depth / 64;
    for (int m = 0; m < M; m++) {
        x[m] = reinterpret_cast<const int32_t *>(a.data + (first + m) * a.depth);
        sum[m][0] = sum[m][1] = _mm512_setzero_ps();
    }
    for (int64_t g = 0; g < groups; g++) {
        __m512i part[M][2];
        for (int m = 0; m < M; m++) part[m][0] = part[m][1] = _mm512_set1_epi32(a.offset[(first + m) * groups + g]);
        for (int k = 0; k < 16; k++, w += 128) {
            __m512i b0 = _mm512_load_si512(w), b1 = _mm512_load_si512(w + 64);
            for (int m = 0; m < M; m++) {
                __m512i one = _mm512_set1_epi32(x[m][16 * g + k]);
                part[m][0] = _mm512_dpbusd_epi32(part[m][0], b0, one);
                part[m][1] = _mm512_dpbusd_epi32(part[m][1], b1, one);
            }
        }
        for (int m = 0; m < M; m++) {
            f16x scale = _mm512_set1_ps(a.scale[(first + m) * groups + g]);
            for (int j = 0; j < 2; j++) sum[m][j] = _mm512_fmadd_ps(_mm512_cvtepi32_ps(part[m][j]), scale, sum[m][j]);
        }
    }
    for (int m = 0; m < M; m++)
        for (int j = 0; j < 2; j++) _mm512_store_ps(tile + 32 * m + 16 * j, sum[m][j]);
}

template <int M> void times_i4(const char *w, const Rows &a, int64_t first, float *tile) {
    f16x sum[M][2];
    const int32_t *x[M];
    int64_t groups = a.depth / 32;
    __m512i low = _mm512_set1_epi8(15);
    for (int m = 0; m < M; m++) {
        x[m] = reinterpret_cast<const int32_t *>(a.data + (first + m) * a.depth);
        sum[m][0] = sum[m][1] = _mm512_setzero_ps();
    }
    for (int64_t g = 0; g < groups; g++, w += 576) {
        __m512i part[M][2];
        for (int m = 0; m < M; m++) part[m][0] = part[m][1] = _mm512_set1_epi32(a.offset[(first + m) * groups + g]);
        for (int k = 0; k < 4; k++)
            for (int j = 0; j < 2; j++) {
                __m512i both = _mm512_load_si512(w + 128 * k + 64 * j);
                __m512i b0 = _mm512_and_si512(both, low), b1 = _mm512_and_si512(_mm512_srli_epi16(both, 4), low);
                for (int m = 0; m < M; m++) {
                    part[m][j] = _mm512_dpbusd_epi32(part[m][j], b0, _mm512_set1_epi32(x[m][8 * g + 2 * k]));
                    part[m][j] = _mm512_dpbusd_epi32(part[m][j], b1, _mm512_set1_epi32(x[m][8 * g + 2 * k + 1]));
                }
            }
        for (int j = 0; j < 2; j++) {
            f16x scale = _mm512_cvtph_ps(_mm256_load_si256(reinterpret_cast<const __m256i *>(w + 512 + 32 * j)));
            for (int m = 0; m < M; m++) {
                f16x both = _mm512_mul_ps(scale, _mm512_set1_ps(a.scale[(first + m) * groups + g]));
                sum[m][j] = _mm512_fmadd_ps(_mm512_cvtepi32_ps(part[m][j]), both, sum[m][j]);
            }
        }
    }
    for (int m = 0; m < M; m++)
        for (int j = 0; j < 2; j++) _mm512_store_ps(tile + 32 * m + 16 * j, sum[m][j]);
}

constexpr int MOST = 6;  // rows multiplied together: their sums fill the registers
using Times = void (*)(const char *, const Rows &, int64_t, float *);
#define GOT_ROWS(f) {f<1>, f<2>, f<3>, f<4>, f<5>, f<6>}
constexpr Times TIMES[4][MOST] = {GOT_ROWS(times_f32), GOT_ROWS(times_bf16), GOT_ROWS(times_i8), GOT_ROWS(times_i4)};
#undef GOT_ROWS

// Multiply all rows with panel p and give each output row to take(row, first output, 16 lanes, mask of real outputs).
template <class F> void panel(const Linear &l, const Rows &a, int64_t p, F &&take) {
    alignas(64) float tile[MOST * 64];
    int size = SHAPES[l.kind].panel;
    // As even pieces as possible: 16 rows go as 6, 5, 5.
    int64_t pieces = (a.rows + MOST - 1) / MOST;
    for (int64_t i = 0, row = 0; i < pieces; i++) {
        int count = int((a.rows - row + pieces - i - 1) / (pieces - i));
        TIMES[l.kind][count - 1](l.weight + p * l.panel_bytes(), a, row, tile);
        for (int j = 0; j < size && p * size + j < l.outs; j += 16) {
            int64_t out = int64_t(p) * size + j;
            f16x scale = l.kind == I8 ? _mm512_load_ps(l.scale + out) : _mm512_set1_ps(1.0f);
            __mmask16 real = lanes(l.outs - out);
            f16x bias = l.bias ? _mm512_maskz_loadu_ps(real, l.bias + out) : _mm512_setzero_ps();
            for (int m = 0; m < count; m++)
                take(row + m, out, _mm512_fmadd_ps(_mm512_load_ps(tile + m * size + j), scale, bias), real);
        }
        row += count;
    }
}

}  // namespace got
