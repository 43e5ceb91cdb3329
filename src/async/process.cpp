#include "async/process.hpp"

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <optional>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <utility>

#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <fmt/format.h>

#include "async/runtime.hpp"
#include "base/error.hpp"

namespace mtc::async {
namespace {

namespace asio = boost::asio;

constexpr int kReport = 3;      ///< in the child: where it says why it could not become the program
constexpr int kFirstFree = 10;  ///< above all that the child gives numbers of its own
constexpr int kNotRun = 127;

[[noreturn]] void fail(const std::string& what, int cause) {
  throw Error(Code::kUnavailable, fmt::format("{}: {}", what, std::strerror(cause)));
}

/// An open file, out of the way of the child's own numbers.
class Descriptor {
 public:
  Descriptor(int opened, const std::string& what) {
    if (opened < 0) fail(what, errno);
    number_ = fcntl(opened, F_DUPFD_CLOEXEC, kFirstFree);
    const int cause = errno;
    ::close(opened);
    if (number_ < 0) fail(what, cause);
  }
  ~Descriptor() { close(); }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int number() const { return number_; }
  void close() {
    if (number_ >= 0) ::close(number_);
    number_ = -1;
  }

 private:
  int number_ = -1;
};

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> out;
  out.reserve(texts.size() + 1);
  for (auto& text : texts) out.push_back(text.data());
  out.push_back(nullptr);
  return out;
}

/// All that the child needs, made before it is there: between fork and exec, a child of a program with threads may call
/// async-signal-safe functions only.
struct Prepared {
  const char* program;
  const char* folder;
  char* const* arguments;
  char* const* environment;
  int input, output, report;
  const Credentials* credentials;  ///< null: those it has
  pid_t parent;
};

/// By the kernel's own calls: those of the C library see to other threads, which a child has none of. Returns 0 or why
/// not.
int take(const Credentials& credentials) {
  const auto& [user, group, groups] = credentials;
  const bool taken = syscall(SYS_setgroups, groups.size(), groups.data()) == 0 &&
                     syscall(SYS_setresgid, group, group, group) == 0 && syscall(SYS_setresuid, user, user, user) == 0;
  return taken ? 0 : errno;
}

[[noreturn]] void give_up(int cause) {
  [[maybe_unused]] const auto told = ::write(kReport, &cause, sizeof cause);
  _exit(kNotRun);
}

[[noreturn]] void become(const Prepared& what) {
  setsid();
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  signal(SIGPIPE, SIG_DFL);
  umask(S_IWGRP | S_IWOTH);
  dup2(what.input, STDIN_FILENO);
  dup2(what.output, STDOUT_FILENO);
  dup2(what.output, STDERR_FILENO);
  dup2(what.report, kReport);
  fcntl(kReport, F_SETFD, FD_CLOEXEC);
  closefrom(kReport + 1);  // sockets of libraries are not all close-on-exec
  const int refused = what.credentials == nullptr ? 0 : take(*what.credentials);
  if (refused != 0) give_up(refused);
  prctl(PR_SET_PDEATHSIG, SIGKILL);              // after that: other credentials undo it
  if (getppid() != what.parent) _exit(kNotRun);  // it died before the kernel knew
  if (chdir(what.folder) == 0) execve(what.program, what.arguments, what.environment);
  give_up(errno);
}

/// Returns the id of the process in which the program runs. Takes about a millisecond.
pid_t launch(Command& command) {
  constexpr mode_t mode = 0600;
  const Descriptor input(open("/dev/null", O_RDONLY | O_CLOEXEC), "/dev/null");
  const Descriptor output(open(command.output.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, mode),
                          command.output);
  std::array<int, 2> ends{-1, -1};
  if (pipe2(ends.data(), O_CLOEXEC) != 0) fail("no pipe for " + command.program, errno);
  const Descriptor reader(ends[0], "no pipe");
  Descriptor writer(ends[1], "no pipe");
  const auto arguments = pointers(command.arguments), environment = pointers(command.environment);
  const Prepared prepared{command.program.c_str(),
                          command.folder.c_str(),
                          arguments.data(),
                          environment.data(),
                          input.number(),
                          output.number(),
                          writer.number(),
                          command.credentials ? &*command.credentials : nullptr,
                          getpid()};
  const pid_t child = fork();
  if (child == 0) become(prepared);
  if (child < 0) fail(command.program + " cannot be run", errno);
  writer.close();
  int cause = 0;
  const auto told = ::read(reader.number(), &cause, sizeof cause);
  if (told == 0) return child;  // the program has taken over, and with it the pipe closed
  waitpid(child, nullptr, 0);
  fail(fmt::format("{} cannot be run in {}", command.program, command.folder), cause);
}

ExitStatus status_of(int waited) {
  if (!WIFSIGNALED(waited)) return {WEXITSTATUS(waited), 0};
  constexpr int by_signal = 128;
  return {by_signal + WTERMSIG(waited), WTERMSIG(waited)};
}

}  // namespace

struct Process::State {
  State(pid_t child, const asio::any_io_executor& executor) : id(child), handle(executor) {}
  pid_t id;
  asio::posix::stream_descriptor handle;  ///< a pidfd: readable when the process has ended
  std::optional<ExitStatus> ended;
};

Process::Process(std::unique_ptr<State> state) : state_(std::move(state)) {}
Process::Process(Process&&) noexcept = default;

Process::~Process() {
  if (!state_ || state_->ended) return;
  ::kill(-state_->id, SIGKILL);
  waitpid(state_->id, nullptr, 0);
}

Task<Process> Process::start(Command command) {
  const auto executor = co_await asio::this_coro::executor;
  const auto child = co_await offload([&command] { return launch(command); });
  Process process(std::make_unique<State>(child, executor));
  const auto handle = static_cast<int>(syscall(SYS_pidfd_open, child, 0));  // glibc 2.36 has it, but not for C++
  if (handle < 0) fail(command.program + " cannot be watched", errno);
  process.state_->handle.assign(handle);
  co_return process;
}

void Process::signal(int number) {
  if (!state_->ended) ::kill(-state_->id, number);
}

Task<ExitStatus> Process::wait() {
  co_await throw_if_cancelled();
  while (!state_->ended) {
    boost::system::error_code failure;
    co_await state_->handle.async_wait(asio::posix::stream_descriptor::wait_read,
                                       asio::redirect_error(asio::use_awaitable, failure));
    if (failure) throw boost::system::system_error(failure);
    int waited = 0;
    if (waitpid(state_->id, &waited, WNOHANG) == state_->id) state_->ended = status_of(waited);
  }
  co_return *state_->ended;
}

}  // namespace mtc::async
