// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "planner.hpp"
#include "reference/training.hpp"

#include <zero/engine.hpp>

#include <algorithm>
#include <array>
#include <vector>

namespace plan_test {

/// What one rank of a real run has: on the host backend, with threads for ranks.
struct Real {
  zero::MemoryReport memory;
  std::array<std::size_t, zero::memory_kinds> handed_out{};  ///< by the backend, by kind
  std::array<std::size_t, zero::memory_kinds> most{};        ///< that it ever had handed out
  zero::Traffic first, second;                               ///< of two steps
};

/// Two steps on the reference's model with placed or adopted buffers; one result per rank. One translation unit per
/// precision, so that they compile side by side.
[[nodiscard]] std::vector<Real> real_step_fp32(zero_plan::Settings const& settings, bool adopted);
[[nodiscard]] std::vector<Real> real_step_bf16_sums(zero_plan::Settings const& settings, bool adopted);
[[nodiscard]] std::vector<Real> real_step_fp16(zero_plan::Settings const& settings, bool adopted);

/// The reference's model; its buffers are those of \p values and \p gradients where they are given, at stage 3 only
/// those of its gradients.
template <class Compute>
zero::ParameterList parameters(std::vector<std::vector<Compute>>* values, std::vector<std::vector<Compute>>* gradients,
                               zero::Stage stage = zero::Stage::none) {
  zero::ParameterList list;
  auto const model = reference::model();
  for (std::size_t p = 0; p < model.parameters.size(); ++p) {
    auto const& of = model.parameters[p];
    zero::ParameterSpec spec{
        .name = of.name, .shape = {of.count}, .contributions = of.contributions, .unit = of.unit, .frozen = of.frozen};
    if (values != nullptr) {
      auto& own = values->emplace_back(of.count);
      if (stage != zero::Stage::parameters) spec.values = zero::adopt(own.data(), of.count);
      auto& gradient = gradients->emplace_back(of.count);
      if (!of.frozen) spec.gradients = zero::adopt(gradient.data(), of.count);
    }
    (void)list.add(std::move(spec));
  }
  return list;
}

/// A training loop as a user writes it, whose gradients are all 0: the same calls as a model's, written a second time.
template <class Engine>
class Loop {
 public:
  Loop(Engine& engine, int micro_batches, zero::PlanSettings const& settings)
      : engine_(engine), micro_batches_(micro_batches), settings_(settings) {
    auto const model = reference::model();
    for (std::uint32_t p = 0; p < model.parameters.size(); ++p) {
      auto const unit = static_cast<std::size_t>(model.parameters[p].unit);
      if (units_.size() <= unit) units_.resize(unit + 1), trained_.resize(unit + 1);
      units_[unit].push_back({p});
      if (!model.parameters[p].frozen) trained_[unit].push_back({p});
    }
  }

  void step() {
    for (int a = 0; a < micro_batches_; ++a) {
      auto micro_batch = engine_.begin_micro_batch({});
      for (auto const& unit : units_) auto const weights = engine_.gather(unit, {});
      { auto const embedding_as_head = engine_.gather(zero::ParameterId{0}, {}); }
      backward({{0}}, {{0}});
      std::size_t const first = settings_.blocks ? static_cast<std::size_t>(settings_.first_block) : units_.size();
      std::size_t const behind = settings_.blocks ? first + settings_.blocks->blocks() : units_.size();
      for (std::size_t unit = units_.size(); unit-- > behind;) backward(units_[unit], trained_[unit]);
      if (settings_.blocks) {
        settings_.blocks->for_each_backward_call([&](zero::activation::BackwardCall const& call) {
          auto const unit = first + call.block;
          if (call.work == zero::activation::BackwardWork::again) {
            auto const weights = engine_.gather(units_[unit], {});
          } else {
            backward(units_[unit], trained_[unit]);
          }
        });
      }
      for (std::size_t unit = first; unit-- > 0;) backward(units_[unit], trained_[unit]);
      micro_batch.finish({});
    }
    (void)engine_.step({}).get();
  }

 private:
  void backward(std::vector<zero::ParameterId> const& used, std::vector<zero::ParameterId> const& trained) {
    auto const weights = engine_.gather(used, {});
    auto gradients = engine_.gradients(trained, {});
    for (auto id = trained.rbegin(); id != trained.rend(); ++id) {
      auto const target = gradients.write(*id);
      if (!target.adds) std::fill(target.values.begin(), target.values.end(), typename Engine::Compute{});
    }
    gradients.ready({});
  }

  Engine& engine_;
  int micro_batches_;
  zero::PlanSettings settings_;
  std::vector<std::vector<zero::ParameterId>> units_, trained_;
};

template <class Engine>
Real real_step_of_rank(zero::ThreadCommunicator& communicator, zero_plan::Settings const& s, bool adopted) {
  std::vector<std::vector<typename Engine::Compute>> values, gradients;
  auto const list =
      adopted ? parameters(&values, &gradients, s.plan.stage) : parameters<typename Engine::Compute>(nullptr, nullptr);
  typename Engine::Config config{.gradient_accumulation_steps = s.gradient_accumulation_steps,
                                 .micro_batches_per_step = s.micro_batches_per_step,
                                 .allow_idle_ranks = s.allow_idle_ranks,
                                 .reduce = s.reduce,
                                 .bucket_elements = s.bucket_elements,
                                 .alignment_elements = s.alignment_elements,
                                 .gradient_ring = s.gradient_ring,
                                 .max_live_elements = s.max_live_elements,
                                 .prefetch_units = s.prefetch_units,
                                 .persistence_threshold = s.persistence_threshold};
  if constexpr (requires { config.offload.chunk_elements; }) config.offload = *s.plan.offload;
  Engine engine(communicator, list, config);
  Loop<Engine> loop(engine, zero_plan::rounds(s), s.plan);
  Real real;
  loop.step();
  engine.finish_update();
  real.first = engine.traffic();
  loop.step();
  engine.finish_update();
  real.second = engine.traffic();
  real.memory = engine.memory();
  for (auto kind : {zero::MemoryKind::device, zero::MemoryKind::pinned, zero::MemoryKind::pageable}) {
    real.handed_out[static_cast<std::size_t>(kind)] = engine.backend().bytes_in_use(kind);
    real.most[static_cast<std::size_t>(kind)] = engine.backend().peak_bytes(kind);
  }
  return real;
}

template <zero::Stage S, class Offload, class Prec>
std::vector<Real> real_step_of(zero_plan::Settings const& settings, bool adopted) {
  using Engine = zero::Engine<zero::Partitioner<S>, zero::Optimizer<zero::AdamW, Offload>, Prec, zero::HostBackend,
                              zero::ThreadCommunicator>;
  std::vector<Real> ranks(static_cast<std::size_t>(settings.plan.world));
  zero::run_ranks(settings.plan.world, [&](zero::ThreadCommunicator& communicator) {
    auto& mine = ranks[static_cast<std::size_t>(communicator.rank())];
    mine = real_step_of_rank<Engine>(communicator, settings, adopted);
  });
  return ranks;
}

template <zero::Stage S, class Prec>
std::vector<Real> real_step_at(zero_plan::Settings const& settings, bool adopted) {
  return settings.plan.offload ? real_step_of<S, zero::CpuOffload, Prec>(settings, adopted)
                               : real_step_of<S, zero::NoOffload, Prec>(settings, adopted);
}

template <class Prec>
std::vector<Real> real_step_with(zero_plan::Settings const& settings, bool adopted) {
  switch (settings.plan.stage) {
    case zero::Stage::none:
      return real_step_at<zero::Stage::none, Prec>(settings, adopted);
    case zero::Stage::optimizer_states:
      return real_step_at<zero::Stage::optimizer_states, Prec>(settings, adopted);
    case zero::Stage::gradients:
      return real_step_at<zero::Stage::gradients, Prec>(settings, adopted);
    default:
      return real_step_at<zero::Stage::parameters, Prec>(settings, adopted);
  }
}

}  // namespace plan_test
