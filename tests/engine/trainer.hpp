// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "engine/runs.hpp"
#include "engine/work.hpp"

#include <zero/engine.hpp>
#include <zero/utility/fingerprint.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

namespace engine_test {

/// The reference's model on one rank's engine, trained as a user would, whose own work \p Work runs.
template <class Engine, class Communicator, class Work = AtOnce>
class Trainer {
 public:
  using Compute = typename Engine::Compute;
  using Stream = typename Engine::Stream;
  using Array = typename Work::template Array<Compute>;

  Trainer(Communicator& communicator, Run const& run)
      : communicator_(communicator),
        run_(run),
        model_(reference::model()),
        work_(communicator, run.streams),
        stream_(work_.stream(0)),
        engine_(communicator, parameters(), config()) {
    if (run.adopted) return;  // by its buffers, or from the list
    for (std::size_t p = 0; p < model_.parameters.size(); ++p) engine_.write_parameter(spec(p).name, initial_values(p));
  }

  [[nodiscard]] Result train() {
    check_books();
    std::uint64_t allocations = 0;
    for (int step = 0; step < run_.steps; ++step) {
      for (int a = 0; a < run_.rounds(); ++a) micro_batch(step, a);
      if (step == 0) read_gradients();
      result_.reports.push_back(engine_.step(stream_).get());
      if (run_.evaluates) evaluate();
      check_books();
      if (step == 0) allocations = engine_.backend().allocations();
    }
    engine_.finish_update();
    result_.steady = engine_.backend().allocations() == allocations;
    result_.traffic = engine_.traffic();
    result_.memory = engine_.memory();
    result_.layout = engine_.layout();
    read_all();
    return std::move(result_);
  }

 private:
  [[nodiscard]] reference::Parameter const& spec(std::size_t p) const { return model_.parameters[p]; }
  // At stage 3 adopted values are read at construction only.
  [[nodiscard]] bool keeps_adopted() const { return run_.adopted && Engine::stage != zero::Stage::parameters; }

  [[nodiscard]] std::vector<float> initial_values(std::size_t p) const {
    std::vector<float> values(spec(p).count);
    for (std::size_t i = 0; i < values.size(); ++i) values[i] = reference::initial_value(p, i);
    return values;
  }

  [[nodiscard]] zero::ParameterList parameters() {
    zero::ParameterList list;
    std::vector<zero::GroupId> groups{{}};
    for (std::size_t g = 1; g < model_.groups.size(); ++g) {
      groups.push_back(list.add_group({model_.groups[g].lr_factor, model_.groups[g].weight_decay}));
    }
    own_values_.resize(model_.parameters.size()), own_gradients_.resize(model_.parameters.size());
    initial_.resize(model_.parameters.size());
    for (std::size_t p = 0; p < model_.parameters.size(); ++p) ids_.push_back(list.add(registered(p, groups)));
    return list;
  }
  [[nodiscard]] zero::ParameterSpec registered(std::size_t p, std::vector<zero::GroupId> const& groups) {
    zero::ParameterSpec registered{.name = spec(p).name,
                                   .shape = {spec(p).count},
                                   .group = groups[spec(p).group],
                                   .contributions = spec(p).contributions,
                                   .unit = spec(p).unit,
                                   .frozen = spec(p).frozen};
    if (!run_.adopted) return registered;
    std::vector<Compute> values;
    for (float value : initial_values(p)) values.push_back(zero::narrow<Compute>(value));
    own_values_[p] = Array(values);
    own_gradients_[p] = Array(std::vector<Compute>(spec(p).count));
    if (keeps_adopted()) {
      registered.values = zero::adopt(own_values_[p].data(), spec(p).count);
    } else {
      for (auto value : values) initial_[p].push_back(zero::widen(value));
      registered.initial = initial_[p];
    }
    if (!spec(p).frozen) registered.gradients = zero::adopt(own_gradients_[p].data(), spec(p).count);
    return registered;
  }

  [[nodiscard]] typename Engine::Config config() {
    typename Engine::Config config{.micro_batches_per_step = run_.micro_batches,
                                   .allow_idle_ranks = run_.micro_batches.value_or(run_.world) < run_.world,
                                   .gradient_clipping = run_.clipping,
                                   .reduce = run_.reduce,
                                   .bucket_elements = run_.bucket_elements,
                                   .alignment_elements = run_.alignment_elements,
                                   .gradient_ring = run_.gradient_ring,
                                   .prefetch_units = run_.prefetch_units,
                                   .persistence_threshold = run_.persistence_threshold,
                                   .optimizer = {.lr = 0.01, .weight_decay = model_.groups[0].weight_decay}};
    work_.configure(config, run_);
    if (!run_.micro_batches) config.gradient_accumulation_steps = run_.accumulation;
    if (run_.shuffled) config.max_live_elements = SIZE_MAX;
    if constexpr (requires { config.scale.window; }) {  // one by one: nvcc 13 loses members of a list that skips some
      config.scale.initial = 1024.0F, config.scale.window = 2, config.scale.hysteresis = 1;
    }
    if constexpr (requires { config.offload.chunk_elements; }) {
      config.offload.chunk_elements = run_.chunk_elements;
      config.offload.device_share = run_.device_share;
      config.offload.delayed_update = run_.delayed_update;
    }
    return config;
  }

  void micro_batch(int step, int a) {
    auto micro_batch = engine_.begin_micro_batch(stream_);
    contributes_ = micro_batch.contributes();
    k_ = static_cast<std::uint64_t>(micro_batch.index());
    for (int unit = 0; unit <= last_unit; ++unit) {
      auto const weights = engine_.gather(unit_ids(unit), stream_);
      for (auto id : unit_ids(unit)) use(weights, id, stream_);
    }
    if (run_.shuffled) {
      backward_shuffled(step, a);
    } else {
      contribute(step, 0, 0);  // the tied parameter's other use
      for (int unit = last_unit; unit >= 0; --unit) backward(step, unit);
    }
    micro_batch.finish(stream_);
  }

  void backward(int step, int unit) {
    auto const weights = engine_.gather(unit_ids(unit), stream_);
    auto const& ids = unit_ids(unit);
    for (auto id = ids.rbegin(); id != ids.rend(); ++id) {
      if (!spec(id->index).frozen) contribute(step, id->index, spec(id->index).contributions - 1);
    }
  }

  // Gathers are collective, so that all must be held here.
  void backward_shuffled(int step, int a) {
    auto const weights = engine_.gather(ids_, stream_);
    contribute(step, 0, 0);
    std::vector<std::size_t> order;
    for (std::size_t p = 0; p < ids_.size(); ++p) {
      if (!spec(p).frozen) order.push_back(p);
    }
    for (std::size_t i = order.size(); i > 1; --i) {
      auto const seed = static_cast<std::uint64_t>((step * 64 + a) * 64 + communicator_.rank()) * 64 + i;
      std::swap(order[i - 1], order[reference::mix(seed) % i]);
    }
    for (auto p : order) contribute(step, p, spec(p).contributions - 1);
  }

  // Contributions to one gradient may come from several streams.
  void contribute(int step, std::size_t p, int contribution) {
    auto const id = ids_[p];
    bool const last = k_ + 1 == static_cast<std::uint64_t>(run_.total());
    bool const bad = step == run_.bad_step && last && p == 2;
    auto const streams = static_cast<std::size_t>(std::max(1, run_.streams - 1));
    auto const stream = work_.stream((p + static_cast<std::size_t>(contribution)) % streams);
    auto const weights = engine_.gather(id, stream);
    auto const values = weights[id];
    if (!contributes_) return hand_over_nan(p, stream);
    auto gradients = engine_.gradients(id, stream);
    auto const target = run_.zeroed ? zero::GradientTarget<Compute>{gradients[id], true} : gradients.write(id);
    std::span const scale(engine_.loss_scale().data(), 1);
    work_.launch(stream, "backward", {reads(values), reads(scale), writes(target.values)}, values.size(),
                 Backward<Compute>{values.data(), scale.data(), target.values.data(), target.adds,
                                   static_cast<std::uint64_t>(step), k_, p, contribution, bad ? 1700 : SIZE_MAX});
    gradients.ready(stream);
  }

  // What a rank without a micro-batch hands over, if anything, may not be used.
  void hand_over_nan(std::size_t p, Stream stream) {
    if (run_.absent == Absent::hands_over_nothing) return;
    if (run_.absent == Absent::hands_over_some_nan && p % 2 == 1) return;
    auto gradients = engine_.gradients(ids_[p], stream);
    auto const values = gradients.write(ids_[p]).values;
    work_.launch(stream, "NaN", {writes(values)}, values.size(), FillNan<Compute>{values.data()});
    gradients.ready(stream);
  }

  // On a stream of its own, where there are several: nothing else of the trainer orders it.
  void evaluate() {
    auto const stream = work_.stream(static_cast<std::size_t>(run_.streams - 1));
    for (int unit = 0; unit <= last_unit; ++unit) {
      auto const weights = engine_.gather(unit_ids(unit), stream);
      for (auto id : unit_ids(unit)) use(weights, id, stream);
    }
  }

  // A forward pass that leaves nothing behind but what it has seen of the parameters' sizes.
  void use(typename Engine::Lease const& weights, zero::ParameterId id, Stream stream) {
    work_.look_at(stream, weights[id]);
    result_.ranks_agree = result_.ranks_agree && weights[id].size() == spec(id.index).count;
  }

  void check_books() {
    for (auto kind : {zero::MemoryKind::device, zero::MemoryKind::pinned, zero::MemoryKind::pageable}) {
      auto const& backend = engine_.backend();
      bool const balanced = engine_.memory().bytes(kind) == backend.bytes_in_use(kind);
      result_.books_balance = result_.books_balance && balanced;
    }
  }

  void read_gradients() {
    for (std::size_t p = 0; p < model_.parameters.size(); ++p) {
      result_.gradients.push_back(spec(p).frozen ? std::vector<float>{} : engine_.read_gradient(spec(p).name));
    }
  }

  void read_all() {
    zero::Fingerprint hash;
    for (std::size_t p = 0; p < model_.parameters.size(); ++p) {
      auto const& name = spec(p).name;
      result_.values.push_back(engine_.read_parameter(name));
      compare_gathered(p, result_.values.back());
      result_.first_moments.push_back(spec(p).frozen ? std::vector<float>{} : engine_.read_state(name, 0));
      result_.second_moments.push_back(spec(p).frozen ? std::vector<float>{} : engine_.read_state(name, 1));
      for (auto const* all : {&result_.values, &result_.first_moments, &result_.second_moments}) {
        hash.add(std::as_bytes(std::span(all->back())));
      }
    }
    for (auto const& report : result_.reports) {
      hash.add(report.step), hash.add(report.skipped), hash.add(report.gradient_norm),
          hash.add(report.clip_coefficient);
      hash.add(report.loss_scale);
      hash.add(std::as_bytes(std::span(report.bad_parameter)));
    }
    hash.add(engine_.loss_scale().value());
    result_.hash = hash.value();
  }

  void compare_gathered(std::size_t p, std::vector<float> const& master) {
    auto const weights = engine_.gather(ids_[p], stream_);
    auto const gathered = work_.fetch(stream_, weights[ids_[p]]);
    auto const own = keeps_adopted()
                         ? work_.fetch(stream_, std::span<Compute const>(own_values_[p].data(), master.size()))
                         : gathered;
    for (std::size_t i = 0; i < master.size(); ++i) {
      float const expected = zero::widen(zero::narrow<Compute>(master[i]));
      bool const equal = zero::widen(gathered[i]) == expected && zero::widen(own[i]) == expected;
      result_.ranks_agree = result_.ranks_agree && equal;
    }
  }

  [[nodiscard]] std::vector<zero::ParameterId> const& unit_ids(int unit) {
    if (unit_ids_.empty()) unit_ids_.resize(last_unit + 1);
    auto& ids = unit_ids_[static_cast<std::size_t>(unit)];
    if (!ids.empty()) return ids;
    for (std::size_t p = 0; p < model_.parameters.size(); ++p) {
      if (spec(p).unit == unit) ids.push_back(ids_[p]);
    }
    return ids;
  }

  static constexpr int last_unit = 3;

  Communicator& communicator_;
  Run run_;
  reference::Model model_;
  std::vector<Array> own_values_, own_gradients_;
  std::vector<std::vector<float>> initial_;  // of stage 3, where values cannot be adopted
  std::vector<zero::ParameterId> ids_;
  std::vector<std::vector<zero::ParameterId>> unit_ids_;
  Work work_;
  Stream stream_;
  Engine engine_;
  Result result_;
  bool contributes_ = true;  // in this micro-batch
  std::uint64_t k_ = 0;      // its place in the step
};

/// The first rank's result, which tells of a rank that ended with something else.
[[nodiscard]] inline Result merged(std::vector<Result> results) {
  for (auto const& other : results) {
    results[0].ranks_agree = results[0].ranks_agree && other.ranks_agree && other.hash == results[0].hash;
    results[0].books_balance = results[0].books_balance && other.books_balance;
    results[0].steady = results[0].steady && other.steady;
  }
  return std::move(results[0]);
}

/// Runs one engine type on all ranks.
template <class Partition, class Opt, class Prec>
Result train_on(Run const& run) {
  std::vector<Result> results(static_cast<std::size_t>(run.world));
  zero::run_ranks(run.world, [&](zero::ThreadCommunicator& communicator) {
    using Engine = zero::Engine<Partition, Opt, Prec, zero::HostBackend, zero::ThreadCommunicator>;
    results[static_cast<std::size_t>(communicator.rank())] =
        Trainer<Engine, zero::ThreadCommunicator>(communicator, run).train();
  });
  return merged(std::move(results));
}

template <zero::Stage S, class Prec>
Result train_at(Run const& run) {
  using Partition = zero::Partitioner<S>;
  if (run.self) {
    zero::SelfCommunicator self;
    return Trainer<zero::Engine<Partition, zero::Optimizer<zero::AdamW>, Prec>, zero::SelfCommunicator>(self, run)
        .train();
  }
  return run.offload ? train_on<Partition, zero::Optimizer<zero::AdamW, zero::CpuOffload>, Prec>(run)
                     : train_on<Partition, zero::Optimizer<zero::AdamW>, Prec>(run);
}

template <class Prec>
Result train_with(Run const& run) {
  switch (run.stage) {
    case zero::Stage::none:
      return train_at<zero::Stage::none, Prec>(run);
    case zero::Stage::optimizer_states:
      return train_at<zero::Stage::optimizer_states, Prec>(run);
    case zero::Stage::gradients:
      return train_at<zero::Stage::gradients, Prec>(run);
    default:
      return train_at<zero::Stage::parameters, Prec>(run);
  }
}

}  // namespace engine_test
