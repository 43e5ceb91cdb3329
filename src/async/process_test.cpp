#include "async/process.hpp"

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <sys/socket.h>
#include <unistd.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "async/runtime.hpp"
#include "async/scope.hpp"
#include "base/error.hpp"
#include "base/rng.hpp"

namespace mtc::async {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;
using testing::HasSubstr;

class Folder {
 public:
  Folder() { fs::create_directory(path_); }
  ~Folder() { fs::remove_all(path_); }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  Command shell(const std::string& script) const {
    return {"/bin/sh", {"sh", "-c", script}, {"PATH=/usr/bin:/bin", "GREETING=hello"}, path_.string(), output()};
  }
  std::string output() const { return (path_ / "output").string(); }
  std::string printed() const {
    std::ostringstream text;
    text << std::ifstream(output()).rdbuf();
    return text.str();
  }

 private:
  fs::path path_ = fs::temp_directory_path() / ("mtc-process-" + name_suffix(system_rng(), 10));
};

Task<void> run_to_the_end(Command command, ExitStatus* status) {
  auto process = co_await Process::start(std::move(command));
  *status = co_await process.wait();
}

ExitStatus run(Command command) {
  ExitStatus status;
  Runtime().run(run_to_the_end(std::move(command), &status));
  return status;
}

TEST(Process, RunsAProgramToItsEnd) {
  const Folder folder;
  EXPECT_EQ(run(folder.shell("pwd; echo $GREETING $0; echo oops >&2; exit 7")).code, 7);
  EXPECT_THAT(folder.printed(), HasSubstr("/mtc-process-"));
  EXPECT_THAT(folder.printed(), HasSubstr("\nhello sh\noops\n"));
}

TEST(Process, InheritsNothing) {
  const Folder folder;
  setenv("MTC_TEST_OF_THE_PARENT", "seen", 1);
  const int leaking = socket(AF_INET, SOCK_STREAM, 0);
  EXPECT_EQ(run(folder.shell("env; ls /proc/self/fd | wc -l")).code, 0);
  close(leaking);
  unsetenv("MTC_TEST_OF_THE_PARENT");
  EXPECT_THAT(folder.printed(), testing::Not(HasSubstr("MTC_TEST_OF_THE_PARENT")));
  EXPECT_THAT(folder.printed(), testing::EndsWith("\n4\n"));  // its own three, and the folder that ls reads
}

TEST(Process, SaysWhyAProgramCannotRun) {
  const Folder folder;
  auto command = folder.shell("");
  command.program = "/no/such/program";
  try {
    run(command);
    FAIL();
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("/no/such/program cannot be run"));
    EXPECT_THAT(error.what(), HasSubstr("No such file or directory"));
  }
}

TEST(Process, EndsBySignals) {
  const Folder folder;
  ExitStatus status;
  Runtime().run([](Command command, ExitStatus* out) -> Task<void> {
    auto process = co_await Process::start(std::move(command));
    process.signal(SIGTERM);
    *out = co_await process.wait();
    EXPECT_EQ((co_await process.wait()).code, out->code);  // told again
    process.signal(SIGTERM);                               // of no effect
  }(folder.shell("sleep 600"), &status));
  EXPECT_EQ(status.signal, SIGTERM);
  EXPECT_EQ(status.code, 128 + SIGTERM);
}

/// What a process waits for that writes its id first.
Task<pid_t> id_in(std::string file) {
  for (;;) {
    std::ifstream text(file);
    if (pid_t id = 0; text >> id && text.get() == '\n') co_return id;
    co_await yield();
  }
}

TEST(Process, DoesNotOutliveItsOwner) {
  const Folder folder;
  pid_t id = 0;
  Runtime().run([](Command command, pid_t* out) -> Task<void> {
    const auto process = co_await Process::start(command);
    *out = co_await with_timeout(20s, "the process to write", id_in(command.output));
  }(folder.shell("echo $$; sleep 600"), &id));
  EXPECT_GT(id, 0);
  EXPECT_EQ(kill(id, 0), -1);
}

TEST(Process, ACancelledWaitLeavesItRunning) {
  const Folder folder;
  ExitStatus status;
  Runtime().run([](Command command, ExitStatus* out) -> Task<void> {
    auto process = co_await Process::start(std::move(command));
    auto scope = co_await Scope::create();
    scope.spawn([](Process* waited) -> Task<void> { co_await waited->wait(); }(&process));
    co_await yield();
    co_await scope.cancel_and_join();
    process.signal(SIGKILL);
    *out = co_await process.wait();
  }(folder.shell("sleep 600"), &status));
  EXPECT_EQ(status.signal, SIGKILL);
}

}  // namespace
}  // namespace mtc::async
