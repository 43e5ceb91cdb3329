#include "oci/testing/docker_registry.hpp"

#include <csignal>
#include <exception>
#include <filesystem>
#include <fstream>
#include <sstream>

#include <fmt/format.h>

#include "async/file_changes.hpp"
#include "async/process.hpp"
#include "async/scope.hpp"
#include "base/error.hpp"
#include "base/rng.hpp"

namespace mtc::oci::testing {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

constexpr const char* kProgram = "/usr/bin/docker-registry";

class Folder {
 public:
  Folder() { fs::create_directories(path_); }
  ~Folder() { fs::remove_all(path_); }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  std::string file(const std::string& name) const { return (path_ / name).string(); }
  std::string write(const std::string& name, const std::string& text) const {
    std::ofstream(file(name)) << text;
    return file(name);
  }
  std::string read(const std::string& name) const {
    std::ostringstream text;
    text << std::ifstream(file(name)).rdbuf();
    return text.str();
  }

 private:
  fs::path path_ = fs::temp_directory_path() / ("mtc-registry-" + name_suffix(system_rng(), 10));
};

std::string configuration(const DockerRegistry& registry, const Folder& folder) {
  auto auth = registry.auth;
  for (auto at = auth.find("FOLDER/"); at != std::string::npos; at = auth.find("FOLDER/")) {
    auth.replace(at, 7, folder.file(""));
  }
  auto text = fmt::format(
      "version: 0.1\nlog: {{level: info, formatter: text, accesslog: {{disabled: true}}}}\nstorage: {{filesystem: "
      "{{rootdirectory: {}}}, delete: {{enabled: "
      "true}}}}\nhttp:\n  addr: 127.0.0.1:0\n  secret: test\n",
      folder.file("storage"));
  if (!registry.cert_pem.empty()) {
    text += fmt::format("  tls: {{certificate: {}, key: {}}}\n", folder.write("cert.pem", registry.cert_pem),
                        folder.write("key.pem", registry.key_pem));
  }
  if (!auth.empty()) text += "auth: " + auth + "\n";
  return text;
}

/// The port is the system's choice; the log tells it.
Task<std::string> address(const Folder* folder) {
  constexpr std::string_view before = "listening on ";
  auto changes = co_await async::FileChanges::of(folder->file("log"));
  for (;;) {
    const auto log = folder->read("log");
    const auto at = log.find(before);
    const auto end = log.find_first_of(",\"", at == std::string::npos ? log.size() : at);
    if (end != std::string::npos) co_return log.substr(at + before.size(), end - at - before.size());
    co_await changes.next();
  }
}

}  // namespace

bool DockerRegistry::installed() { return fs::exists(kProgram); }

Task<void> DockerRegistry::run(std::function<Task<void>(std::string host)> use) const {
  const Folder folder;
  folder.write("token-ca.pem", token_ca_pem);
  folder.write("htpasswd", htpasswd);
  folder.write("log", "");
  const auto config = folder.write("config.yml", configuration(*this, folder));
  auto process = co_await async::Process::start(
      {kProgram, {"docker-registry", "serve", config}, {"HOME=/"}, folder.file(""), folder.file("log")});
  std::exception_ptr failure;
  try {
    const auto host = co_await async::with_timeout(60s, "docker-registry starts", address(&folder));
    co_await use(host);
  } catch (...) {  // The registry ends first.
    failure = std::current_exception();
  }
  process.signal(SIGKILL);
  co_await process.wait();
  if (failure) std::rethrow_exception(failure);
}

}  // namespace mtc::oci::testing
