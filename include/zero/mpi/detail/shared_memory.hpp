// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/error.hpp>
#include <zero/support/message.hpp>
#include <zero/support/posix.hpp>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <string_view>
#include <utility>

namespace zero::detail {

[[noreturn, gnu::cold]] inline void fail_shared_memory(std::string_view call, std::size_t bytes, int code) {
  fail<ConfigurationError>({"zero::MpiCommunicator: ", call, " of ", bytes,
                            " bytes of shared memory failed: ", system_message(code),
                            ": raise what limits this process (memory, ulimit -v, ulimit -f), "
                            "or put fewer ranks on a host"});
}

/// A mapping of memory that has no name: processes share it by handing its descriptor on, and it is gone with the last
/// of them, however they end. Move-only.
class SharedMemory {
 public:
  SharedMemory() = default;
  SharedMemory(SharedMemory&& other) noexcept
      : descriptor_(std::move(other.descriptor_)),
        data_(std::exchange(other.data_, nullptr)),
        bytes_(std::exchange(other.bytes_, 0)) {}
  SharedMemory& operator=(SharedMemory&& other) noexcept {
    std::swap(descriptor_, other.descriptor_);
    std::swap(data_, other.data_);
    std::swap(bytes_, other.bytes_);
    return *this;
  }
  ~SharedMemory() {
    if (data_ != nullptr) ::munmap(data_, bytes_);
  }

  /// \p bytes of zeros, whose pages are there. Nobody can change its size.
  [[nodiscard]] static SharedMemory make(std::size_t bytes) {
    auto made = reserve(bytes);
    made.allocate(0, bytes);
    made.seal(bytes);
    return made;
  }
  /// \p bytes of addresses without pages; see `allocate`.
  [[nodiscard]] static SharedMemory reserve(std::size_t bytes) {
    if (bytes > most()) fail_shared_memory("the allocation", bytes, EFBIG);  // the system would send a signal
    Descriptor descriptor(::memfd_create("zero", MFD_CLOEXEC | MFD_ALLOW_SEALING));
    if (!descriptor) fail_shared_memory("memfd_create", bytes, errno);
    if (::ftruncate(descriptor.get(), static_cast<off_t>(bytes)) != 0) fail_shared_memory("ftruncate", bytes, errno);
    return SharedMemory(std::move(descriptor), bytes);
  }
  /// What another process has made and sealed, \p bytes in all. \throws CommunicationError where it is something else.
  [[nodiscard]] static SharedMemory open(Descriptor descriptor, std::size_t bytes, int from) {
    struct stat found {};
    int const seals = ::fcntl(descriptor.get(), F_GET_SEALS);
    bool const sealed = seals >= 0 && (seals & F_SEAL_SHRINK) != 0;
    if (::fstat(descriptor.get(), &found) != 0 || !sealed || static_cast<std::size_t>(found.st_size) != bytes) {
      throw CommunicationError(CommunicationFailure::mismatch, {from, 0, "sharing of memory"},
                               concat({"zero::MpiCommunicator: what rank ", from,
                                       " hands over is not its memory: "
                                       "build all ranks with the same version of zero"}));
    }
    SharedMemory opened(std::move(descriptor), bytes);
    opened.descriptor_.close();  // of many ranks and engines they would be many
    return opened;
  }

  /// Gives the pages of \p bytes from \p offset on, which are zeros.
  void allocate(std::size_t offset, std::size_t bytes) const {
    if (bytes == 0) return;
    auto const give = [&] {
      return ::fallocate(descriptor_.get(), 0, static_cast<off_t>(offset), static_cast<off_t>(bytes));
    };
    if (restart_interrupted(give) != 0) fail_shared_memory("fallocate", bytes, errno);
  }
  /// As many bytes as can be reserved, and leave room for other memory.
  [[nodiscard]] static SharedMemory reserve_most() {
    std::size_t bytes = most();
    try {
      return reserve(bytes);
    } catch (ConfigurationError const&) {  // a limit on addresses, whatever it leaves
    }
    constexpr std::size_t least = std::size_t{1} << 26U;
    for (bytes /= 2; bytes > least; bytes /= 2) {
      try {
        (void)reserve(bytes / page() * page());
        break;
      } catch (ConfigurationError const&) {  // less, then
      }
    }
    return reserve(bytes / 2 / page() * page());
  }
  /// Cuts it down to \p bytes, for good, so that no process can take away what others look at.
  void seal(std::size_t bytes) {
    if (::ftruncate(descriptor_.get(), static_cast<off_t>(bytes)) != 0) fail_shared_memory("ftruncate", bytes, errno);
    if (::fcntl(descriptor_.get(), F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) != 0) {
      fail_shared_memory("sealing", bytes, errno);
    }
    if (bytes == 0 || bytes >= bytes_) return;
    ::munmap(data() + bytes, bytes_ - bytes);
    bytes_ = bytes;
  }

  /// Leaves the mapping to the end of the process, for whoever may still use it.
  void abandon() noexcept { data_ = nullptr; }

  [[nodiscard]] std::byte* data() const noexcept { return static_cast<std::byte*>(data_); }
  [[nodiscard]] std::size_t bytes() const noexcept { return bytes_; }
  [[nodiscard]] int descriptor() const noexcept { return descriptor_.get(); }
  explicit operator bool() const noexcept { return data_ != nullptr; }

  /// Most bytes that can be reserved: what the machine has, and what the limit on files allows.
  [[nodiscard]] static std::size_t most() noexcept {
    auto const machine = static_cast<std::size_t>(::sysconf(_SC_PHYS_PAGES)) * page();
    rlimit limit{};
    if (::getrlimit(RLIMIT_FSIZE, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) return machine;
    return (std::min)(machine, static_cast<std::size_t>(limit.rlim_cur) / page() * page());
  }
  /// \p bytes in whole pages.
  [[nodiscard]] static std::size_t whole_pages(std::size_t bytes) noexcept {
    return (bytes + page() - 1) / page() * page();
  }
  [[nodiscard]] static std::size_t page() noexcept { return static_cast<std::size_t>(::sysconf(_SC_PAGESIZE)); }

 private:
  SharedMemory(Descriptor descriptor, std::size_t bytes) : descriptor_(std::move(descriptor)) {
    void* const data = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, descriptor_.get(), 0);
    if (data == MAP_FAILED) fail_shared_memory("mmap", bytes, errno);
    data_ = data;
    bytes_ = bytes;
#ifdef MADV_HUGEPAGE
    (void)::madvise(data, bytes, MADV_HUGEPAGE);  // a hint, which most systems do not follow for shared memory
#endif
  }

  Descriptor descriptor_;
  void* data_ = nullptr;
  std::size_t bytes_ = 0;
};

}  // namespace zero::detail
