// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// What exchange.py loads: a lender of one rank, and an engine that adopts arrays of Python's.

#include <zero/adapters/dlpack.hpp>
#include <zero/any_engine.hpp>

#include <cstdint>
#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace {

namespace dlpack = zero::dlpack;
namespace abi = zero::dlpack::abi;
using Engine = zero::AnyEngine<zero::Sgd, zero::Precision<zero::FP32>, zero::HostBackend, zero::SelfCommunicator>;
using Lender = dlpack::Lender<Engine>;

std::string& message() {
  thread_local std::string text;
  return text;
}

/// The result of \p f, or \p failed and a message.
template <class Function, class Result>
Result guarded(Function&& f, Result failed) noexcept {
  try {
    return f();
  } catch (std::exception const& error) {
    message() = error.what();
    return failed;
  }
}

Lender make_lender(zero::ParameterList const& list, zero::Stage stage) {
  auto rank = std::make_shared<zero::SelfCommunicator>();
  Engine::Config config;
  config.optimizer.lr = 0.5;
  config.max_live_elements = 1000;  // several leases at once
  auto engine = zero::make_any_engine<zero::Sgd, zero::Precision<zero::FP32>, zero::HostBackend>(stage, *rank, list,
                                                                                                 std::nullopt, config);
  return Lender(std::move(engine), rank);
}

/// A trainer with parameters 2 x 3 and 3, of 1, 2, 3, ...
struct Trainer {
  Lender lender;
  std::optional<zero::MicroBatch<Engine::Stream>> pass{};
  std::optional<dlpack::LentGradients<Engine>> gradients{};
};

/// A whole parameter, whose lease ends after its tensor.
dlpack::ExportedTensor lent_parameter(Trainer const& trainer, zero::ParameterId id, int access) {
  return trainer.lender.parameters(id).tensor(id, static_cast<dlpack::Access>(access));
}

/// A trainer of one parameter, which is Python's.
struct Adopter {
  dlpack::ImportedTensor values, gradients;
  std::optional<Lender> lender{};
};

}  // namespace

extern "C" {

char const* last_message() { return message().c_str(); }

Trainer* trainer_new(int stage) {
  return guarded(
      [&] {
        std::vector<float> const initial{1, 2, 3, 4, 5, 6};
        zero::ParameterList list;
        (void)list.add({.name = "weight", .shape = {2, 3}, .initial = initial});
        (void)list.add({.name = "bias", .shape = {3}, .initial = {initial.data(), 3}});
        return new Trainer{make_lender(list, static_cast<zero::Stage>(stage))};
      },
      static_cast<Trainer*>(nullptr));
}
void trainer_free(Trainer* trainer) { delete trainer; }

abi::ManagedTensorVersioned* trainer_parameter(Trainer* trainer, std::uint32_t id, int access) {
  return guarded([&] { return lent_parameter(*trainer, {id}, access).release(); },
                 static_cast<abi::ManagedTensorVersioned*>(nullptr));
}
abi::ManagedTensor* trainer_unversioned(Trainer* trainer, std::uint32_t id, int access) {
  return guarded([&] { return dlpack::unversioned(lent_parameter(*trainer, {id}, access)).release(); },
                 static_cast<abi::ManagedTensor*>(nullptr));
}
int trainer_begin(Trainer* trainer) {
  return guarded(
      [&] {
        trainer->pass.emplace(trainer->lender->begin_micro_batch());
        trainer->gradients.emplace(trainer->lender.gradients({{0}, {1}}));
        return 0;
      },
      1);
}
abi::ManagedTensorVersioned* trainer_gradient(Trainer* trainer, std::uint32_t id) {
  return guarded([&] { return trainer->gradients.value().tensor({id}).release(); },
                 static_cast<abi::ManagedTensorVersioned*>(nullptr));
}
int trainer_step(Trainer* trainer) {
  return guarded(
      [&] {
        trainer->gradients.value().ready();
        trainer->pass.value().finish();
        trainer->lender.collect();
        (void)trainer->lender->step().get();
        return 0;
      },
      1);
}

Adopter* adopter_new(abi::ManagedTensorVersioned* values, abi::ManagedTensorVersioned* gradients) {
  return guarded(
      [&] {
        dlpack::ImportedTensor value(values);
        auto adopter = std::make_unique<Adopter>(Adopter{std::move(value), dlpack::ImportedTensor(gradients)});
        zero::ParameterList list;
        (void)list.add({.name = "weight",
                        .shape = adopter->values.shape(),
                        .values = adopter->values.adopt(),
                        .gradients = adopter->gradients.adopt()});
        adopter->lender = make_lender(list, zero::Stage::optimizer_states);
        return adopter.release();
      },
      static_cast<Adopter*>(nullptr));
}
int adopter_update(Adopter* adopter) {
  return guarded([&] { return static_cast<int>((*adopter->lender)->update().get().skipped); }, -1);
}
void adopter_free(Adopter* adopter) { delete adopter; }

/// The sum of what a tensor of DLPack 0.x holds, which is ended; -1 where it is refused.
double sum_unversioned(abi::ManagedTensor* tensor) {
  return guarded(
      [&] {
        dlpack::ImportedTensor const imported(tensor);
        double sum = 0;
        for (auto const number : imported.values<float>()) sum += static_cast<double>(number);
        return sum;
      },
      -1.0);
}
/// Its type's number, as zero::ElementType has it; the tensor is ended; -1 where it is refused.
int type_of(abi::ManagedTensorVersioned* tensor) {
  return guarded([&] { return static_cast<int>(dlpack::ImportedTensor(tensor).type()); }, -1);
}
}
