// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "fake_cuda/nccl_recording.hpp"

#include "fake_cuda/device_values.hpp"
#include "fake_cuda/host_kernels.cuh"
#include "fake_cuda/nccl_ranks.hpp"
#include "fake_cuda/small_training.cuh"

#include <zero/joint_step.hpp>
#include <zero/point_to_point.hpp>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace fake_cuda {
namespace {

using zero::CudaStream;
using zero::NcclCommunicator;

constexpr std::size_t elements = 300;
constexpr int steps = 3;  // of each engine after the recording

void add_kernels() {
  [[maybe_unused]] static bool const added = [] {
    add_host_kernels<zero::AdamW, zero::DynamicScale, zero::float16, float>();
    return true;
  }();
}

/// An engine of two parameters, and the work of its micro-batches.
template <class Engine>
class Model {
 public:
  template <class Communicator>
  Model(Communicator& communicator, OnCudaStreams& work, std::string const& name, double clipping = 1.0)
      : work_(work), engine_(communicator, parameters(name), config(work, clipping)) {}

  [[nodiscard]] Engine& engine() { return engine_; }

  template <class Between>
  void micro_batch(CudaStream stream, Between const& between) {
    auto micro_batch = engine_.begin_micro_batch(stream);
    forward(stream);
    between();
    backward(stream);
    micro_batch.finish(stream);
  }
  void micro_batch(CudaStream stream) {
    micro_batch(stream, [] {});
  }
  void forward(CudaStream stream) {
    for (std::uint32_t p : {0U, 1U}) read(p, stream);
  }
  void backward(CudaStream stream) { backward(stream, engine_.loss_scale().data()); }
  void backward(CudaStream stream, float const* loss_scale) {
    for (std::uint32_t p : {1U, 0U}) {
      read(p, stream);
      auto gradients = engine_.gradients(zero::ParameterId{p}, stream);
      auto const target = gradients.write({p});
      std::span const scale(loss_scale, 1);
      work_.launch(stream, "backward", {engine_test::reads(scale), engine_test::writes(target.values)}, elements,
                   [=](std::size_t i) {
                     float const g = scale[0] * static_cast<float>(1 + (i * 7 + p) % 11);
                     target.values[i] =
                         zero::narrow<zero::float16>(target.adds ? zero::widen(target.values[i]) + g : g);
                   });
      gradients.ready(stream);
    }
  }
  void step(CudaStream stream) {
    micro_batch(stream);
    (void)engine_.step({.lr = 0.1}, stream).get();
  }
  void read_all(Recorded& into) {
    for (std::uint32_t p : {0U, 1U}) {
      into.values.push_back(engine_.read_parameter(zero::ParameterId{p}));
      into.moments.push_back(engine_.read_state(zero::ParameterId{p}, 1));
    }
  }
  [[nodiscard]] static zero::ParameterList parameters(std::string const& name) {
    zero::ParameterList list;
    (void)list.add({.name = name + "a", .shape = {elements}, .unit = 0});
    (void)list.add({.name = name + "b", .shape = {elements}, .unit = 1});
    return list;
  }
  [[nodiscard]] static typename Engine::Config config(OnCudaStreams& work, double clipping) {
    typename Engine::Config config{.gradient_clipping = clipping, .bucket_elements = 256};
    config.scale = typename zero::DynamicScale::Config{.initial = 8.0F, .window = 2, .hysteresis = 1};
    config.backend = {.device = work.stream(0).device(), .host_threads = 1};
    return config;
  }

 private:
  void read(std::uint32_t p, CudaStream stream) {
    auto const weights = engine_.gather(zero::ParameterId{p}, stream);
    work_.look_at(stream, weights[{p}]);
  }

  OnCudaStreams& work_;
  Engine engine_;
};

/// Makes \p call, which is to be refused: what else it throws passes.
template <class Call>
void intrude(Recorded& seen, std::string const& name, Call const& call) {
  Intrusion made{name, ""};
  try {
    call();
  } catch (zero::SequenceError const& error) {
    made.refused = error.what();
  }
  seen.intrusions.push_back(std::move(made));
}

/// One rank: "recording" takes the captured step, "other" is an engine of a group of the same world.
template <zero::Stage S>
class Rank {
 public:
  using Engine = EngineOf<S, zero::NoOffload, NcclCommunicator>;

  Rank(NcclCommunicator& world, RecordingRun const& run, Recorded& seen)
      : run_(run),
        seen_(seen),
        world_(world),
        group_(*world.split(0, world.rank())),
        work_(world, 2),
        one_(work_.stream(0)),
        two_(work_.stream(1)),
        words_(std::vector<std::uint64_t>(1, 1)),
        floats_(std::vector<float>(elements * static_cast<std::size_t>(world.size()))),
        recording_(world, work_, "recording", run.records_jointly ? 0.0 : 1.0),
        other_(std::make_unique<Model<Engine>>(group_, work_, "other")) {
    if (!run.records_jointly) return;
    member_.emplace(group_, work_, "member", 0.0);
    joint_.emplace(world_, std::vector{recording_.engine().member("recording"), member_->engine().member("member")});
  }

  void train() {
    take_step();
    other_->step(two_);
    auto const state = other_->engine().state();
    state_ = state.get();
    auto const others = other_->engine().capture(two_, [&] { step_other(); });
    replay_other_ = [&] { (void)others.replay({.lr = 0.1}, one_); };
    (void)others.replay({.lr = 0.1}, two_).get();
    if (run_.opens) {
      (void)open_.emplace(other_->engine().begin_micro_batch(two_));
      (void)lease_.emplace(other_->engine().gradients(zero::ParameterId{1}, two_));
      (void)lease_->write({1});
    }
    run_.records_jointly ? record_and_replay<true>() : record_and_replay<false>();
    if (run_.opens) other_->engine().discard_gradients();
    if (!other_) other_ = std::make_unique<Model<Engine>>(group_, work_, "other");
    for (int step = 0; step < steps; ++step) other_->step(two_);
    read();
    world_.exchange({}, {});  // nobody leaves before all have come here
  }

 private:
  template <bool jointly>
  void record_and_replay() {
    intrudes_ = true;
    if (run_.lets_through || run_.destroys || run_.leaves_open) {
      try {
        (void)capture<jointly>();
      } catch (zero::Error const& error) {
        seen_.capture_refused = error.what();
      }
      intrudes_ = false;
    }
    auto const captured = capture<jointly>();
    intrudes_ = false;
    for (int step = 0; step < steps; ++step) (void)captured.replay({}, one_).get();
  }
  template <bool jointly>
  [[nodiscard]] auto capture() {
    auto const body = [&] {
      at(When::before);
      take_micro_batch();
      if (run_.sums) world_.all_reduce(words_.data(), 1, {"words"}, one_);
      (void)step_recorded();
      at(When::after_step);
    };
    if constexpr (jointly) {
      return joint_->capture(one_, body);
    } else {
      return recording_.engine().capture(one_, body);
    }
  }
  auto step_recorded() { return joint_ ? joint_->step(one_) : recording_.engine().step(one_); }
  void take_step() {
    take_micro_batch();
    (void)step_recorded().get();
  }
  void take_micro_batch() {
    if (!joint_) return recording_.micro_batch(one_, [&] { at(When::inside_micro_batch); });
    auto micro_batch = joint_->begin_micro_batch(one_);
    recording_.forward(one_), member_->forward(one_);
    at(When::inside_micro_batch);
    auto const* const scale = joint_->loss_scale().data();
    recording_.backward(one_, scale), member_->backward(one_, scale);
    micro_batch.finish(one_);
  }
  void step_other() {
    other_->micro_batch(two_);
    (void)other_->engine().step({.lr = 0.1}, two_);
  }

  // Calls that are refused, where they are to come, by this rank.
  void at(When when) {
    if (!intrudes_ || when != run_.intrudes || (run_.only_rank_0 && world_.rank() > 0)) return;
    if (run_.destroys) return other_.reset();
    if (run_.leaves_open) return draw_in(two_);
    if (run_.lets_through) return call_one();
    if (run_.opens) return call_opened();
    call_others();
    call_communicators();
    if (when == When::before) call_recording();
  }
  // Nothing that is recorded waits for that stream.
  void draw_in(CudaStream stream) {
    zero::CudaEvent reached;
    one_.record(reached);
    stream.wait(reached);
    stream.zero(floats_.data(), sizeof(float));
  }
  void call_one() { (void)other_->engine().read_parameter(zero::ParameterId{0}); }
  void call_opened() {
    intrude(seen_, "zero::Engine: a lease of gradients", [&] { (void)lease_->write({1}); });
    intrude(seen_, "zero::Engine: ready", [&] { lease_->ready(two_); });
    intrude(seen_, "zero::Engine: finish", [&] { open_->finish(two_); });
  }
  void call_others() {
    auto& other = other_->engine();
    zero::ParameterId const a{0};
    std::vector<float> const values(elements);
    std::span const device(floats_.data(), elements);
    for (auto [stream, on] : {std::pair{one_, " on the stream that is recorded"}, {two_, " on another stream"}}) {
      auto const called = [&](char const* name) { return "zero::Engine: " + std::string(name) + on; };
      intrude(seen_, called("begin_micro_batch"), [&] { (void)other.begin_micro_batch(stream); });
      intrude(seen_, called("gather"), [&] { (void)other.gather(a, stream); });
      intrude(seen_, called("broadcast"), [&] { other.broadcast(device, 0, stream); });
      intrude(seen_, called("capture"), [&] { (void)other.capture(stream, [] {}); });
    }
    intrude(seen_, "zero::Engine: replay", [&] { replay_other_(); });
    intrude(seen_, "zero::Engine: discard_gradients", [&] { other.discard_gradients(); });
    intrude(seen_, "zero::Engine: finish_update", [&] { other.finish_update(); });
    intrude(seen_, "zero::Engine: mean_over_ranks", [&] { (void)other.mean_over_ranks(1.0); });
    intrude(seen_, "zero::Engine: read_parameter", [&] { (void)other.read_parameter(a); });
    intrude(seen_, "zero::Engine: write_parameter", [&] { other.write_parameter(a, values); });
    intrude(seen_, "zero::Engine: read_state", [&] { (void)other.read_state(a, 0); });
    intrude(seen_, "zero::Engine: write_state", [&] { other.write_state(a, 0, values); });
    intrude(seen_, "zero::Engine: take_adopted_values", [&] { other.take_adopted_values(); });
    intrude(seen_, "zero::Engine: state", [&] { (void)other.state(); });
    intrude(seen_, "zero::NcclCommunicator: exchange of a state", [&] { state_->exchange({}, {}); });
    auto const range = state_->owned_ranges().at(0);
    std::vector<std::byte> bytes(range.count * sizeof(float));
    intrude(seen_, "zero::Engine: a read of states", [&] { state_->read(range, 0, bytes); });
    intrude(seen_, "zero::Engine: a load of states", [&] { state_->begin_load(); });
    intrude(seen_, "zero::NcclCommunicator: exchange of a new engine",
            [&] { Model<Engine> const made(group_, work_, "new"); });
    intrude(seen_, "zero::NcclCommunicator: exchange of a new joint step",
            [&] { zero::JointStep const made(group_, {other.member("other")}); });
  }
  void call_communicators() {
    auto const stream = group_.communication_stream(group_.device());
    std::size_t const n = elements;
    float* const all = floats_.data();
    int const peer = world_.rank() ^ 1;
    zero::CollectivePurpose const purpose{"a call by hand"};
    for (auto* c : {&world_, &group_}) {
      auto const own = static_cast<std::size_t>(c->rank()) * n;
      intrude(seen_, "zero::NcclCommunicator: all_gather", [&] { c->all_gather(all + own, all, n, purpose, stream); });
      intrude(seen_, "zero::NcclCommunicator: all_reduce", [&] { c->all_reduce(words_.data(), 1, purpose, stream); });
      intrude(seen_, "zero::NcclCommunicator: exchange", [&] { c->exchange({}, {}); });
      intrude(seen_, "zero::NcclCommunicator: split", [&] { (void)c->split(0, 0); });
      intrude(seen_, "zero::NcclCommunicator: register_buffer", [&] { (void)c->register_buffer(all, n); });
      intrude(seen_, "zero::NcclCommunicator: all_to_all",
              [&] { c->all_to_all(all, all + n / 2, n / 4, purpose, stream); });
      intrude(seen_, "zero::NcclCommunicator: reduce_scatter_add",
              [&] { c->reduce_scatter_add(all, all, n / 4, {.order = zero::SumOrder::by_rank}, purpose, stream); });
      std::vector const to_itself{zero::Transfer::send(all, 1, c->rank()),
                                  zero::Transfer::receive(all + 1, 1, c->rank())};
      intrude(seen_, "zero::NcclCommunicator: transfer", [&] { c->transfer(to_itself, purpose, stream); });
      if (c->size() == 1) continue;
      intrude(seen_, "zero::NcclCommunicator: send", [&] { c->send(all, n, peer, purpose, stream); });
      intrude(seen_, "zero::NcclCommunicator: receive", [&] { c->receive(all, n, peer, purpose, stream); });
    }
  }
  // What the engine that records cannot do meanwhile.
  void call_recording() {
    auto& engine = recording_.engine();
    zero::ParameterId const a{0};
    std::vector<float> const values(elements);
    intrude(seen_, "zero::Engine: mean_over_ranks", [&] { (void)engine.mean_over_ranks(1.0); });
    intrude(seen_, "zero::Engine: broadcast", [&] { engine.broadcast(std::span(floats_.data(), elements), 0, one_); });
    intrude(seen_, "zero::Engine: read_parameter", [&] { (void)engine.read_parameter(a); });
    intrude(seen_, "zero::Engine: write_parameter", [&] { engine.write_parameter(a, values); });
    intrude(seen_, "zero::Engine: take_adopted_values", [&] { engine.take_adopted_values(); });
    intrude(seen_, "zero::Engine: state", [&] { (void)engine.state(); });
    if (!joint_) intrude(seen_, "zero::LossScale: value", [&] { (void)engine.loss_scale().value(); });
    if (joint_) {
      intrude(seen_, "zero::LossScale: value", [&] { (void)joint_->loss_scale().value(); });
      intrude(seen_, "zero::JointStep: state", [&] { (void)joint_->state(); });
      intrude(seen_, "zero::JointStep: capture", [&] { (void)joint_->capture(one_, [] {}); });
    } else {
      intrude(seen_, "zero::Engine: capture", [&] { (void)engine.capture(one_, [] {}); });
    }
  }

  void read() {
    recording_.read_all(seen_);
    if (member_) member_->read_all(seen_);
    other_->read_all(seen_);
    if (run_.sums) seen_.sums = fetch(words_.data(), 1);
  }

  RecordingRun const& run_;
  Recorded& seen_;
  NcclCommunicator& world_;
  NcclCommunicator group_;
  OnCudaStreams work_;
  CudaStream one_, two_;
  DeviceValues<std::uint64_t> words_;
  DeviceValues<float> floats_;
  Model<Engine> recording_;
  std::optional<Model<Engine>> member_;
  std::unique_ptr<Model<Engine>> other_;
  std::optional<zero::JointStep<zero::CudaBackend, NcclCommunicator>> joint_;
  std::function<void()> replay_other_;
  std::optional<zero::MicroBatch<CudaStream>> open_;
  std::optional<typename Engine::Gradients> lease_;
  zero::EngineState* state_ = nullptr;
  bool intrudes_ = false;
};

/// One rank of two engines on one communicator.
template <zero::Stage S>
class TwoEngines {
 public:
  using Engine = EngineOf<S, zero::NoOffload, NcclCommunicator>;

  explicit TwoEngines(NcclCommunicator& world)
      : world_(world), work_(world, 2), stream_(work_.stream(0)), a_(world, work_, "a"), b_(world, work_, "b") {
    a_.step(stream_), b_.step(stream_);
  }

  void train(Swapped swapped, bool replays_alone) {
    auto const is_swapped = [&](Swapped what) { return what == swapped && world_.rank() == world_.size() - 1; };
    bool const records = swapped == Swapped::replays || (replays_alone && world_.rank() == 0);
    std::optional<zero::CapturedStep<zero::CudaBackend>> of_a, of_b;
    if (records) of_a = capture(a_), of_b = capture(b_);
    for (int step = 0; step < steps; ++step) {
      if (records) {
        in_order(
            is_swapped(Swapped::replays), [&] { a_ticket_ = of_a->replay(options, stream_); },
            [&] { b_ticket_ = of_b->replay(options, stream_); });
      } else if (swapped == Swapped::micro_batches) {
        in_order(
            is_swapped(swapped), [&] { a_.micro_batch(stream_); }, [&] { b_.micro_batch(stream_); });
        a_ticket_ = a_.engine().step(options, stream_), b_ticket_ = b_.engine().step(options, stream_);
      } else {  // as they were recorded
        a_.micro_batch(stream_), a_ticket_ = a_.engine().step(options, stream_);
        b_.micro_batch(stream_), b_ticket_ = b_.engine().step(options, stream_);
      }
      (void)a_ticket_->get(), (void)b_ticket_->get();
    }
  }

 private:
  static constexpr zero::StepOptions options{.lr = 0.1};

  [[nodiscard]] auto capture(Model<Engine>& model) {
    return model.engine().capture(stream_, [&] {
      model.micro_batch(stream_);
      (void)model.engine().step(options, stream_);
    });
  }
  template <class First, class Second>
  static void in_order(bool backwards, First const& first, Second const& second) {
    if (backwards) second();
    first();
    if (!backwards) second();
  }

  NcclCommunicator& world_;
  OnCudaStreams work_;
  CudaStream stream_;
  Model<Engine> a_, b_;
  std::optional<typename Engine::Ticket> a_ticket_, b_ticket_;
};

}  // namespace
}  // namespace fake_cuda

std::vector<std::string> fake_cuda::train_two_engines(zero::Stage stage, Swapped swapped, bool replays_alone) {
  add_kernels();
  constexpr int world = 2;
  std::vector<std::string> thrown(world);
  std::atomic<int> mismatched{0};
  auto const ends = on_nccl_ranks(world, {}, [&](NcclCommunicator& communicator) {
    try {
      if (stage == zero::Stage::parameters) {
        TwoEngines<zero::Stage::parameters>(communicator).train(swapped, replays_alone);
      } else {
        TwoEngines<zero::Stage::gradients>(communicator).train(swapped, replays_alone);
      }
      communicator.exchange({}, {});  // nobody leaves before all have come here
    } catch (zero::MismatchError const& error) {
      thrown[static_cast<std::size_t>(communicator.rank())] = error.what();
      ++mismatched;  // a slow rank is to be told before it sees that another one has gone
      for (int ms = 0; mismatched < world && ms < 60'000; ++ms) {
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
      }
    }
  });
  for (auto const& end : ends) {
    if (end.thrown) std::rethrow_exception(end.thrown);
  }
  return thrown;
}

std::vector<fake_cuda::Recorded> fake_cuda::record_among_others(RecordingRun const& run) {
  add_kernels();
  std::vector<Recorded> seen(static_cast<std::size_t>(run.world));
  auto const ends = on_nccl_ranks(run.world, {}, [&](NcclCommunicator& world) {
    auto& mine = seen[static_cast<std::size_t>(world.rank())];
    if (run.stage == zero::Stage::parameters) {
      Rank<zero::Stage::parameters>(world, run, mine).train();
    } else {
      Rank<zero::Stage::gradients>(world, run, mine).train();
    }
  });
  for (auto const& end : ends) {
    if (end.thrown) std::rethrow_exception(end.thrown);
  }
  return seen;
}

std::vector<std::string> fake_cuda::meet_inside_captures(bool all_record) {
  add_kernels();
  using Engine = EngineOf<zero::Stage::gradients, zero::NoOffload, zero::SelfCommunicator>;
  std::vector<std::string> thrown(2);
  try {
    zero::run_ranks(2, [&](zero::ThreadCommunicator& threads) {
      zero::SelfCommunicator self;
      OnCudaStreams work(self, 1);
      auto const stream = work.stream(0);
      DeviceValues<float> const all(std::vector<float>(2 * elements));
      float* const own = all.data() + static_cast<std::size_t>(threads.rank()) * elements;
      Model<Engine> recording(self, work, "recording");
      recording.step(stream);
      auto const meet = [&] { threads.all_gather(own, all.data(), elements, {"a call by hand"}, stream); };
      try {
        if (!all_record && threads.rank() > 0) return meet();
        (void)recording.engine().capture(stream, [&] {
          meet();
          recording.micro_batch(stream);
          (void)recording.engine().step({.lr = 0.1}, stream);
        });
      } catch (zero::Error const& error) {
        thrown[static_cast<std::size_t>(threads.rank())] = error.what();
        throw;
      }
    });
  } catch (zero::Error const&) {  // of either rank
  }
  return thrown;
}

fake_cuda::Recorded fake_cuda::record_beside_another(bool shares) {
  add_kernels();
  using Engine = EngineOf<zero::Stage::gradients, zero::NoOffload, zero::SelfCommunicator>;
  Recorded seen;
  zero::SelfCommunicator self;
  OnCudaStreams work(self, 2);
  Model<Engine> recording(self, work, "recording"), other(self, work, "other");
  recording.step(work.stream(0));
  auto const stream = work.stream(shares ? 0 : 1);
  auto const captured = recording.engine().capture(work.stream(0), [&] {
    intrude(seen, "zero::Engine: begin_micro_batch", [&] { other.step(stream); });
    intrude(seen, "zero::Engine: gather", [&] { other.forward(stream); });
    intrude(seen, "zero::Engine: capture", [&] { (void)other.engine().capture(stream, [] {}); });
    recording.micro_batch(work.stream(0));
    (void)recording.engine().step({.lr = 0.1}, work.stream(0));
  });
  for (int step = 0; step < steps; ++step) (void)captured.replay({.lr = 0.1}, work.stream(0)).get();
  if (shares) other.step(work.stream(1));
  recording.read_all(seen), other.read_all(seen);
  return seen;
}
