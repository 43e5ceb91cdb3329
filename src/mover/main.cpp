// mover_program send ROOT HOST PORT | receive ROOT HOST PORT: both ends of a move, for tests and measurements. Reads
// ca.pem, cert.pem and key.pem in the folder IDENTITY; `mover_program identity FOLDER HOST` makes such a folder. The
// receiver prints its port first. Options, before the command: --verify --delete --by-hash --lanes N --pack
// never|always.

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <span>
#include <sys/resource.h>
#include <vector>

#include <fmt/format.h>

#include "async/runtime.hpp"
#include "base/encoding.hpp"
#include "base/error.hpp"
#include "mover/mover.hpp"
#include "volume/file_error.hpp"

namespace {

using namespace mtc;  // NOLINT(google-build-using-namespace): a program of one file

std::string slurp(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) throw Error(Code::kNotFound, "cannot read " + path.string());
  return {std::istreambuf_iterator<char>(in), {}};
}

void make_identity(const std::filesystem::path& folder, const std::string& host) {
  std::filesystem::create_directories(folder);
  const auto ca = net::make_ca("mover authority", system_clock().now());
  const auto leaf = net::issue_certificate(ca, "mover", {host}, {}, system_clock().now(), std::chrono::hours(24));
  std::ofstream(folder / "ca.pem") << ca.cert_pem;
  std::ofstream(folder / "cert.pem") << leaf.cert_pem;
  std::ofstream(folder / "key.pem") << leaf.key_pem.reveal();
}

mover::Identity identity() {
  const char* where = std::getenv("IDENTITY");  // NOLINT(concurrency-mt-unsafe): before any thread
  const std::filesystem::path folder = where != nullptr ? where : ".";
  return {slurp(folder / "ca.pem"), {slurp(folder / "cert.pem"), Secret(slurp(folder / "key.pem"))}};
}

void print(const volume::Report& report) {
  rusage used{};
  getrusage(RUSAGE_SELF, &used);
  fmt::print(
      "entries {} files {} bytes {} skipped {} deleted {} failed {} changed {} differing {} root {} memory {} KiB\n",
      report.entries, report.files, report.bytes, report.skipped, report.deleted, report.failed, report.changed_count,
      report.differing, hex(report.destination_root), used.ru_maxrss);
  for (const auto& each : report.failures) fmt::print("failed {}: {}\n", volume::printable(each.path), each.what);
  for (const auto& each : report.changed) fmt::print("changed {}: {}\n", volume::printable(each.path), each.what);
  for (const auto& each : report.not_kept) fmt::print("not kept {}: {}\n", volume::printable(each.path), each.what);
  for (const auto& each : report.differences) fmt::print("differs {}: {}\n", volume::printable(each.path), each.what);
}

Task<void> receive(std::string root, net::Endpoint at, volume::Report* into) {
  const auto listener = co_await net::listen_tcp(at);
  fmt::print("{}\n", listener->local().port);
  std::fflush(stdout);
  *into = co_await mover::receive({root, identity()}, listener.get());
}

Task<void> send(mover::SendOptions options, volume::Report* into) {
  *into = co_await mover::send(options, net::tcp_connector());
}

int run(std::vector<std::string> words) {
  mover::SendOptions options;
  std::size_t at = 0;
  for (; at < words.size() && words[at].starts_with("--"); ++at) {
    if (words[at] == "--verify") options.wishes.verify = true;
    if (words[at] == "--delete") options.wishes.remove_extras = true;
    if (words[at] == "--by-hash") options.wishes.by_hash = true;
    if (words[at] == "--lanes" && at + 1 < words.size()) options.lanes = static_cast<unsigned>(std::stoul(words[++at]));
    if (words[at] == "--pack" && at + 1 < words.size()) {
      options.compression = words[++at] == "always" ? volume::Compression::kAlways : volume::Compression::kNever;
    }
  }
  words.erase(words.begin(), words.begin() + static_cast<std::ptrdiff_t>(at));
  if (words.size() == 3 && words[0] == "identity") {
    make_identity(words[1], words[2]);
    return 0;
  }
  if (words.size() != 4) return 2;
  const net::Endpoint where{words[2], static_cast<std::uint16_t>(std::stoul(words[3]))};
  async::Runtime runtime(4);
  volume::Report report;
  if (words[0] == "receive") {
    runtime.run(receive(words[1], where, &report));
  } else {
    options.root = words[1];
    options.to = where;
    options.identity = identity();
    runtime.run(send(options, &report));
  }
  print(report);
  return report.complete() ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    const std::span<char*> words(argv, static_cast<std::size_t>(argc));
    return run({words.begin() + 1, words.end()});
  } catch (const std::exception& failure) {
    fmt::print(stderr, "mover_program: {}\n", failure.what());
    return 1;
  }
}
