// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "../activations.hpp"
#include "../dropout.hpp"
#include "../model_input.hpp"
#include "../weights.hpp"
#include "kernels.hpp"
#include "pinned_tokens.hpp"
#include "product.hpp"
#include "softmax.hpp"
#include "token_grouper.hpp"

#include <zero/activation/host_inputs.hpp>
#include <zero/activation/segment_plan.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <stdexcept>
#include <type_traits>
#include <utility>
#include <vector>

namespace gpt2::device {

/// The GPT-2 of ../model.hpp on a device: the same calls in the same order, put on the device's stream without waiting
/// for them. Products read values of type \p T, sum in fp32, and write fp32 or \p T; the residual stream, its gradient,
/// LayerNorm and softmax are fp32. Probabilities of attention are made once more in the backward pass. The bits of
/// every result depend on the shapes and the values alone, as far as those of a product do.
///
/// \tparam T float, zero::bfloat16 or zero::float16.
/// \tparam Device has memory and runs kernels and products in order: CudaDevice (device.hpp). A test's does it on the
/// host, where all pointers are the host's.
template <class T, class Device>
class DeviceModel {
 public:
  /// Allocates everything for up to \p sequences sequences of shape.context tokens. \p device is borrowed and must
  /// outlive the model. The host waits for the device before it is \p micro_batches micro-batches ahead of it; so many
  /// can be recorded. What \p activations asks for changes no bits. \throws std::length_error for more tokens than a
  /// matrix can have rows, zero::ConfigurationError as SegmentPlan does.
  DeviceModel(ModelShape const& shape, std::size_t sequences, Device& device, std::size_t micro_batches = 2,
              ActivationSettings const& activations = {});

  [[nodiscard]] ModelShape const& shape() const noexcept { return shape_; }
  /// What is computed again, and when.
  [[nodiscard]] zero::activation::SegmentPlan const& plan() const noexcept { return plan_; }
  /// Bytes of activations and of scratch on the device, as ../model.hpp has them.
  [[nodiscard]] std::size_t activation_bytes() const noexcept;
  [[nodiscard]] std::size_t scratch_bytes() const noexcept;
  /// Bytes of activations in pinned host memory: kept inputs, where they go there.
  [[nodiscard]] std::size_t host_activation_bytes() const noexcept;

  /// As ../model.hpp has it; the same elements are dropped. \throws std::logic_error in a recording, too, where the
  /// draw would be the same at each replay.
  void set_dropout(Dropout const& dropout);

  void embed_forward(std::span<Token const> tokens, std::size_t length, T const* wte, T const* wpe);
  void block_forward(std::size_t layer, BlockWeights<T> const& weights);
  /// The mean loss comes with `take_losses`.
  void head_forward(HeadWeights<T> const& weights, std::span<Token const> targets);
  /// Waits for the logits, which are copied to the host.
  [[nodiscard]] std::span<float const> last_logits(HeadWeights<T> const& weights);

  /// \p loss_scale lies on the device.
  void head_backward(float const* loss_scale, HeadWeights<T> const& weights, HeadGradients<T> const& gradients);
  void block_again(std::size_t layer, BlockWeights<T> const& weights);
  void block_backward(std::size_t layer, BlockWeights<T> const& weights, BlockGradients<T> const& gradients);
  /// \throws std::invalid_argument unless \p tokens are those of the last `embed_forward`, which the device has.
  void embed_backward(std::span<Token const> tokens, Gradient<T> wte, Gradient<T> wpe);

  /// Waits. The losses of all calls of `head_forward` since the last time, in their order.
  [[nodiscard]] std::vector<double> take_losses();

  // A step that is recorded: `record` while the device's stream is captured; then, as often as wanted, `fill` for each
  // micro-batch and `replay`. Other passes may come between replays. The last recording counts.

  /// Calls \p passes, whose calls of the model are recorded and not run: their tokens and targets are checked and not
  /// read. \throws std::logic_error where losses have not been taken, or kept inputs go to host memory, which streams
  /// beside the recorded one do; std::length_error for more micro-batches than the
  /// model was made for.
  template <class Passes>
  void record(Passes&& passes);
  /// What the \p k-th recorded micro-batch reads at the next replay. Waits until the last replay has read its own.
  /// \throws std::invalid_argument for other numbers of tokens than were recorded, std::out_of_range.
  void fill(std::size_t k, std::span<Token const> tokens, std::span<Token const> targets);
  /// Calls \p launch, which puts a replay on the device's stream. Its losses come with `take_losses`; those of earlier
  /// passes are waited for first. \throws std::logic_error where a micro-batch has not been filled, or other passes
  /// have taken its place since.
  template <class Launch>
  void replay(Launch&& launch);

 private:
  template <class V>
  using Memory = typename Device::template Memory<V>;

  using HostInputs = zero::activation::HostInputs<typename Device::Backend>;

  struct Block {
    Memory<float> normalized_1, inverse_deviation_1, normalized_2, inverse_deviation_2;
    Memory<T> hidden;
  };
  struct Attended {
    Memory<T> qkv, attended;  // qkv in heads
  };
  struct Head {
    Memory<float> normalized, inverse_deviation, logits, maximum, inverse, losses;
    Memory<T> dlogits;  // none with T = float: they take the place of the logits
  };

  static constexpr bool is_wide = std::is_same_v<T, float>;
  static constexpr std::size_t most_scores = std::size_t{1} << 25;  // elements of attention at a time, if more than one
                                                                    // head has
  static constexpr std::size_t kept_losses = 256;

  [[nodiscard]] std::size_t rows() const noexcept { return sequences_ * length_; }
  [[nodiscard]] std::uint32_t rows32() const noexcept { return static_cast<std::uint32_t>(rows()); }
  [[nodiscard]] std::uint32_t width32() const noexcept { return static_cast<std::uint32_t>(shape_.width); }
  /// Distance of the rows of logits: a multiple of 256 bytes, so that products read whole lines.
  [[nodiscard]] std::size_t logits_stride() const noexcept { return (shape_.vocabulary + 127) / 128 * 128; }
  [[nodiscard]] T* dlogits() const noexcept;
  /// The gradient of the residual stream, less what a mask drops: as sums of columns read it, and as products do.
  struct OutputGradient {
    float const* wide;
    T const* narrow;
  };
  /// Without a mask it is the stream's own; otherwise narrow_ has it, up to the next LayerNorm.
  [[nodiscard]] OutputGradient output_gradient(DropoutMask const& mask);

  [[nodiscard]] Norm<T> norm(T const* weight, T const* bias, Memory<float> const& normalized,
                             Memory<float> const& inverse_deviation) const;
  [[nodiscard]] Norm<T> head_norm(HeadWeights<T> const& weights) const;
  [[nodiscard]] HeadLayout heads(std::uint32_t parts) const;
  [[nodiscard]] Logits kept_logits() const;

  template <class In, class Out>
  void multiply(std::size_t m, std::size_t n, std::size_t k, Factor<In> a, Factor<In> b, Result<Out> c);
  void add_output(std::size_t inputs, T const* input, T const* weight, T const* bias, DropoutMask const& mask);
  void norm_backward(Norm<T> const& norm, float const* dy, bool adds, Gradient<T> dweight, Gradient<T> dbias);
  template <class V>
  void linear_gradients(std::size_t inputs, std::size_t outputs, T const* input, T const* doutput, V const* bias_source,
                        Gradient<T> dweight, Gradient<T> dbias);
  template <class F>
  void for_matrices(F&& f) const;
  template <class Out>
  void multiply_each(std::size_t count, std::size_t m, std::size_t n, std::size_t k, float alpha, Factor<T> a,
                     Factor<T> b, Out* c);
  void scores(T const* q, T const* k, std::size_t count);
  void probabilities(std::size_t count, ProbabilityMask const& mask);
  void attention_forward(std::size_t layer);
  void attention_backward(std::size_t layer);
  [[nodiscard]] Block const& block(std::size_t layer) const { return blocks_[plan_.set(layer)]; }
  [[nodiscard]] Attended const& attended(std::size_t layer) const {
    return attended_[plan_.recompute() == Recompute::selective ? 0 : plan_.set(layer)];
  }
  void keep_input(std::size_t layer);
  void take_input_again(std::size_t layer);
  void qkv_and_attention(std::size_t layer, BlockWeights<T> const& w);
  void attention_part_forward(std::size_t layer, BlockWeights<T> const& w);
  void hidden_forward(std::size_t layer, BlockWeights<T> const& w, T* activated);
  void mlp_part_forward(std::size_t layer, BlockWeights<T> const& w);
  void mlp_part_backward(std::size_t layer, BlockWeights<T> const& w, BlockGradients<T> const& g);
  void attention_part_backward(std::size_t layer, BlockWeights<T> const& w, BlockGradients<T> const& g);
  void collect_losses();
  void begin_micro_batch(std::size_t tokens);
  void upload(PinnedTokens<Device>& by_way_of, std::uint32_t* to, std::span<Token const> tokens);

  struct Input {
    PinnedTokens<Device> tokens, targets;
    bool filled = false;  // for a replay
  };

  ModelShape shape_;
  Device& device_;
  std::size_t capacity_;  // tokens
  TokenGrouper<Device> token_grouper_;
  std::size_t sequences_ = 0, length_ = 0;
  float attention_scale_;
  zero::activation::SegmentPlan plan_;
  Dropout dropout_;

  std::vector<Block> blocks_;               // by set of the plan
  std::vector<Attended> attended_;          // likewise; with Recompute::selective one for all
  std::vector<Memory<float>> kept_inputs_;  // that the plan keeps,
  std::optional<HostInputs> host_inputs_;   // or this, where they go to host memory
  Head head_;

  Memory<float> residual_, dresidual_, wide_;       // [tokens, width], [tokens, width], [tokens, 4 width]
  Memory<T> narrow_, dnarrow_, activated_, dwide_;  // the same for products; dnarrow_: none with T = float
  Memory<T> merged_, dheads_;                       // one part and three parts in heads
  Memory<float> scores_;                            // of as many heads as fit, and their gradient
  Memory<T> probabilities_;                         // likewise
  Memory<float> partial_;                           // sums of columns
  Memory<float> dropped_;                           // [tokens, width], with dropout
  Memory<std::uint32_t> tokens_, targets_;
  typename Device::template Shared<float> mean_losses_, last_row_;
  std::size_t pending_losses_ = 0;
  std::vector<double> losses_;

  std::vector<Input> inputs_;
  std::size_t input_ = 0;  // of the last micro-batch
  bool recording_ = false;
  std::vector<std::size_t> recorded_tokens_;  // of each recorded micro-batch
  std::size_t recorded_losses_ = 0;
};

}  // namespace gpt2::device

#include "model_memory.hpp"
#include "model_passes.hpp"
#include "model_recording.hpp"
