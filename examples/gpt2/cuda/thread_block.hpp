// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// What kernels are written in. A kernel is a struct with an operator()(block, task): a block of threads does one task
// at a time, and says by which of its calls the threads share the work. The device has a block of 256 threads
// (device.cuh); a test has one that does everything in a loop, so that the arithmetic of every index is checked where
// there is no GPU.
//
//   block.for_each(n, f)   f(i) for every i < n, on any threads, in any order; the thread of an i is the same in every
//                         call, whatever n. What one thread writes no other reads before the next kernel.
//   block.sum(n, f)        the sum of f(i), and block.maximum(n, f) the largest, -inf for none: on all threads, in an
//                         order that depends on n alone within one build. Every thread must come.
//   block.on_one_thread(f) f() on one thread
#if defined(__CUDACC__)
#define GPT2_DEVICE __device__
#else
#define GPT2_DEVICE
#endif

namespace gpt2::device {

/// Threads of a block, and columns that a task takes where rows are too long or too few for a task each.
inline constexpr unsigned block_threads = 256;

}  // namespace gpt2::device
