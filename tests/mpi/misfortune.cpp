// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// misfortune PLACE KIND VICTIM HOSTS FOLDER: trains, until something happens to one rank; then each survivor writes one
// line:
//
//   rank 1: peer_failed of rank 2, 3 ms later: <what the error says>
//
//   PLACE   of making the communicator: meeting (has not begun), cards (before it tells the others of itself), sockets
//           (once all have, before it connects), connected (before it says so), memory (makes or takes the first memory
//           of the host), segment (the second); of making the engine: engine (before), arena (when its memory is made),
//           shown (when it takes that of the others); then gather, reduce, step, save, or a number of microseconds from
//           the first step on; or, after a plus sign, from the communicator on
//   KIND    kill (SIGKILL), throw, stop (SIGSTOP), hang (never comes again)
//   HOSTS   a letter for each rank
//   FOLDER  for checkpoints
#include <zero/checkpoint/save.hpp>
#include <zero/communicators/mpi.hpp>
#include <zero/engine.hpp>

#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <utility>

namespace {

using Engine = zero::Engine<zero::Partitioner<zero::Stage::parameters>, zero::Optimizer<zero::AdamW>,
                            zero::Precision<zero::FP16, zero::DynamicScale>, zero::HostBackend, zero::MpiCommunicator>;
constexpr auto deadline = std::chrono::seconds(2);
constexpr int unlucky_step = 2;
constexpr int steps = 400;

std::int64_t milliseconds_now() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::system_clock::now().time_since_epoch())
      .count();
}

struct Arguments {
  std::string_view place, kind;
  int victim;
  std::string_view hosts;
  std::string folder;
};

/// What happens to the victim. All ranks share a file in the folder that says when it was.
class Misfortune {
 public:
  Misfortune(Arguments arguments, int rank)
      : arguments_(std::move(arguments)), rank_(rank), when_(arguments_.folder + "/when") {}

  void at(std::string_view place) {
    if (is_due(place)) happen();
  }
  [[nodiscard]] bool is_due(std::string_view place) const {
    return rank_ == arguments_.victim && place == arguments_.place;
  }
  [[nodiscard]] std::string_view kind() const { return arguments_.kind; }
  /// Where the place is a time that begins with \p sign: from another thread, wherever the victim is.
  void begin_countdown(std::string_view sign) {
    char const* const time = arguments_.place.data() + sign.size();
    char* end = nullptr;
    long const microseconds = std::strtol(time, &end, 10);
    if (rank_ != arguments_.victim || !arguments_.place.starts_with(sign) || *time < '0' || *time > '9') return;
    std::thread([this, microseconds] {
      std::this_thread::sleep_for(std::chrono::microseconds(microseconds));
      happen();
    }).detach();
  }
  /// Milliseconds since it happened.
  [[nodiscard]] long since() const {
    long long when = 0;
    if (std::FILE* const file = std::fopen(when_.c_str(), "r")) {
      if (std::fscanf(file, "%lld", &when) != 1) when = 0;
      (void)std::fclose(file);
    }
    return static_cast<long>(milliseconds_now() - when);
  }

 private:
  void happen() {
    if (std::FILE* const file = std::fopen(when_.c_str(), "w")) {
      (void)std::fprintf(file, "%lld\n", static_cast<long long>(milliseconds_now()));
      (void)std::fclose(file);
    }
    if (arguments_.kind == "kill") (void)::kill(::getpid(), SIGKILL);
    if (arguments_.kind == "stop") (void)::kill(::getpid(), SIGSTOP);
    if (arguments_.kind == "throw") throw std::runtime_error("no luck");
    for (;;) std::this_thread::sleep_for(std::chrono::hours(1));
  }

  Arguments arguments_;
  int rank_;
  std::string when_;
};

/// What happens inside of constructors is found by the calls that they make.
struct Construction {
  Misfortune* misfortune = nullptr;  ///< none: nothing is being constructed
  int meetings = 0;                  ///< what the ranks tell each other by MPI
  MPI_Request telling = MPI_REQUEST_NULL;
  int last_meeting = 2;  ///< of the ranks of one host; those of several hosts meet once more
  int memories = 0;      ///< that this rank has made, or taken from others
  bool of_engine = false;

  /// Before the next memory is there. \return whether it cannot be: a call of the system does not throw.
  [[nodiscard]] bool misses_memory(bool taken) {
    if (misfortune == nullptr) return false;
    char const* const place = of_engine ? (taken ? "shown" : "arena") : (memories == 0 ? "memory" : "segment");
    ++memories;
    if (misfortune->kind() == "throw" && misfortune->is_due(place)) {
      try {
        misfortune->at(place);
      } catch (std::runtime_error const&) {  // as the system says it
        return true;
      }
    }
    misfortune->at(place);
    return false;
  }
} construction;

/// Where the next file that is synced cannot be: a call of the system does not throw.
Misfortune* sync_fails = nullptr;

void train(Misfortune& misfortune, Arguments const& arguments, int rank) {
  misfortune.at("meeting");
  misfortune.begin_countdown("+");
  construction.misfortune = &misfortune;
  if (arguments.hosts.find_first_not_of(arguments.hosts[0]) != std::string_view::npos) construction.last_meeting = 3;
  zero::MpiCommunicator ranks({.deadline = deadline,
                               .meeting_deadline = deadline,
                               .host = std::string(1, arguments.hosts[static_cast<std::size_t>(rank)])});
  zero::ParameterList parameters;
  zero::ParameterId ids[3];
  for (int i = 0; i < 3; ++i) {
    ids[i] = parameters.add({.name = "p" + std::to_string(i), .shape = {10007}, .unit = i});
  }
  misfortune.at("engine");
  construction.of_engine = true;
  Engine engine{ranks, parameters, {}};
  construction.misfortune = nullptr;
  misfortune.begin_countdown("");
  for (int step = 0; step < steps; ++step) {
    bool const unlucky = step == unlucky_step;
    auto micro_batch = engine.begin_micro_batch({});
    for (int i = 3; i-- > 0;) {
      if (unlucky && i == 1) misfortune.at("gather");
      auto const weights = engine.gather(ids[i], {});
      if (unlucky && i == 1) misfortune.at("reduce");
      auto gradients = engine.gradients(ids[i], {});
      for (auto& g : gradients.write(ids[i]).values) g = zero::narrow<zero::float16>(0.01F);
      gradients.ready({});
    }
    micro_batch.finish({});
    if (unlucky) misfortune.at("step");
    (void)engine.step({}).get();
    sync_fails = unlucky && misfortune.is_due("save") && misfortune.kind() == "throw" ? &misfortune : nullptr;
    if (unlucky && misfortune.is_due("save") && sync_fails == nullptr) {
      std::thread([&] {
        std::this_thread::sleep_for(std::chrono::milliseconds(2));
        misfortune.at("save");
      }).detach();
    }
    if (step % 10 == unlucky_step) {
      zero::save_checkpoint(engine, arguments.folder, {.tag = "step-" + std::to_string(step)});
    }
  }
}

char const* name(zero::CommunicationFailure kind) {
  switch (kind) {
    case zero::CommunicationFailure::peer_failed:
      return "peer_failed";
    case zero::CommunicationFailure::deadline:
      return "deadline";
    case zero::CommunicationFailure::mismatch:
      return "mismatch";
    default:
      return "transport";
  }
}

/// The others report, too: those of other hosts have their own deadlines, and half a second more, where rank 0 is the
/// one that is stopped and tells nobody of a failure.
[[noreturn]] void report(int rank, std::string const& line, bool is_deadline = false) {
  std::string const whole = "rank " + std::to_string(rank) + ": " + line + "\n";
  (void)!::write(STDERR_FILENO, whole.data(), whole.size());
  std::this_thread::sleep_for(std::chrono::milliseconds(is_deadline ? 1000 : 500));
  MPI_Abort(MPI_COMM_WORLD, 3);
  std::_Exit(3);
}

}  // namespace

// In front of MPI's and the system's.
extern "C" {

int MPI_Iallgather(void const* send, int count, MPI_Datatype type, void* receive, int received, MPI_Datatype into,
                   MPI_Comm communicator, MPI_Request* request) {
  bool const is_ours = construction.misfortune != nullptr && ++construction.meetings > 0;
  if (is_ours && construction.meetings == 1) construction.misfortune->at("cards");
  if (is_ours && construction.meetings == construction.last_meeting) construction.misfortune->at("connected");
  int const result = PMPI_Iallgather(send, count, type, receive, received, into, communicator, request);
  if (is_ours) construction.telling = *request;
  return result;
}

int MPI_Test(MPI_Request* request, int* done, MPI_Status* status) {
  bool const is_ours = construction.misfortune != nullptr && construction.meetings == construction.last_meeting - 1 &&
                       *request == construction.telling;
  int const result = PMPI_Test(request, done, status);
  if (is_ours && *done != 0) construction.misfortune->at("sockets");
  return result;
}

int memfd_create(char const* name, unsigned int flags) noexcept {
  if (std::string_view(name) == "zero" && construction.misses_memory(false)) {
    errno = EMFILE;
    return -1;
  }
  return static_cast<int>(::syscall(SYS_memfd_create, name, flags));
}

int fsync(int file) {
  if (sync_fails != nullptr) {
    try {
      sync_fails->at("save");
    } catch (std::runtime_error const&) {  // as the system says it
      errno = EIO;
      return -1;
    }
  }
  return static_cast<int>(::syscall(SYS_fsync, file));
}

ssize_t recvmsg(int socket, msghdr* message, int flags) {
  auto const got = ::syscall(SYS_recvmsg, socket, message, flags);
  auto* const entry = got > 0 ? CMSG_FIRSTHDR(message) : nullptr;
  bool const has_memory = entry != nullptr && entry->cmsg_level == SOL_SOCKET && entry->cmsg_type == SCM_RIGHTS;
  if (has_memory && construction.misses_memory(true)) {
    int descriptor = -1;
    std::memcpy(&descriptor, CMSG_DATA(entry), sizeof descriptor);
    (void)::close(descriptor);
    message->msg_controllen = 0;
    message->msg_flags |= MSG_CTRUNC;
  }
  return got;
}

}  // extern "C"

int main(int argc, char** argv) {
  if (argc != 6) return 2;
  Arguments const arguments{argv[1], argv[2], std::atoi(argv[3]), argv[4], argv[5]};
  int level = 0, rank = 0;
  MPI_Init_thread(&argc, &argv, MPI_THREAD_FUNNELED, &level);
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  // What launchers send where a rank has died: all are to say what they know.
  for (int const signal : {SIGTERM, SIGUSR1}) (void)std::signal(signal, SIG_IGN);
  Misfortune misfortune(arguments, rank);
  try {
    train(misfortune, arguments, rank);
  } catch (zero::CommunicationError const& error) {
    report(rank,
           std::string(name(error.kind())) + " of rank " + std::to_string(error.where().rank) + ", " +
               std::to_string(misfortune.since()) + " ms later: " + error.what(),
           error.kind() == zero::CommunicationFailure::deadline);
  } catch (std::exception const& error) {
    report(rank, std::string("error: ") + error.what());
  }
  MPI_Finalize();
  if (rank == 0) std::puts("nothing has happened");
}
