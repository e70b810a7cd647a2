// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// That tensors of an engine on a GPU compile; where there is none, nothing of it can run.

#include <zero/adapters/dlpack_cuda.hpp>
#include <zero/any_engine.hpp>

#include <cstddef>
#include <memory>
#include <utility>

namespace zero_test {

using Engine = zero::AnyEngine<zero::AdamW, zero::Precision<zero::BF16>, zero::CudaBackend, zero::SelfCommunicator>;

zero::dlpack::ExportedTensor exchange(std::unique_ptr<Engine> engine, zero::CudaStream stream,
                                      zero::dlpack::abi::ManagedTensorVersioned* foreign) {
  zero::dlpack::Lender<Engine> const lender(std::move(engine));
  auto gradients = lender.gradients(zero::ParameterId{0}, stream);
  (void)gradients.tensor(zero::ParameterId{0});
  gradients.ready(stream);
  zero::dlpack::ImportedTensor const imported(foreign, zero::dlpack::cuda(lender->backend().device()));
  auto const buffer = imported.adopt();
  (void)zero::dlpack::share(buffer, {.device = zero::dlpack::device_of(buffer.data)});
  return lender.parameters(zero::ParameterId{0}, stream).tensor(zero::ParameterId{0});
}

}  // namespace zero_test
