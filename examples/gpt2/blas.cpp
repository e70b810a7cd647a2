// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "blas.hpp"

#include <zero/kernels/instruction_set.hpp>

#include <stdexcept>
#include <string_view>

#ifdef GPT2_HAS_OPENBLAS
#include <cblas.h>
#endif

namespace gpt2 {

#ifdef GPT2_HAS_OPENBLAS
namespace {

/// The kernels that OpenBLAS chose for this CPU are as new as the CPU's instruction set.
bool kernels_fit(std::string_view core) {
  bool const avx512 = core == "SkylakeX" || core == "Cooperlake" || core == "SapphireRapids";
  bool const avx2 = core == "Haswell" || core == "Zen" || core == "Excavator";
  switch (zero::best_instruction_set()) {
    case zero::InstructionSet::avx512:
      return avx512;
    case zero::InstructionSet::avx2:
      return avx512 || avx2;
    case zero::InstructionSet::baseline:
      return true;
  }
  return false;
}

}  // namespace

bool blas_serves() {
  // Its threads would be ours as well: the pool splits the work, by shape alone.
  static bool const serves = [] {
    openblas_set_num_threads(1);
    return kernels_fit(openblas_get_corename());
  }();
  return serves;
}

void blas_multiply(std::size_t rows, std::size_t columns, std::size_t depth, float alpha, ConstMatrix a, ConstMatrix b,
                   OutputMatrix c) {
  auto const size = [](std::size_t n) { return static_cast<blasint>(n); };
  cblas_sgemm(CblasRowMajor, a.transposed ? CblasTrans : CblasNoTrans, b.transposed ? CblasTrans : CblasNoTrans,
              size(rows), size(columns), size(depth), alpha, a.data, size(a.stride), b.data, size(b.stride),
              c.adds ? 1.0F : 0.0F, c.data, size(c.stride));
}

std::string describe_products() {
  std::string const core = openblas_get_corename();
  if (blas_serves()) return "OpenBLAS, its " + core + " kernels";
  return "our own, the faster ones here: OpenBLAS would take its " + core + " kernels";
}

#else

bool blas_serves() { return false; }

void blas_multiply(std::size_t, std::size_t, std::size_t, float, ConstMatrix, ConstMatrix, OutputMatrix) {
  throw std::logic_error("blas_multiply without a BLAS");
}

std::string describe_products() { return "our own; OpenBLAS was not found when this was built"; }

#endif

}  // namespace gpt2
