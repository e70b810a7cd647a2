// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/support/requirements.hpp>

#include <zero/kernels/instruction_set.hpp>

#include <cstdint>

namespace zero {

/// While it lives, this thread rounds to nearest, keeps denormals and traps nothing; its destructor restores what was
/// set before, sticky exception flags included. A program linked with -ffast-math flushes denormals in every thread
/// (the start-up file of GCC sets FTZ and DAZ), and a caller may have chosen another rounding mode: neither may reach
/// a promised bit. Nothing on a device, whose instructions carry their own rounding.
class FloatingPointGuard {
 public:
  ZERO_HOST_DEVICE FloatingPointGuard() noexcept : saved_(read()) { write(to_nearest); }
  ZERO_HOST_DEVICE ~FloatingPointGuard() { write(saved_); }
  FloatingPointGuard(FloatingPointGuard const&) = delete;
  FloatingPointGuard& operator=(FloatingPointGuard const&) = delete;

 private:
  // Volatile, with memory clobbered: the compiler moves no store, call or other volatile instruction across them.
#if defined(__CUDA_ARCH__)
  using Control = std::uint32_t;
  static constexpr Control to_nearest = 0;
  __device__ static Control read() noexcept { return 0; }
  __device__ static void write(Control) noexcept {}
#elif defined(__x86_64__)
  using Control = std::uint32_t;
  static constexpr Control to_nearest = 0x1F80;  // MXCSR at reset: all exceptions masked, no FTZ, no DAZ
  static Control read() noexcept {
    Control control = 0;
    asm volatile("stmxcsr %0" : "=m"(control) : : "memory");
    return control;
  }
  static void write(Control control) noexcept { asm volatile("ldmxcsr %0" : : "m"(control) : "memory"); }
#else
  using Control = std::uint64_t;            // FPSR, the sticky flags, above FPCR
  static constexpr Control to_nearest = 0;  // FPCR at reset: round to nearest, no FZ, no default NaN, no traps
  static Control read() noexcept {
    Control control = 0, status = 0;
    asm volatile("mrs %0, fpcr\n\tmrs %1, fpsr" : "=r"(control), "=r"(status) : : "memory");
    return control | status << 32;
  }
  static void write(Control state) noexcept {
    asm volatile("msr fpcr, %0\n\tmsr fpsr, %1" : : "r"(state & 0xFFFFFFFFU), "r"(state >> 32) : "memory");
  }
#endif

  Control saved_;
};

}  // namespace zero
