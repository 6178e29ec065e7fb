// Several threads on one call: they take pieces of one job after the other. Knows nothing of what a piece is.
//
// The threads are those of the OpenMP library that PyTorch uses, called for once a call: threads of our own would fight with
// them for the processors, since OpenMP's spin for milliseconds after their work. Within a call a job is over when its pieces
// are done: who has no processor just now is not waited for, unless it sits on a piece.
#pragma once
#include <atomic>
#include <cstdint>
#include <sched.h>
#include <x86intrin.h>

namespace got {

constexpr int MOST_PIECES = 65535;
constexpr int PATIENCE = 2000;  // rounds of waiting before a thread offers its processor to others

// OpenMP's own entry: run a function on so many threads, the caller being one of them.
using Fork = void (*)(void (*)(void *), void *, unsigned, unsigned);

class Team {
public:
    // Run lead() on this thread, with the help of others where `fork` is given.
    template <class F> static void run(Fork fork, int threads, F &&lead) {
        Team team;
        team.alone_ = !fork || threads < 2;
        if (team.alone_) {
            lead(team);
            return;
        }
        struct Call { Team &team; F &lead; } call{team, lead};
        fork([](void *at) {
            Call &c = *static_cast<Call *>(at);
            // The first to come leads: all are alike.
            if (c.team.led_.exchange(true)) c.team.help();
            else {
                c.lead(c.team);
                c.team.over_.store(true, std::memory_order_release);
            }
        }, &call, unsigned(threads), 0);
    }

    // Do f(0 .. count-1), `group` neighbours at a time. The leader calls this.
    template <class F> void each(int64_t count, int64_t group, F &&f) {
        if (group * MOST_PIECES < count) group = (count + MOST_PIECES - 1) / MOST_PIECES;
        int64_t pieces = (count + group - 1) / group;
        if (alone_ || pieces < 2) {
            for (int64_t i = 0; i < count; i++) f(i);
            return;
        }
        struct Job { F &f; int64_t group, count; } job{f, group, count};
        what_.store(&job, std::memory_order_relaxed);
        piece_.store([](void *at, int i) {
            Job &j = *static_cast<Job *>(at);
            for (int64_t k = i * j.group; k < j.count && k < (i + 1) * j.group; k++) j.f(k);
        }, std::memory_order_relaxed);
        done_.store(0, std::memory_order_relaxed);
        epoch_++;
        state_.store(uint64_t(epoch_) << 32 | uint64_t(pieces) << 16, std::memory_order_release);
        while (take()) {}
        for (int64_t round = 0; done_.load(std::memory_order_acquire) < pieces; round++) wait(round);
    }

private:
    // State: epoch << 32 | pieces << 16 | next. One word, so that a claim holds only for the job that was looked at.
    bool take() {
        uint64_t seen = state_.load(std::memory_order_acquire);
        int pieces = (seen >> 16) & 0xffff, next = seen & 0xffff;
        if (next >= pieces) return false;
        auto piece = piece_.load(std::memory_order_relaxed);
        void *what = what_.load(std::memory_order_relaxed);
        // If the claim holds, the job cannot have ended in between: piece and what were its own.
        if (!state_.compare_exchange_strong(seen, seen + 1, std::memory_order_acq_rel)) return true;
        piece(what, next);
        done_.fetch_add(1, std::memory_order_release);
        return true;
    }

    void help() {
        for (int64_t round = 0; !over_.load(std::memory_order_acquire); round++)
            if (take()) round = 0;
            else wait(round);
    }

    static void wait(int64_t round) {
        if (round < PATIENCE) _mm_pause();
        else sched_yield();
    }

    alignas(64) std::atomic<uint64_t> state_{0};
    alignas(64) std::atomic<int64_t> done_{0};
    alignas(64) std::atomic<void (*)(void *, int)> piece_{nullptr};
    std::atomic<void *> what_{nullptr};
    std::atomic<bool> led_{false}, over_{false};
    bool alone_ = true;
    uint32_t epoch_ = 0;
};

}  // namespace got
