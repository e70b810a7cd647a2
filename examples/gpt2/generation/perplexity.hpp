// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "decoder.hpp"

#include <zero/thread_pool.hpp>

#include <cstddef>
#include <span>

namespace gpt2 {

/// How well a model predicts a text.
struct Prediction {
  double loss = 0.0;       ///< mean cross-entropy, in nats
  std::size_t tokens = 0;  ///< that were predicted
};

/// Predicts all tokens but the first, in windows of the context that follow each other: a token is predicted from those
/// before it in its window, and the last of a window is the first of the next. \p decoder has a sequence of the whole
/// context. The same for any number of threads.
[[nodiscard]] Prediction predict(Decoder& decoder, std::span<Token const> tokens, zero::ThreadPool& pool);

}  // namespace gpt2
