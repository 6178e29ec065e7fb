// One head's attention of new positions over a cache, the cache being filled on the way. D is the head's width, any even
// number; sums and softmax are float32.
#pragma once
#include "simd.hpp"
#include <algorithm>
#include <vector>

namespace got {

constexpr int MOST_WIDTH = 256;  // of a head

// One head of one row of the cache: (S, D) keys and values, float32 or bfloat16. `stride` counts numbers.
struct Head {
    char *keys, *values;
    int64_t stride, width;
    bool half;
};

inline f16x load(const char *at, bool half, int64_t index, __mmask16 mask) {
    if (half) return widen(_mm256_maskz_loadu_epi16(mask, reinterpret_cast<const bf16 *>(at) + index));
    return _mm512_maskz_loadu_ps(mask, reinterpret_cast<const float *>(at) + index);
}

inline void store(char *at, bool half, int64_t index, __mmask16 mask, f16x x) {
    if (half) _mm256_mask_storeu_epi16(reinterpret_cast<bf16 *>(at) + index, mask, narrow(x));
    else _mm512_mask_storeu_ps(reinterpret_cast<float *>(at) + index, mask, x);
}

// Rotate pairs (i, i + D/2) of x by one position's cosines and sines (D/2 each) and scale them, in place.
inline void rotate(float *x, const float *cos, const float *sin, int64_t width, float scale) {
    int64_t half = width / 2;
    f16x by = _mm512_set1_ps(scale);
    for (int64_t i = 0; i < half; i += 16) {
        __mmask16 mask = lanes(half - i);
        f16x a = _mm512_maskz_loadu_ps(mask, x + i), b = _mm512_maskz_loadu_ps(mask, x + half + i);
        f16x c = _mm512_mul_ps(by, _mm512_maskz_loadu_ps(mask, cos + i));
        f16x s = _mm512_mul_ps(by, _mm512_maskz_loadu_ps(mask, sin + i));
        _mm512_mask_storeu_ps(x + i, mask, _mm512_fmsub_ps(a, c, _mm512_mul_ps(b, s)));
        _mm512_mask_storeu_ps(x + half + i, mask, _mm512_fmadd_ps(b, c, _mm512_mul_ps(a, s)));
    }
}

// Products of one query with 16 positions, of which `real` exist. W: the head's width where it is 64, which most are, or 0.
template <int W> f16x score16(const float *query, const bf16 *small, const Head &h, int64_t s, int real) {
    f16x v[16];
    int64_t width = W ? W : h.width;
#pragma GCC unroll 16
    for (int i = 0; i < 16; i++) {
        v[i] = _mm512_setzero_ps();
        if (i >= real) continue;
        int64_t at = (s + i) * h.stride;
        if (h.half)
            for (int64_t d = 0; d < width; d += 32) {
                __mmask32 mask = width - d >= 32 ? 0xffffffffu : (1u << (width - d)) - 1;
                __m512i k = _mm512_maskz_loadu_epi16(mask, reinterpret_cast<const bf16 *>(h.keys) + at + d);
                v[i] = dot2(v[i], k, _mm512_load_si512(small + d));
            }
        else
            for (int64_t d = 0; d < width; d += 16) {
                f16x k = _mm512_maskz_loadu_ps(lanes(width - d), reinterpret_cast<const float *>(h.keys) + at + d);
                v[i] = _mm512_fmadd_ps(k, _mm512_maskz_loadu_ps(lanes(width - d), query + d), v[i]);
            }
    }
    return sums(v);
}

// Scores of Q queries, each (D,) float32, against positions 0 .. count-1: out[q * room + position].
template <int Q> void score(const float *const *queries, const Head &h, int64_t count, float *out, int64_t room) {
    alignas(64) bf16 small[Q][MOST_WIDTH];
    for (int q = 0; q < Q; q++)
        for (int64_t d = 0; d < up(h.width, 32); d += 16)
            _mm256_store_si256(reinterpret_cast<__m256i *>(small[q] + d),
                               narrow(_mm512_maskz_loadu_ps(lanes(h.width - d), queries[q] + d)));
    bool usual = h.width == 64 && h.half;
    for (int64_t s = 0; s < count; s += 16) {
        int real = int(std::min<int64_t>(16, count - s));
        for (int q = 0; q < Q; q++) {
            f16x found = usual && real == 16 ? score16<64>(queries[q], small[q], h, s, 16)
                                             : score16<0>(queries[q], small[q], h, s, real);
            _mm512_storeu_ps(out + q * room + s, found);
        }
    }
}

// Turn `count` scores into weights that are not yet divided by their sum; give that sum. Up to `room` follow as zeros.
inline float soften(float *x, int64_t count, int64_t room) {
    f16x most = _mm512_set1_ps(-INFINITY), sum = _mm512_setzero_ps();
    for (int64_t i = 0; i < count; i += 16) {
        __mmask16 mask = lanes(count - i);
        most = _mm512_mask_max_ps(most, mask, most, _mm512_maskz_loadu_ps(mask, x + i));
    }
    f16x top = _mm512_set1_ps(_mm512_reduce_max_ps(most));
    for (int64_t i = 0; i < room; i += 16) {
        __mmask16 mask = lanes(count - i);
        f16x e = _mm512_maskz_mov_ps(mask, exp16(_mm512_sub_ps(_mm512_loadu_ps(x + i), top)));
        _mm512_storeu_ps(x + i, e);
        sum = _mm512_add_ps(sum, e);
    }
    return _mm512_reduce_add_ps(sum);
}

// Mix values by Q rows of weights and divide by their sums: out[q][D].
template <int Q>
void mix(const float *weights, int64_t room, const float *sum, const Head &h, int64_t count, float *const *out) {
    for (int64_t d = 0; d < h.width; d += 64) {
        __mmask16 mask[4];
        f16x got[Q][4];
        for (int j = 0; j < 4; j++) {
            mask[j] = lanes(h.width - d - 16 * j);
            for (int q = 0; q < Q; q++) got[q][j] = _mm512_setzero_ps();
        }
        for (int64_t s = 0; s < count; s++) {
            f16x v[4];
            for (int j = 0; j < 4; j++) v[j] = load(h.values, h.half, s * h.stride + d + 16 * j, mask[j]);
            for (int q = 0; q < Q; q++)
                for (int j = 0; j < 4; j++)
                    got[q][j] = _mm512_fmadd_ps(v[j], _mm512_set1_ps(weights[q * room + s]), got[q][j]);
        }
        for (int q = 0; q < Q; q++)
            for (int j = 0; j < 4; j++)
                _mm512_mask_storeu_ps(out[q] + d + 16 * j, mask[j], _mm512_div_ps(got[q][j], _mm512_set1_ps(sum[q])));
    }
}

// Q neighbouring queries, the first of which sees positions 0 .. first.
template <int Q> void attend(const float *const *queries, const Head &h, int64_t first, float *const *out) {
    thread_local std::vector<float> kept;
    int64_t count = first + Q, room = up(count, 16);
    if (int64_t(kept.size()) < Q * room) kept.resize(2 * Q * room);
    float sum[Q];
    score<Q>(queries, h, count, kept.data(), room);
    for (int q = 0; q < Q; q++) sum[q] = soften(kept.data() + q * room, first + q + 1, room);
    mix<Q>(kept.data(), room, sum, h, count, out);
}

}  // namespace got
