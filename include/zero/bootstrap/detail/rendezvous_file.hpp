// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/bootstrap/detail/rendezvous_client.hpp>
#include <zero/bootstrap/detail/socket.hpp>
#include <zero/bootstrap/launch_environment.hpp>
#include <zero/error.hpp>
#include <zero/support/message.hpp>
#include <zero/support/posix.hpp>
#include <zero/support/random_hex.hpp>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstdio>
#include <optional>
#include <string>
#include <string_view>

namespace zero::detail {

/// Where rank 0 of a run leaves its address for the others: a file in a folder that all machines share, named after the
/// run and its start, and there as a whole or not at all. It holds a token of its own, so that what an earlier run left
/// under the same name leads nowhere. Readable by its owner only.
class RendezvousFile {
 public:
  /// \throws ConfigurationError for a run id that is no name of a file.
  explicit RendezvousFile(LaunchEnvironment const& launch) {
    for (char const c : launch.run_id) {
      bool const plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
                         c == '-' || c == '_';
      if (plain && launch.run_id.size() <= 128) continue;
      fail<ConfigurationError>({"zero::Rendezvous: the run id ", quote(launch.run_id), " becomes part of a file's ",
                                "name: use up to 128 letters, digits, '.', '-' and '_' in ZERO_RUN_ID"});
    }
    path_ = launch.folder + "/zero-" + launch.run_id + "-" + std::to_string(launch.restart) + ".rendezvous";
  }

  [[nodiscard]] std::string const& path() const noexcept { return path_; }

  /// Puts the file there, in place of an older one. \throws ConfigurationError
  void write(RendezvousEndpoint const& endpoint) const {
    auto const text = concat({title, " ", endpoint.host, " ", endpoint.port, " ", endpoint.token, "\n"});
    auto const hidden = path_ + "." + random_hex(32);
    Descriptor const file(restart_interrupted([&] {
      return ::open(hidden.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, S_IRUSR | S_IWUSR);
    }));
    if (!file) refuse("create", hidden);
    auto const written = restart_interrupted([&] { return ::write(file.get(), text.data(), text.size()); });
    // A file of one line: what does not take it at once has no room.
    bool const whole = written == static_cast<ssize_t>(text.size()) && ::fsync(file.get()) == 0;
    if (whole && ::rename(hidden.c_str(), path_.c_str()) == 0) return;
    int const code = errno;
    (void)::unlink(hidden.c_str());
    errno = code;
    refuse("write", path_);
  }
  void remove() const noexcept { (void)::unlink(path_.c_str()); }

  /// What the file says; none where it is not there, or is not what rank 0 of this user writes.
  [[nodiscard]] std::optional<RendezvousEndpoint> read() const {
    // A network's file system may go on saying that there is no file until somebody looks at its folder.
    Descriptor const folder(::open(path_.substr(0, path_.rfind('/')).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    Descriptor const file(
        restart_interrupted([&] { return ::open(path_.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK); }));
    struct stat about {};
    if (!file || ::fstat(file.get(), &about) != 0 || !S_ISREG(about.st_mode) || about.st_uid != ::geteuid()) {
      return std::nullopt;
    }
    char text[512];
    auto const got = restart_interrupted([&] { return ::read(file.get(), text, sizeof text); });
    if (got <= 0) return std::nullopt;
    return parsed({text, static_cast<std::size_t>(got)});
  }

  [[nodiscard]] static std::optional<RendezvousEndpoint> parsed(std::string_view text) {
    if (!text.starts_with(title) || !text.ends_with('\n')) return std::nullopt;
    text.remove_prefix(title.size());
    text.remove_suffix(1);
    RendezvousEndpoint endpoint;
    std::string port;
    for (auto* field : {&endpoint.host, &port, &endpoint.token}) {
      if (!text.starts_with(' ')) return std::nullopt;
      text.remove_prefix(1);
      auto const end = text.find(' ');
      *field = text.substr(0, end);
      text.remove_prefix((std::min)(end, text.size()));
    }
    auto const [end, code] = std::from_chars(port.data(), port.data() + port.size(), endpoint.port);
    bool const number = code == std::errc{} && end == port.data() + port.size() && endpoint.port != 0;
    if (!text.empty() || !number || endpoint.host.empty() || endpoint.token.empty()) return std::nullopt;
    return endpoint;
  }

 private:
  static constexpr std::string_view title = "zero-rendezvous-1";

  [[noreturn]] static void refuse(char const* what, std::string const& path) {
    int const code = errno;
    fail<ConfigurationError>({"zero::Rendezvous: cannot ", what, " ", quote(path), ": ", system_message(code),
                              ": set ZERO_RENDEZVOUS_FOLDER to a folder that all ranks share and may write to"});
  }

  std::string path_;
};

}  // namespace zero::detail
