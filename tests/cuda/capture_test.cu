// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "cuda/on_device.cuh"

#include <doctest/doctest.h>

#include <stdexcept>
#include <string>
#include <vector>

namespace cuda_capture_test {

// A step that is recorded and replayed against the same step taken as usual.

namespace {

using cuda_test::DeviceArray;
using cuda_test::for_each;
using Prec = zero::Precision<zero::FP16, zero::DynamicScale>;
template <zero::Stage S, class Offload = zero::NoOffload, class Communicator = zero::SelfCommunicator>
using EngineOf =
    zero::Engine<zero::Partitioner<S>, zero::Optimizer<zero::AdamW, Offload>, Prec, zero::CudaBackend, Communicator>;

/// A gradient that depends on the step, which a device counts, so that a recorded kernel computes another one each
/// time.
struct Gradient {
  zero::float16 const* values;
  float const* scale;
  unsigned const* micro_batch;
  zero::float16* target;
  bool adds;
  std::size_t parameter;

  __device__ void operator()(std::size_t i) const {
    float const g = reference::gradient(zero::widen(values[i]), *micro_batch, 0, parameter, 0, i);
    bool const overflows = *micro_batch == 7 && parameter == 1 && i == 5;
    auto const scaled = zero::narrow<zero::float16>(overflows ? 1e9F : *scale * g);
    target[i] = adds ? zero::narrow<zero::float16>(zero::widen(target[i]) + zero::widen(scaled)) : scaled;
  }
};
struct CountUp {
  unsigned* counter;
  __device__ void operator()(std::size_t) const { ++*counter; }
};

struct Outcome {
  std::vector<std::vector<float>> values;
  std::vector<std::vector<float>> moments;
  std::vector<zero::StepReport> reports;
  zero::Traffic traffic;
};

constexpr int accumulation = 2;
std::vector<std::size_t> const sizes{700, 3000, 40, 129};

template <class Engine>
class Model {
 public:
  template <class Communicator>
  explicit Model(Communicator& communicator)
      : counter_(std::vector<unsigned>(1)),
        work_(communicator, 1),
        stream_(work_.stream(0)),
        engine_(communicator, parameters(),
                {.gradient_accumulation_steps = accumulation,
                 .gradient_clipping = 0.5,
                 .bucket_elements = 1024,
                 .scale = {.initial = 1024.0F, .window = 2, .hysteresis = 1}}) {
    for (std::uint32_t p = 0; p < sizes.size(); ++p) {
      std::vector<float> values(sizes[p]);
      for (std::size_t i = 0; i < values.size(); ++i) values[i] = reference::initial_value(p, i);
      engine_.write_parameter("p" + std::to_string(p), values);
    }
  }

  static zero::ParameterList parameters() {
    zero::ParameterList list;
    for (std::size_t p = 0; p < sizes.size(); ++p) {
      (void)list.add({.name = "p" + std::to_string(p), .shape = {sizes[p]}, .unit = static_cast<int>(p)});
    }
    return list;
  }

  void micro_batches() {
    for (int a = 0; a < accumulation; ++a) {
      auto micro_batch = engine_.begin_micro_batch(stream_);
      for (std::uint32_t p = 0; p < sizes.size(); ++p) (void)engine_.gather(zero::ParameterId{p}, stream_);
      for (auto p = static_cast<std::uint32_t>(sizes.size()); p-- > 0;) backward({p});
      micro_batch.finish(stream_);
      for_each(1, CountUp{counter_.data()}, stream_, "count up");
    }
  }
  void step_as_usual(double lr) {
    micro_batches();
    outcome_.reports.push_back(engine_.step({.lr = lr}, stream_).get());
  }
  void take(typename Engine::Ticket ticket) { outcome_.reports.push_back(ticket.get()); }

  [[nodiscard]] Outcome finish() {
    for (std::size_t p = 0; p < sizes.size(); ++p) {
      outcome_.values.push_back(engine_.read_parameter("p" + std::to_string(p)));
      outcome_.moments.push_back(engine_.read_state("p" + std::to_string(p), 1));
    }
    outcome_.traffic = engine_.traffic();
    return outcome_;
  }
  [[nodiscard]] Engine& engine() { return engine_; }
  [[nodiscard]] zero::CudaStream stream() const { return stream_; }

 private:
  void backward(zero::ParameterId id) {
    auto const weights = engine_.gather(id, stream_);
    auto gradients = engine_.gradients(id, stream_);
    auto const target = gradients.write(id);
    work_.launch(stream_, "backward", {}, target.values.size(),
                 Gradient{weights[id].data(), engine_.loss_scale().data(), counter_.data(), target.values.data(),
                          target.adds, id.index});
    gradients.ready(stream_);
  }

  DeviceArray<unsigned> counter_;
  cuda_test::OnDevice work_;
  zero::CudaStream stream_;
  Engine engine_;
  Outcome outcome_;
};

constexpr int steps = 9;
double lr_of(int step) { return 0.02 / (step + 1); }

template <class Engine>
Outcome take_steps(bool recorded) {
  zero::SelfCommunicator self;
  Model<Engine> model(self);
  model.step_as_usual(lr_of(0));
  if (!recorded) {
    for (int step = 1; step < steps; ++step) model.step_as_usual(lr_of(step));
    return model.finish();
  }
  auto const captured = model.engine().capture(model.stream(), [&] {
    model.micro_batches();
    auto const ticket = model.engine().step(model.stream());
    CHECK_THROWS_AS((void)ticket.get(), zero::SequenceError);
    CHECK_THROWS_AS((void)ticket.try_get(), zero::SequenceError);
  });
  for (int step = 1; step < steps; ++step) model.take(captured.replay({.lr = lr_of(step)}, model.stream()));
  return model.finish();
}

template <zero::Stage S>
void check_stage() {
  auto const expected = take_steps<EngineOf<S>>(false), actual = take_steps<EngineOf<S>>(true);
  CHECK(actual.values == expected.values);
  CHECK(actual.moments == expected.moments);
  CHECK(actual.traffic == expected.traffic);
  REQUIRE(actual.reports.size() == expected.reports.size());
  bool skipped = false;
  for (std::size_t i = 0; i < expected.reports.size(); ++i) {
    auto const &a = actual.reports[i], &e = expected.reports[i];
    CHECK((a.step == e.step && a.skipped == e.skipped && a.skipped_steps == e.skipped_steps));
    CHECK((a.gradient_norm == e.gradient_norm && a.clip_coefficient == e.clip_coefficient));
    CHECK((a.loss_scale == e.loss_scale && a.bad_parameter == e.bad_parameter));
    skipped = skipped || e.skipped;
  }
  CHECK(skipped);
}

}  // namespace

TEST_CASE("cuda capture: replayed steps have the bits of ordinary ones, an overflow included, in every stage") {
  check_stage<zero::Stage::none>(), check_stage<zero::Stage::optimizer_states>();
  check_stage<zero::Stage::gradients>(), check_stage<zero::Stage::parameters>();
}

TEST_CASE("cuda capture: ordinary steps, evaluation and replays take turns") {
  using Engine = EngineOf<zero::Stage::parameters>;
  auto const expected = take_steps<Engine>(false);
  zero::SelfCommunicator self;
  Model<Engine> model(self);
  model.step_as_usual(lr_of(0));
  auto const captured = model.engine().capture(model.stream(), [&] {
    model.micro_batches();
    (void)model.engine().step(model.stream());
  });
  cuda_test::OnDevice other(self, 1);
  for (int step = 1; step < steps; ++step) {
    if (step % 2 == 0) {
      model.step_as_usual(lr_of(step));
    } else {
      model.take(captured.replay({.lr = lr_of(step)}, model.stream()));
    }
    auto const weights = model.engine().gather(zero::ParameterId{1}, other.stream(0));
    CHECK(other.fetch(other.stream(0), weights[zero::ParameterId{1}]).size() == sizes[1]);
  }
  auto const actual = model.finish();
  CHECK(actual.values == expected.values);
  CHECK(actual.moments == expected.moments);
}

TEST_CASE("cuda capture: what cannot be recorded is refused in a sentence, and changes nothing") {
  zero::SelfCommunicator self;
  {
    Model<EngineOf<zero::Stage::gradients>> model(self);
    auto const record = [&](auto body) { (void)model.engine().capture(model.stream(), body); };
    CHECK_THROWS_WITH_AS(record([] {}), doctest::Contains("before the first step"), zero::SequenceError);
    model.step_as_usual(0.1);
    CHECK_THROWS_WITH_AS(record([] {}), doctest::Contains("not 0 steps"), zero::SequenceError);
    CHECK_THROWS_AS(record([&] { model.micro_batches(); }), zero::SequenceError);
    CHECK_THROWS_AS(record([] { throw std::domain_error("the caller's own"); }), std::domain_error);
    model.step_as_usual(0.1);
  }
  {
    Model<EngineOf<zero::Stage::gradients, zero::CpuOffload>> model(self);
    model.step_as_usual(0.1);
    CHECK_THROWS_WITH_AS((void)model.engine().capture(model.stream(), [] {}), doctest::Contains("offload"),
                         zero::ConfigurationError);
  }
  zero::run_ranks(2, [](zero::ThreadCommunicator& communicator) {
    Model<EngineOf<zero::Stage::gradients, zero::NoOffload, zero::ThreadCommunicator>> model(communicator);
    model.step_as_usual(0.1);
    CHECK_THROWS_WITH_AS((void)model.engine().capture(model.stream(), [] {}), doctest::Contains("meet on the host"),
                         zero::ConfigurationError);
  });
}

TEST_CASE("cuda: adopted buffers in host memory are refused by the name of their parameter") {
  zero::SelfCommunicator self;
  std::vector<zero::float16> on_host(10);
  zero::ParameterList list;
  (void)list.add({.name = "here", .shape = {10}, .values = zero::adopt(on_host.data(), 10)});
  using Engine = EngineOf<zero::Stage::gradients>;
  CHECK_THROWS_WITH_AS(Engine(self, list), doctest::Contains("'here' has adopted host memory"),
                       zero::ConfigurationError);
  typename Engine::Config config;
  config.backend.device = 1000;
  CHECK_THROWS_WITH_AS(Engine(self, list, config), doctest::Contains("device 1000 of"), zero::ConfigurationError);
}

TEST_CASE("cuda: an allocation that fails in the middle of construction gives all back and says what to do") {
  zero::SelfCommunicator self;
  zero::ParameterList list;
  (void)list.add({.name = "huge", .shape = {std::size_t{1} << 40}});
  using Engine = EngineOf<zero::Stage::none>;
  std::size_t before = 0, after = 0, total = 0;
  zero::check_cuda(cudaMemGetInfo(&before, &total), "cudaMemGetInfo");
  CHECK_THROWS_WITH_AS(Engine(self, list), doctest::Contains("choose a higher stage"), zero::CudaError);
  zero::check_cuda(cudaMemGetInfo(&after, &total), "cudaMemGetInfo");
  CHECK(after >= before);
}

}  // namespace cuda_capture_test
