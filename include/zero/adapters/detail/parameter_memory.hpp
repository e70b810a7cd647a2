// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/support/requirements.hpp>

#include <zero/error.hpp>
#include <zero/support/message.hpp>

#include <torch/csrc/autograd/variable.h>
#include <torch/torch.h>

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace zero::libtorch::detail {

#if TORCH_VERSION_MAJOR == 2 && TORCH_VERSION_MINOR < 12
#define ZERO_LIBTORCH_HAS_NO_CLEAR 1
#endif

#ifdef ZERO_LIBTORCH_HAS_NO_CLEAR
// Torches before 2.12 can say that each use of a storage is an error, and have no call that ends that. What an explicit
// instantiation names may be private.
struct StorageError {
  friend bool& is_error(::c10::StorageImpl& storage, StorageError /*tag*/);
};
template <bool ::c10::StorageImpl::*Member>
struct StorageErrorOf {
  friend bool& is_error(::c10::StorageImpl& storage, StorageError /*tag*/) { return storage.*Member; }
};
template struct StorageErrorOf<&::c10::StorageImpl::throw_on_immutable_data_ptr_>;
#endif

/// Uses of \p storage are no errors from the next change of its pointer on.
inline void allow_access(::c10::StorageImpl& storage) {
#ifdef ZERO_LIBTORCH_HAS_NO_CLEAR
  is_error(storage, StorageError()) = false;
#else
  storage.clear_data_ptr_access_error_msg_();
#endif
}

/// A parameter of a module whose memory is the engine's. It keeps one StorageImpl for good, whose pointer moves, so
/// that what autograd has saved follows it to wherever the next gather puts it; while it is nowhere, each use of it is
/// an error with a sentence.
class ParameterMemory {
 public:
  /// \p parameter is the module's own handle. Changes nothing yet.
  ParameterMemory(std::string name, ::torch::Tensor parameter)
      : name_(std::move(name)), tensor_(std::move(parameter)), trainable_(tensor_.requires_grad()) {}

  [[nodiscard]] std::string const& name() const noexcept { return name_; }
  [[nodiscard]] ::torch::Tensor const& tensor() const noexcept { return tensor_; }
  [[nodiscard]] bool trainable() const noexcept { return trainable_; }

  /// Gives the parameter memory of its own, as \p memory: of the same sizes, and of the engine's type.
  void attach(::torch::Tensor const& memory) {
    tensor_.set_data(memory);
    storage_ = tensor_.storage();
    type_ = tensor_.scalar_type();
    sizes_ = tensor_.sizes().vec();
    remember();
  }
  [[nodiscard]] bool is_attached() const noexcept { return storage_.unsafeGetStorageImpl() != nullptr; }

  /// From now on it lies at \p place, which the engine owns.
  void point(void const* place) {
    auto* const storage = storage_.unsafeGetStorageImpl();
    allow_access(*storage);
    storage->set_data_ptr_noswap(::at::DataPtr(const_cast<void*>(place), device()));
  }
  /// From now on it lies nowhere, and each use of it says \p message.
  void hide(std::string message) {
    auto* const storage = storage_.unsafeGetStorageImpl();
    storage->set_data_ptr_noswap(::at::DataPtr(nullptr, device()));
    storage->release_data_and_set_meta_custom_data_ptr_error_msg_(std::move(message));
  }
  /// From now on it lies in memory of torch's, which it takes from \p own, a tensor of as many elements.
  void own(::torch::Tensor const& own) {
    auto* const storage = storage_.unsafeGetStorageImpl();
    allow_access(*storage);
    storage->set_data_ptr_noswap(own.storage().unsafeGetStorageImpl()->set_data_ptr(::at::DataPtr(nullptr, device())));
  }
  /// Whether the module's tensor still has this storage.
  [[nodiscard]] bool is_in_place() const {
    return tensor_.storage().unsafeGetStorageImpl() == storage_.unsafeGetStorageImpl() &&
           tensor_.scalar_type() == type_ && tensor_.sizes() == sizes_ && tensor_.storage_offset() == 0 &&
           tensor_.is_contiguous();
  }

  /// What is in the memory now is what the engine has put there.
  void remember() { version_ = tensor_._version(); }
  /// The engine has written new values: a graph that has saved the old ones must not use them.
  void changed() {
    ::torch::autograd::impl::bump_version(tensor_);
    remember();
  }
  [[nodiscard]] bool is_edited() const { return tensor_._version() != version_; }

  /// \throws ConfigurationError, SequenceError for what somebody else has done to the parameter since.
  void check_unchanged() const {
    if (!is_in_place()) {
      fail(
          " has other memory, sizes, type or device than when it was wrapped: do what to(), set_data() and resize_() "
          "do "
          "before that. take_values() goes on with the values that the module has now; close() gives the engine's "
          "back");
    }
    if (is_edited()) {
      fail(
          " was changed in place, which the optimizer has not seen: call take_values() on every rank to go on with the "
          "new values, at stage 3 while whole() is held");
    }
    if (tensor_.requires_grad() != trainable_) {
      fail(trainable_ ? " was frozen after it was wrapped: set requires_grad before"
                      : " was frozen when it was wrapped, and is not now: set requires_grad before");
    }
    if (tensor_.grad().defined()) {
      fail(" has a gradient from outside of micro_batch(), to which backward would add: call zero_grad() first");
    }
  }

 private:
  [[nodiscard]] ::at::Device device() const { return storage_.device(); }
  [[noreturn]] void fail(char const* what) const {
    zero::detail::fail<ConfigurationError>({"zero::libtorch: parameter ", zero::detail::quote(name_), what});
  }

  std::string name_;
  ::torch::Tensor tensor_;
  bool trainable_;
  ::at::Storage storage_;
  std::vector<std::int64_t> sizes_;
  ::at::ScalarType type_ = ::at::kFloat;
  std::int64_t version_ = 0;
};

/// What each use of a parameter of stage 3 says that is not gathered.
[[nodiscard]] inline std::string sharded_message(std::string const& name) {
  return zero::detail::concat(
      {"zero::libtorch: parameter ", zero::detail::quote(name),
       " is sharded: it is whole only while forward or backward goes through its unit, or while "
       "whole() is held. Call forward of the unit itself, not of what is in it"});
}

}  // namespace zero::libtorch::detail
