// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/support/requirements.hpp>

#include <torch/torch.h>

#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

namespace zero::libtorch::detail {

/// What a region that is computed again asks of the session in whose micro-batch it runs.
class RegionHost {
 public:
  /// Number of the micro-batch that runs now; 0: none.
  [[nodiscard]] virtual std::uint64_t micro_batch() const noexcept = 0;
  /// Whether torch's generators are this rank's own, so that they may be set back.
  [[nodiscard]] virtual bool owns_generators() const noexcept = 0;
  /// The module's buffers, which forward may change.
  [[nodiscard]] virtual std::vector<::torch::Tensor> buffers() const = 0;

  /// Forward enters a region and leaves it; \p again: for the second time.
  void enter_region(bool again) noexcept {
    if (depth_++ == 0) units_ = 0;
    if (again) is_again_ = true;
  }
  void leave_region(bool again) noexcept {
    --depth_;
    if (again) is_again_ = false;
  }
  /// Whether forward runs for the second time.
  [[nodiscard]] bool is_again() const noexcept { return is_again_; }
  /// Notes that a unit runs forward. Whether another one does in the same region.
  [[nodiscard]] bool has_other_unit() noexcept { return depth_ > 0 && units_++ > 0; }

 protected:
  ~RegionHost() = default;

 private:
  int depth_ = 0, units_ = 0;
  bool is_again_ = false;
};

/// The session whose micro-batch runs on this thread.
inline thread_local std::weak_ptr<RegionHost> current_region_host;

/// Sets it while this lives.
class RegionHostScope {
 public:
  explicit RegionHostScope(std::weak_ptr<RegionHost> host)
      : before_(std::exchange(current_region_host, std::move(host))) {}
  RegionHostScope(RegionHostScope const&) = delete;
  RegionHostScope& operator=(RegionHostScope const&) = delete;
  ~RegionHostScope() { current_region_host = std::move(before_); }

 private:
  std::weak_ptr<RegionHost> before_;
};

/// Within a region while this lives.
class RegionScope {
 public:
  RegionScope(RegionHost& host, bool again) : host_(host), again_(again) { host.enter_region(again); }
  RegionScope(RegionScope const&) = delete;
  RegionScope& operator=(RegionScope const&) = delete;
  ~RegionScope() { host_.leave_region(again_); }

 private:
  RegionHost& host_;
  bool again_;
};

}  // namespace zero::libtorch::detail
