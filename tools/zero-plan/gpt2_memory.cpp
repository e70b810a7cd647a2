// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "gpt2_memory.hpp"

#include <algorithm>

// These formulas say what the constructors of examples/gpt2/model.cpp and examples/gpt2/cuda/model_memory.hpp allocate,
// and a test compares them to the byte. They are not shared with the example, which would then be compared with itself.
namespace zero_plan {
namespace {

constexpr std::uint64_t single = 4;  // bytes of a float, and of a token

constexpr std::uint64_t parts(std::uint64_t n, std::uint64_t part) { return (n + part - 1) / part; }

/// Sizes in elements that both models have.
struct Sizes {
  Sizes(Gpt2Shape const& shape, Gpt2Run const& run)
      : layers(shape.layers),
        heads(shape.heads),
        width(shape.width),
        context(shape.context),
        vocabulary(shape.vocabulary),
        sequences(run.sequences),
        tokens(run.sequences * shape.context),
        row(tokens * width),
        dropped(run.drops ? row : 0),
        element(element_size(run.type)),
        is_narrow(run.type != zero::ElementType::fp32),
        recompute(run.recompute),
        kept_inputs(recompute == Recompute::block ? std::min<std::uint64_t>(run.kept_inputs, layers - 1) : 0),
        moved_inputs(run.inputs_on_host ? kept_inputs - std::min<std::uint64_t>(kept_inputs, 2) : 0) {}

  /// What blocks keep: \p rest of LayerNorms and MLP, \p attention, and with Recompute::block \p input of each segment
  /// but the last, but for what goes to the host; buffers of what is computed again are shared by segments, which are
  /// as long as one another, or longer by a block.
  [[nodiscard]] std::uint64_t of_blocks(std::uint64_t rest, std::uint64_t attention, std::uint64_t input) const {
    if (recompute == Recompute::block) {
      return parts(layers, kept_inputs + 1) * (rest + attention) + (kept_inputs - moved_inputs) * input;
    }
    return layers * rest + (recompute == Recompute::selective ? 1 : layers) * attention;
  }

  std::uint64_t layers, heads, width, context, vocabulary, sequences;
  std::uint64_t tokens;
  std::uint64_t row;      // of one value per token and column
  std::uint64_t dropped;  // of a gradient behind dropout
  std::uint64_t element;  // bytes of a parameter
  bool is_narrow;
  Recompute recompute;
  std::uint64_t kept_inputs;   // of segments
  std::uint64_t moved_inputs;  // to the host: all but the last two
};

// ---------------------------------------------------------------------------------------------------- on the host

/// Of a block: two normalized inputs with their deviations and the hidden values of the MLP; queries, keys and values
/// with the sums of their scores, and what was attended; the input.
std::uint64_t host_activations(Sizes const& s) {
  std::uint64_t const rest = 2 * (s.row + s.tokens) + 4 * s.row, attention = 3 * s.row + s.tokens * s.heads + s.row;
  return single * (s.of_blocks(rest, attention, s.row) + s.row + s.tokens + s.tokens * s.vocabulary);
}

/// Rows of the embedding that the head widens at a time.
std::uint64_t vocabulary_part(Sizes const& s) {
  return s.is_narrow ? std::min<std::uint64_t>(s.vocabulary, 8192) : s.vocabulary;
}

/// Weights of a layer in float, and their gradients: a block, or a part of the head.
std::uint64_t host_widened(Sizes const& s) {
  if (!s.is_narrow) return 0;
  std::uint64_t const block = 12 * s.width * s.width + 13 * s.width;
  return 2 * single * std::max(block, (vocabulary_part(s) + 2) * s.width);
}

std::uint64_t host_scratch(Sizes const& s) {
  std::uint64_t const rows = 3 * s.row + 8 * s.row;  // residual stream, its gradient, a narrow one; two wide
  std::uint64_t const sums = parts(s.tokens, 32) * 2 * s.width;  // of LayerNorm's gradients
  std::uint64_t const order = 2 * s.tokens + 1;                  // of tokens
  return single * (rows + s.dropped + s.tokens + sums + order) + host_widened(s);
}

/// Elements that a product packs: of the factor that all of its tasks read, of at most so much depth at a time.
std::uint64_t packed_elements(std::uint64_t rows, std::uint64_t columns, std::uint64_t depth) {
  constexpr std::uint64_t panel = 96, most_depth = 4096;
  return parts(std::min(rows, columns), panel) * panel * std::min(depth, most_depth);
}

std::uint64_t host_packed(Sizes const& s) {
  std::uint64_t const n = s.tokens, w = s.width, v = vocabulary_part(s);
  return single * std::max({packed_elements(n, 3 * w, w), packed_elements(n, w, w), packed_elements(n, 4 * w, w),
                            packed_elements(n, w, 4 * w), packed_elements(n, w, 3 * w), packed_elements(n, v, w),
                            packed_elements(n, w, v), packed_elements(v, w, n), packed_elements(w, 4 * w, n),
                            packed_elements(w, 3 * w, n), packed_elements(w, w, n)});
}

// ---------------------------------------------------------------------------------------------------- on a GPU

/// Of logits: rows are whole lines.
std::uint64_t stride(Sizes const& s) { return parts(s.vocabulary, 128) * 128; }

/// Products read what is narrow. The head keeps three numbers for the softmax of a row of logits.
std::uint64_t device_activations(Sizes const& s) {
  std::uint64_t const rest = single * 2 * (s.row + s.tokens) + s.element * 4 * s.row;
  std::uint64_t const attention = s.element * (3 * s.row + s.row), input = single * s.row;
  return s.of_blocks(rest, attention, input) + single * (s.row + s.tokens + s.tokens * stride(s) + 3 * s.tokens);
}

std::uint64_t device_scratch(Sizes const& s) {
  constexpr std::uint64_t most_scores = std::uint64_t{1} << 25;
  std::uint64_t const square = s.context * s.context;
  std::uint64_t const scores =
      square * std::min(s.sequences * s.heads, std::max<std::uint64_t>(1, most_scores / square));
  std::uint64_t const copies = s.is_narrow ? s.tokens * stride(s) + s.row : 0;  // of logits' and stream's gradients
  std::uint64_t const narrow = copies + s.row + 8 * s.row + s.row + 3 * s.row + scores;
  std::uint64_t const wide = 2 * s.row + 4 * s.row + s.dropped + scores + parts(s.tokens, 64) * 4 * s.width;
  std::uint64_t const words = 2 * s.tokens + 6 * s.tokens + 1;  // tokens and targets; tokens in groups
  return s.element * narrow + single * (wide + words);
}

}  // namespace

Gpt2Memory memory_of(Gpt2Shape const& shape, Gpt2Run const& run) {
  Sizes const s(shape, run);
  if (run.cuda) {
    return {
        .activations = device_activations(s), .scratch = device_scratch(s), .pinned = s.moved_inputs * single * s.row};
  }
  return {.activations = host_activations(s), .scratch = host_scratch(s), .packed = host_packed(s)};
}

}  // namespace zero_plan
