// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "cuda/device_array.hpp"
#include "gpt2/device_model_run.hpp"
#include "gpt2/recorded_step.hpp"
#include "gpt2/token_groups.hpp"

#include <gpt2/cuda/device.cuh>
#include <gpt2/cuda/kernels.hpp>
#include <gpt2/cuda/model.hpp>
#include <gpt2/cuda/softmax.hpp>
#include <gpt2/random.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <type_traits>
#include <utility>
#include <vector>

// GPT-2 on a GPU: each kernel and product against a plain loop in double, and the whole model against the host's, whose
// own derivatives are proven elsewhere. The same kernels run on the host in gpt2/device_model_test.cpp.

namespace gpt2::device {

extern template class DeviceModel<float, CudaDevice>;
extern template class DeviceModel<zero::bfloat16, CudaDevice>;
extern template class DeviceModel<zero::float16, CudaDevice>;

}  // namespace gpt2::device

using namespace gpt2::device;
using cuda_test::DeviceArray;

namespace {

using Values = std::vector<float>;

Values zeros(std::size_t n) { return Values(n); }

// Random in [-1, 1), in float.
Values random_values(std::size_t n, std::uint64_t key) {
  Values values(n);
  for (std::size_t i = 0; i < n; ++i) {
    values[i] = static_cast<float>(2.0 * gpt2::CounterRandom(key).uniform(i) - 1.0);
  }
  return values;
}

template <class T>
std::vector<T> narrowed(Values const& values) {
  std::vector<T> result(values.size());
  for (std::size_t i = 0; i < values.size(); ++i) result[i] = zero::narrow<T>(values[i]);
  return result;
}

// Rounds to T and back, so that host and device see the same numbers.
template <class T>
Values rounded(Values values) {
  for (auto& x : values) x = zero::widen(zero::narrow<T>(x));
  return values;
}

// Half a unit in the last place, with some for fp32's own rounding.
template <class T>
constexpr double epsilon = 2e-6;
template <>
constexpr double epsilon<zero::bfloat16> = 0.0040;
template <>
constexpr double epsilon<zero::float16> = 0.0005;

// Every element, within what rounding to T and fp32 sums over a few hundred elements make.
template <class T>
void check_close(std::vector<T> const& found, std::vector<double> const& expected, double scale = 1.0) {
  REQUIRE(found.size() == expected.size());
  std::size_t wrong = 0;
  for (std::size_t i = 0; i < found.size(); ++i) {
    double const x = static_cast<double>(zero::widen(found[i]));
    bool const close = std::abs(x - expected[i]) <= epsilon<T> * std::abs(expected[i]) + 2e-5 * scale;
    if (!close && wrong++ == 0) MESSAGE("element " << i << " is " << x << " instead of " << expected[i]);
  }
  CHECK(wrong == 0);
}

template <class T>
struct OnDevice {
  explicit OnDevice(Values const& v) : values(narrowed<T>(v)) {}
  operator T*() const { return values.data(); }
  [[nodiscard]] std::vector<T> fetch() const { return values.fetch(); }
  DeviceArray<T> values;
};

// Odd sizes: rows of less and of more than a block, and neither a multiple of anything.
struct Extent {
  std::uint32_t rows, width;
};
constexpr Extent extents[] = {{1, 1}, {5, 24}, {67, 131}, {130, 300}, {3, 1025}};

double gelu(double h) {
  return 0.5 * h * (1.0 + std::tanh(std::sqrt(2.0 / 3.14159265358979323846) * (h + 0.044715 * h * h * h)));
}

/// LayerNorm and its gradients in double: output, that of the input added to `before`, that of the weight, that of the
/// bias added to the weight.
struct ExpectedNorm {
  ExpectedNorm(Extent e, Values const& x, Values const& weight, Values const& bias, Values const& dy,
               Values const& before)
      : y(x.size()), dx(x.size()), dweight(e.width), dbias(weight.begin(), weight.end()) {
    std::size_t const w = e.width;
    double const share = 1.0 / static_cast<double>(w);
    for (std::size_t at = 0; at < x.size(); at += w) {
      double mean = 0.0, variance = 0.0, g_mean = 0.0, gn_mean = 0.0;
      for (std::size_t j = 0; j < w; ++j) mean += x[at + j] * share;
      for (std::size_t j = 0; j < w; ++j) variance += std::pow(x[at + j] - mean, 2) * share;
      double const inverse = 1.0 / std::sqrt(variance + 1e-5);
      auto const n = [&](std::size_t j) { return (x[at + j] - mean) * inverse; };
      auto const g = [&](std::size_t j) { return static_cast<double>(dy[at + j]) * weight[j]; };
      for (std::size_t j = 0; j < w; ++j) g_mean += g(j) * share, gn_mean += g(j) * n(j) * share;
      for (std::size_t j = 0; j < w; ++j) {
        y[at + j] = n(j) * weight[j] + bias[j];
        dx[at + j] = before[at + j] + (g(j) - g_mean - n(j) * gn_mean) * inverse;
        dweight[j] += dy[at + j] * n(j), dbias[j] += dy[at + j];
      }
    }
  }
  std::vector<double> y, dx, dweight, dbias;
};

template <class T>
void check_norm(Extent e) {
  CudaDevice device(0);
  std::size_t const n = std::size_t{e.rows} * e.width, w = e.width, groups = parts_of(e.rows, rows_per_sum);
  auto const x = random_values(n, 1), weight = rounded<T>(random_values(w, 2)), bias = rounded<T>(random_values(w, 3));
  auto const dy = random_values(n, 4), before = random_values(n, 5);
  OnDevice<T> const weight_t(weight), bias_t(bias), out(zeros(n)), again(zeros(n)), small(zeros(n));
  OnDevice<float> const input(x), normalized(zeros(n)), deviation(zeros(e.rows)), slope(dy), dx(before);
  OnDevice<float> const partial(zeros(groups * 2 * w));
  OnDevice<T> const dweight(Values(w, NAN)), dbias(weight);  // one is overwritten, one is added to
  Norm<T> const norm{weight_t, bias_t, normalized, deviation, e.width};
  device.run(NormForward<T>{norm, input, out}, e.rows);
  device.run(NormAgain<T>{norm, again}, e.rows);
  device.run(NormBackward<T>{norm, slope, dx, small, true}, e.rows);
  NormSums const sums{slope, normalized, e.rows, e.width, partial};
  device.run(sums, sums.tasks());
  AddGroups<T> const to_weight{partial, groups, 2 * w, e.width, dweight, false};
  AddGroups<T> const to_bias{static_cast<float*>(partial) + w, groups, 2 * w, e.width, dbias, true};
  device.run(to_weight, to_weight.tasks());
  device.run(to_bias, to_bias.tasks());
  device.synchronize();

  ExpectedNorm const expected(e, x, weight, bias, dy, before);
  double const by_deviation = w == 1 ? 300.0 : 1.0;  // one element has none: 1 / sqrt(epsilon)
  check_close(out.fetch(), expected.y), check_close(again.fetch(), expected.y);
  check_close(dx.fetch(), expected.dx, by_deviation), check_close(small.fetch(), expected.dx, by_deviation);
  check_close(dweight.fetch(), expected.dweight, e.rows), check_close(dbias.fetch(), expected.dbias, e.rows);
}

template <class T>
void check_row_by_row(Extent e) {
  CudaDevice device(0);
  std::size_t const n = std::size_t{e.rows} * e.width, w = e.width;
  auto const x = random_values(n, 1), slope = random_values(n, 2), bias = rounded<T>(random_values(w, 3));
  OnDevice<T> const b(bias), hidden(zeros(n)), activated(zeros(n)), dhidden(zeros(n)), again(zeros(n));
  OnDevice<float> const in(x), dactivated(slope), residual(x);
  device.run(AddBias<T>{b, e.width, residual}, e.rows);
  device.run(BiasGelu<T>{in, b, e.width, hidden, activated}, e.rows);
  device.run(GeluBackward<T>{hidden, dactivated, e.width, dhidden, again}, e.rows);
  std::size_t const groups = parts_of(e.rows, rows_per_sum);
  OnDevice<float> const partial(zeros(groups * w));
  OnDevice<T> const sum_of_floats(Values(w, NAN)), sum_of_narrow(bias);
  ColumnSums<float> const of_floats{dactivated, e.rows, e.width, partial};
  device.run(of_floats, of_floats.tasks());
  AddGroups<T> const first{partial, groups, w, e.width, sum_of_floats, false};
  device.run(first, first.tasks());
  ColumnSums<T> const of_narrow{hidden, e.rows, e.width, partial};
  device.run(of_narrow, of_narrow.tasks());
  AddGroups<T> const second{partial, groups, w, e.width, sum_of_narrow, true};
  device.run(second, second.tasks());
  device.synchronize();

  std::vector<double> plus(n), h(n), a(n), d(n), columns(w), narrow_columns(bias.begin(), bias.end());
  for (std::size_t i = 0; i < n; ++i) {
    h[i] = plus[i] = static_cast<double>(x[i]) + bias[i % w];
    double const kept = zero::widen(zero::narrow<T>(x[i] + bias[i % w]));
    a[i] = gelu(kept), d[i] = slope[i] * (gelu(kept + 1e-5) - gelu(kept - 1e-5)) / 2e-5;
    columns[i % w] += slope[i], narrow_columns[i % w] += kept;
  }
  check_close(residual.fetch(), plus), check_close(hidden.fetch(), h);
  check_close(activated.fetch(), a), check_close(again.fetch(), a), check_close(dhidden.fetch(), d);
  check_close(sum_of_floats.fetch(), columns, e.rows), check_close(sum_of_narrow.fetch(), narrow_columns, e.rows);
}

template <class T>
void check_embedding() {
  CudaDevice device(0);
  constexpr std::uint32_t sequences = 3, length = 5, context = 7, width = 259, vocabulary = 4, n = sequences * length;
  auto const wte = rounded<T>(random_values(vocabulary * width, 1)),
             wpe = rounded<T>(random_values(context * width, 2));
  auto const slope = random_values(n * width, 3);
  std::vector<gpt2::Token> tokens;
  for (std::uint32_t i = 0; i < n; ++i) tokens.push_back(i % 3 == 0 ? 3 : i % 2);  // token 2 does not occur
  DeviceArray<std::uint32_t> const on_device(tokens);
  TokenGrouper grouper(device, n, vocabulary);
  OnDevice<T> const e(wte), p(wpe), dwte(wte), dwpe(Values(context * width, NAN)), added(wpe);
  OnDevice<float> const residual(zeros(n * width)), d(slope);
  device.run(Embed<T>{e, p, on_device.data(), width, length, residual}, n);
  device.run(AddTokens<T>{d, grouper.group(on_device.data(), n), width, dwte}, grouper.most(n));
  device.run(AddPositions<T>{d, sequences, length, width, dwpe, false}, context);
  device.run(AddPositions<T>{d, sequences, length, width, added, true}, length);
  device.synchronize();

  std::vector<double> sum(n * width), tokens_sum(wte.begin(), wte.end()), positions_sum(context * width);
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t j = 0; j < width; ++j) {
      sum[i * width + j] = static_cast<double>(wte[tokens[i] * width + j]) + wpe[i % length * width + j];
      tokens_sum[tokens[i] * width + j] += slope[i * width + j];
      positions_sum[i % length * width + j] += slope[i * width + j];
    }
  }
  auto onto = positions_sum;
  for (std::size_t i = 0; i < onto.size(); ++i) onto[i] += wpe[i];
  check_close(residual.fetch(), sum), check_close(dwte.fetch(), tokens_sum);
  check_close(dwpe.fetch(), positions_sum), check_close(added.fetch(), onto);
}

template <class T>
void check_heads() {
  CudaDevice device(0);
  constexpr std::uint32_t sequences = 2, length = 7, heads = 3, size = 8, n = sequences * length, width = heads * size;
  auto const x = random_values(n * 3 * width, 1), bias = rounded<T>(random_values(3 * width, 2));
  HeadLayout const layout{sequences, length, heads, size, 3}, one{sequences, length, heads, size, 1};
  OnDevice<float> const rows(x);
  OnDevice<T> const b(bias), split(zeros(n * 3 * width)), merged(zeros(n * 3 * width)), single(zeros(n * width));
  device.run(SplitHeads<T>{layout, rows, b, split}, n);
  device.run(MergeHeads<T>{layout, split, merged}, n);
  device.run(SplitHeads<T>{one, rows, nullptr, single}, n);
  device.synchronize();

  std::vector<double> in_heads, in_rows(n * 3 * width), one_part;
  for (std::uint32_t part = 0; part < 3; ++part) {
    for (std::uint32_t s = 0; s < sequences; ++s) {
      for (std::uint32_t h = 0; h < heads; ++h) {
        for (std::uint32_t t = 0; t < length; ++t) {
          for (std::uint32_t i = 0; i < size; ++i) {
            std::size_t const column = part * width + h * size + i, row = s * length + t;
            in_heads.push_back(static_cast<double>(x[row * 3 * width + column]) + bias[column]);
            in_rows[row * 3 * width + column] = in_heads.back();
            if (part == 0) one_part.push_back(x[row * width + column]);
          }
        }
      }
    }
  }
  check_close(split.fetch(), in_heads), check_close(merged.fetch(), in_rows), check_close(single.fetch(), one_part);
}

template <class T>
void check_softmax(std::uint32_t length) {
  CudaDevice device(0);
  constexpr std::uint32_t matrices = 3;
  std::size_t const n = std::size_t{matrices} * length * length;
  auto scores = random_values(n, 1);
  for (auto& x : scores) x *= 20.0F;
  auto const slope = random_values(n, 2);
  OnDevice<float> const in(scores), d(slope);
  OnDevice<T> const probabilities(Values(n, NAN));
  device.run(CausalSoftmax<T>{in, length, probabilities}, matrices * length);
  device.synchronize();
  auto const found = probabilities.fetch();
  device.run(CausalSoftmaxBackward<T>{d, length, probabilities}, matrices * length);
  device.synchronize();

  std::vector<double> p(n), back(n);
  for (std::size_t row = 0; row < matrices * length; ++row) {
    std::size_t const at = row * length, seen = row % length + 1;
    double const top = *std::max_element(&scores[at], &scores[at] + seen);
    double total = 0.0, product = 0.0;
    for (std::size_t j = 0; j < seen; ++j) total += std::exp(scores[at + j] - top);
    for (std::size_t j = 0; j < seen; ++j) p[at + j] = std::exp(scores[at + j] - top) / total;
    auto const kept = [&](std::size_t j) { return static_cast<double>(zero::widen(found[at + j])); };
    for (std::size_t j = 0; j < seen; ++j) product += kept(j) * slope[at + j];
    for (std::size_t j = 0; j < seen; ++j) back[at + j] = kept(j) * (slope[at + j] - product);
  }
  check_close(found, p), check_close(probabilities.fetch(), back);
}

template <class T>
void check_cross_entropy(std::uint32_t rows, std::uint32_t vocabulary) {
  CudaDevice device(0);
  std::uint32_t const stride = vocabulary + 3;
  auto logits = random_values(std::size_t{rows} * stride, 1);
  for (auto& x : logits) x *= 10.0F;
  std::vector<std::uint32_t> targets(rows);
  for (std::uint32_t i = 0; i < rows; ++i) targets[i] = (i * 7 + vocabulary - 1) % vocabulary;
  DeviceArray<std::uint32_t> const on_device(targets);
  OnDevice<float> const in(logits), top(zeros(rows)), inverse(zeros(rows)), losses(zeros(rows)), mean(zeros(1)),
      scale(Values{1024.0F});
  OnDevice<T> const d(zeros(logits.size()));
  Logits const kept{vocabulary, stride, on_device.data(), top, inverse, losses};
  device.run(CrossEntropy{kept, in}, rows);
  device.run(MeanLoss{losses, rows, mean}, 1);
  device.run(CrossEntropyBackward<T>{kept, in, scale, rows, d}, rows);
  device.synchronize();

  std::vector<double> loss(rows), slope(logits.size());
  double sum = 0.0;
  for (std::size_t i = 0; i < rows; ++i) {
    float const* const row = &logits[i * stride];
    double total = 0.0;
    for (std::uint32_t j = 0; j < vocabulary; ++j) total += std::exp(static_cast<double>(row[j]));
    loss[i] = std::log(total) - row[targets[i]], sum += loss[i];
    for (std::uint32_t j = 0; j < vocabulary; ++j) {
      slope[i * stride + j] = 1024.0 / rows * (std::exp(static_cast<double>(row[j])) / total - (j == targets[i]));
    }
  }
  check_close(losses.fetch(), loss, 10.0), check_close(mean.fetch(), {sum / rows}, 10.0);
  check_close(d.fetch(), slope, 1024.0 / rows);
}

template <class In, class Out>
void check_product(CudaDevice& device, bool a_transposed, bool b_transposed, bool adds, std::size_t count) {
  constexpr std::size_t m = 13, n = 65, k = 24;
  std::size_t const a_rows = a_transposed ? k : m, b_rows = b_transposed ? n : k;
  std::size_t const a_stride = (a_transposed ? m : k) + 3, b_stride = (b_transposed ? k : n) + 7, c_stride = n + 2;
  std::size_t const a_step = a_rows * a_stride, b_step = b_rows * b_stride, c_step = m * c_stride;
  auto const a = rounded<In>(random_values(count * a_step, 1)), b = rounded<In>(random_values(count * b_step, 2));
  auto const c = rounded<Out>(random_values(count * c_step, 3));
  OnDevice<In> const left(a), right(b);
  OnDevice<Out> const result(c);
  device.multiply(Product<In, Out>{m,
                                   n,
                                   k,
                                   0.5F,
                                   {left, a_stride, a_transposed, a_step},
                                   {right, b_stride, b_transposed, b_step},
                                   {result, c_stride, adds, c_step},
                                   count});
  device.synchronize();
  std::vector<double> expected(c.begin(), c.end());  // what lies between the rows stays
  for (std::size_t p = 0; p < count; ++p) {
    for (std::size_t i = 0; i < m; ++i) {
      for (std::size_t j = 0; j < n; ++j) {
        double sum = 0.0;
        for (std::size_t t = 0; t < k; ++t) {
          double const x = a[p * a_step + (a_transposed ? t * a_stride + i : i * a_stride + t)];
          sum += x * b[p * b_step + (b_transposed ? j * b_stride + t : t * b_stride + j)];
        }
        double& to = expected[p * c_step + i * c_stride + j];
        to = 0.5 * sum + (adds ? to : 0.0);
      }
    }
  }
  check_close(result.fetch(), expected);
}

template <class F>
void for_types(F&& f) {
  SUBCASE("fp32") { f(float{}); }
  SUBCASE("bf16") { f(zero::bfloat16{}); }
  SUBCASE("fp16") { f(zero::float16{}); }
}

constexpr gpt2::ModelShape tiny{.layers = 2, .heads = 3, .width = 24, .context = 7, .vocabulary = 65};
// Rows longer than a block, heads of 3, and more rows than one sum of columns takes.
constexpr gpt2::ModelShape odd{.layers = 1, .heads = 23, .width = 69, .context = 133, .vocabulary = 259};
constexpr gpt2::ModelShape even{.layers = 2, .heads = 4, .width = 128, .context = 64, .vocabulary = 512};
constexpr gpt2::ModelShape deep{.layers = 6, .heads = 4, .width = 128, .context = 64, .vocabulary = 512};

// Distance of the gradients of a device's model of T from those of the host's in fp32, for the same weights.
template <class T>
GradientDistance distance_from_host(gpt2::ModelShape const& shape, float loss_scale, double dropout = 0.0) {
  CudaDevice device(0);
  DeviceModelRun<T, CudaDevice> run(shape, 3, device, {.dropout = dropout > 0.0});
  ModelRun<float> host(shape, 3, 2, {.dropout = dropout > 0.0});
  if (dropout > 0.0) run.model().set_dropout({dropout, 1, 2, 3}), host.model.set_dropout({dropout, 1, 2, 3});
  for (std::size_t p = 0; p < host.weights.size(); ++p) {
    for (std::size_t i = 0; i < host.weights[p].size(); ++i) host.weights[p][i] = zero::widen(run.host.weights[p][i]);
  }
  CHECK(run.forward() ==
        doctest::Approx(static_cast<double>(host.forward())).epsilon(std::is_same_v<T, float> ? 1e-5 : 0.01));
  run.backward(loss_scale, false), host.backward(1.0F, false);
  return distance(host.as_double(host.gradients), run.host.as_double(run.gradients()), static_cast<double>(loss_scale));
}

/// Captures a device's stream into a CUDA graph.
class GraphRecorder {
 public:
  class Graph {
   public:
    explicit Graph(cudaGraphExec_t handle) : handle_(handle) {}
    Graph(Graph&& other) noexcept : handle_(std::exchange(other.handle_, nullptr)) {}
    ~Graph() {
      if (handle_ != nullptr) (void)cudaGraphExecDestroy(handle_);
    }
    [[nodiscard]] cudaGraphExec_t handle() const noexcept { return handle_; }

   private:
    cudaGraphExec_t handle_;
  };

  explicit GraphRecorder(CudaDevice const& device) : stream_(device.stream().handle()) {}

  /// Thread-local: what may wait or allocate is refused while \p passes are captured.
  template <class Passes>
  [[nodiscard]] Graph capture(Passes&& passes) {
    cudaGraph_t graph = nullptr;
    cudaGraphExec_t handle = nullptr;
    zero::check_cuda(cudaStreamBeginCapture(stream_, cudaStreamCaptureModeThreadLocal), "cudaStreamBeginCapture");
    try {
      passes();
    } catch (...) {
      (void)cudaStreamEndCapture(stream_, &graph);
      if (graph != nullptr) (void)cudaGraphDestroy(graph);
      throw;
    }
    zero::check_cuda(cudaStreamEndCapture(stream_, &graph), "cudaStreamEndCapture");
    auto const code = cudaGraphInstantiate(&handle, graph, 0);
    (void)cudaGraphDestroy(graph);
    zero::check_cuda(code, "cudaGraphInstantiate");
    return Graph(handle);
  }
  void launch(Graph const& graph) { zero::check_cuda(cudaGraphLaunch(graph.handle(), stream_), "cudaGraphLaunch"); }

 private:
  cudaStream_t stream_;
};

}  // namespace

TEST_CASE("gpt2 on a GPU: LayerNorm forward and backward") {
  for_types([]<class T>(T) {
    for (auto const e : extents) check_norm<T>(e);
  });
}

TEST_CASE("gpt2 on a GPU: biases, GELU and sums of columns") {
  for_types([]<class T>(T) {
    for (auto const e : extents) check_row_by_row<T>(e);
  });
}

TEST_CASE("gpt2 on a GPU: embeddings and their gradients") {
  for_types([]<class T>(T) { check_embedding<T>(); });
}

TEST_CASE("gpt2 on a GPU: positions are grouped by token as the host groups them") {
  CudaDevice device(0);
  check_token_groups(device);
}

TEST_CASE("gpt2 on a GPU: columns move into heads and back") {
  for_types([]<class T>(T) { check_heads<T>(); });
}

TEST_CASE("gpt2 on a GPU: causal softmax and its gradient") {
  for_types([]<class T>(T) {
    for (std::uint32_t const length : {1U, 7U, 133U, 300U}) check_softmax<T>(length);
  });
}

TEST_CASE("gpt2 on a GPU: cross-entropy, its mean and its gradient scaled on the device") {
  for_types([]<class T>(T) {
    check_cross_entropy<T>(1, 1), check_cross_entropy<T>(14, 65), check_cross_entropy<T>(300, 1000);
  });
}

TEST_CASE("gpt2 on a GPU: products of every form, one and several at a time") {
  CudaDevice device(0);
  for (bool const a : {false, true}) {
    for (bool const b : {false, true}) {
      for (bool const adds : {false, true}) {
        for (std::size_t const count : {1U, 3U}) {
          INFO("transposed " << a << b << ", adds " << adds << ", count " << count);
          check_product<float, float>(device, a, b, adds, count);
          check_product<zero::bfloat16, float>(device, a, b, adds, count);
          check_product<zero::bfloat16, zero::bfloat16>(device, a, b, adds, count);
          check_product<zero::float16, float>(device, a, b, adds, count);
          check_product<zero::float16, zero::float16>(device, a, b, adds, count);
        }
      }
    }
  }
}

TEST_CASE("gpt2 on a GPU: loss and every gradient are the host model's") {
  for (auto const& shape : {tiny, odd, even}) CHECK(distance_from_host<float>(shape, 8.0F).largest < 1e-4);
}

TEST_CASE("gpt2 on a GPU: 16-bit gradients are those of fp32 within the rounding of their type") {
  for (auto const& shape : {tiny, even}) {
    // Values between products are rounded too: some ten times, each half a unit in the last of 8 or 11 bits.
    double const bf16 = distance_from_host<zero::bfloat16>(shape, 1.0F).norm;
    double const fp16 = distance_from_host<zero::float16>(shape, 1024.0F).norm;
    CHECK(bf16 < 0.03);
    CHECK(bf16 > 1e-4);
    CHECK(fp16 < 0.004);
    CHECK(fp16 > 1e-5);
  }
}

TEST_CASE("gpt2 on a GPU: the same bits again, on another stream and with other work beside it") {
  for_types([]<class T>(T) {
    CudaDevice first(0), second(0);
    DeviceModelRun<T, CudaDevice> one(even, 3, first), two(even, 3, second);
    double const loss = one.forward();
    one.backward(1.0F, false);
    auto const bits = one.gradients();
    for (int repeat = 0; repeat < 3; ++repeat) {
      one.forward_blocks();  // runs while the other one does
      CHECK(two.forward() == loss);
      two.backward(1.0F, false);
      CHECK(same_bits(two.gradients(), bits));
    }
  });
}

TEST_CASE("gpt2 on a GPU: a recorded step has the bits of ordinary passes over the same tokens") {
  for_types([]<class T>(T) {
    CudaDevice device(0);
    check_recorded_step<T, GraphRecorder>(device, even);
  });
}

TEST_CASE("gpt2 on a GPU: dropout drops what the host's drops") {
  for (auto const& shape : {tiny, odd, even}) CHECK(distance_from_host<float>(shape, 8.0F, 0.3).largest < 1e-4);
  CHECK(distance_from_host<zero::bfloat16>(even, 1.0F, 0.3).norm < 0.03);
}

TEST_CASE("gpt2 on a GPU: what is computed again has the bits of what was kept, with dropout, too") {
  using gpt2::Recompute;
  for_types([]<class T>(T) {
    CudaDevice device(0);
    auto const gradients = [&](gpt2::ActivationSettings settings) {
      settings.dropout = true;
      DeviceModelRun<T, CudaDevice> run(deep, 3, device, settings);
      for (std::uint64_t k = 0; k < 2; ++k) {
        run.model().set_dropout({0.25, 3, 4, k});
        static_cast<void>(run.forward());
        run.backward(1.0F, k != 0);
      }
      return run.gradients();
    };
    auto const kept = gradients({});
    CHECK(same_bits(gradients({.recompute = Recompute::selective}), kept));
    CHECK(same_bits(gradients({.recompute = Recompute::block}), kept));
    CHECK(same_bits(gradients({.recompute = Recompute::block, .kept_inputs = 2}), kept));
    CHECK(same_bits(gradients({.recompute = Recompute::block, .inputs_in_host_memory = true}), kept));
  });
}

TEST_CASE("gpt2 on a GPU: a recorded step that computes again has the bits of ordinary passes") {
  for (auto const kind : {gpt2::Recompute::selective, gpt2::Recompute::block}) {
    CudaDevice device(0);
    check_recorded_step<zero::bfloat16, GraphRecorder>(device, even, {.recompute = kind});
  }
}
