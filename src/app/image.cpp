#include "app/image.hpp"

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <optional>
#include <sstream>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "async/runtime.hpp"
#include "async/scope.hpp"
#include "base/error.hpp"
#include "cli/exit_code.hpp"
#include "cli/files.hpp"
#include "cli/user_error.hpp"
#include "json/json.hpp"
#include "oci/copy.hpp"

namespace mtc::app {
namespace {

using SteadyClock = std::chrono::steady_clock;
constexpr std::size_t kImagesAtOnce = 8;

/// An image and where it is to go.
struct Pair {
  oci::Reference from, to;
};

oci::Reference reference_of(const std::string& text, const cli::Console& console) {
  try {
    return oci::Reference::parse(text);
  } catch (const Error& error) {
    throw cli::UserError(error.code(), error.message(), console.command("image copy --help"));
  }
}

/// A destination that names no tag gets the source's, so that it can be found again.
Pair pair_of(const std::string& from, const std::string& to, const cli::Console& console) {
  Pair out{reference_of(from, console), reference_of(to, console)};
  if (out.to.digest) {
    throw cli::UserError(Code::kInvalid, to + " names a digest: a copy has that of its source, so name a tag or none",
                         console.command("image copy --help"));
  }
  if (out.to.tag.empty()) out.to.tag = out.from.tag.empty() && !out.from.digest ? "latest" : out.from.tag;
  return out;
}

std::vector<Pair> pairs_of(const cli::ImageCopyOptions& options, const cli::Console& console) {
  if (options.list.empty()) return {pair_of(options.source, options.destination, console)};
  std::vector<Pair> out;
  std::istringstream lines(cli::read_file(options.list, "list of images"));
  std::string line;
  for (std::size_t number = 1; std::getline(lines, line); ++number) {
    std::istringstream words(line);
    std::string from, to, more;
    words >> from >> to >> more;
    if (from.empty() || from.starts_with('#')) continue;
    if (to.empty() || !more.empty()) {
      throw cli::UserError(Code::kInvalid,
                           fmt::format("{}:{} is no SOURCE and DESTINATION: {}", options.list, number, line),
                           console.command("image copy --help"));
    }
    out.push_back(pair_of(from, to, console));
  }
  return out;
}

std::optional<std::string> config_of_docker() {
  // NOLINTBEGIN(concurrency-mt-unsafe): nobody sets them
  const char* folder = std::getenv("DOCKER_CONFIG");
  const char* home = std::getenv("HOME");
  // NOLINTEND(concurrency-mt-unsafe)
  if (folder == nullptr && home == nullptr) return std::nullopt;
  const auto path = folder != nullptr ? std::filesystem::path(folder) : std::filesystem::path(home) / ".docker";
  std::error_code absent;
  if (!std::filesystem::exists(path / "config.json", absent)) return std::nullopt;
  return (path / "config.json").string();
}

oci::Keyring keyring_of(const cli::ImageCopyOptions& options) {
  const auto path = options.credentials.empty() ? config_of_docker() : std::optional(options.credentials);
  return path ? oci::Keyring::of_config_json(cli::read_file(*path, "credentials file")) : oci::Keyring();
}

/// The registries of one side. Repositories of one may have credentials of their own.
class Registries {
 public:
  Registries(oci::Access access, const cli::RegistryEnd& end, oci::Keyring keyring)
      : access_(access), end_(end), keyring_(std::move(keyring)) {
    if (!end_.ca.empty()) ca_pem_ = cli::read_file(end_.ca, "CA file");
  }

  oci::Place place_of(const oci::Reference& at, std::string target) {
    auto credentials = keyring_.lookup(at);
    auto& known = registries_[at.registry];
    for (const auto& [with, registry] : known) {
      if (with == credentials) return {registry, at.repository, std::move(target)};
    }
    auto registry = oci::make_registry({.host = at.registry,
                                        .access = access_,
                                        .security = end_.insecure ? oci::Security::kInsecure : oci::Security::kVerified,
                                        .ca_pem = ca_pem_,
                                        .credentials = credentials});
    known.emplace_back(std::move(credentials), registry);
    return {std::move(registry), at.repository, std::move(target)};
  }

 private:
  oci::Access access_;
  cli::RegistryEnd end_;
  oci::Keyring keyring_;
  std::string ca_pem_;
  std::map<std::string, std::vector<std::pair<std::vector<oci::Credential>, oci::RegistryPtr>>> registries_;
};

std::string megabytes(std::uint64_t bytes) { return fmt::format("{:.1f} MB", static_cast<double>(bytes) / 1e6); }

std::string advice_for(const Error& error, const cli::Console& console) {
  if (error.code() == Code::kUnauthorized || error.code() == Code::kForbidden)
    return console.command("image copy --credentials FILE") + "   (a config.json, as `docker login` writes it)";
  return console.command("image copy --help");
}

/// What all copies of one command share.
struct Copying {
  Copying(const cli::ImageCopyOptions& with, cli::Console* to)
      : pairs(pairs_of(with, *to)),
        console(to),
        json(with.output == "json"),
        sources(oci::Access::kPull, with.from, keyring_of(with)),
        destinations(oci::Access::kPush, with.to, keyring_of(with)),
        copier(with.parallel) {}

  std::vector<Pair> pairs;
  cli::Console* console;
  bool json;
  Registries sources, destinations;
  oci::Copier copier;
  std::size_t failed = 0;

  void tell(const Pair& pair, const oci::CopyResult& result, double seconds) const {
    if (json) {
      const Json line = {{"source", pair.from.str()},
                         {"destination", pair.to.str()},
                         {"digest", result.digest.str()},
                         {"bytesCopied", result.bytes_copied},
                         {"bytesMounted", result.bytes_mounted},
                         {"bytesSkipped", result.bytes_skipped},
                         {"foreignLayers", result.foreign_layers},
                         {"seconds", seconds}};
      return console->out(dump(line) + "\n");
    }
    auto text = fmt::format("{} -> {}  {}  {} copied, {} from other repositories there, {} found there, {:.1f} s",
                            pair.from.str(), pair.to.str(), result.digest.str(), megabytes(result.bytes_copied),
                            megabytes(result.bytes_mounted), megabytes(result.bytes_skipped), seconds);
    if (result.foreign_layers > 0)
      text += fmt::format("; {} foreign layers stay where they are", result.foreign_layers);
    console->out(text + "\n");
  }

  void tell(const Pair& pair, const Error& error) {
    ++failed;
    if (!json) {
      const auto what = fmt::format("{} -> {}: {}", pair.from.str(), pair.to.str(), error.what());
      return cli::tell(cli::UserError(error.code(), what, advice_for(error, *console)), *console);
    }
    const Json line = {{"source", pair.from.str()}, {"destination", pair.to.str()}, {"error", error.what()}};
    console->out(dump(line) + "\n");
  }
};

Task<void> copy_one(Copying* copying, const Pair* pair) {
  const auto begun = SteadyClock::now();
  std::optional<Error> failure;
  try {
    const auto result =
        co_await copying->copier.copy({.from = copying->sources.place_of(pair->from, pair->from.target()),
                                       .to = copying->destinations.place_of(pair->to, pair->to.tag)});
    copying->tell(*pair, result, std::chrono::duration<double>(SteadyClock::now() - begun).count());
  } catch (const Error& error) {
    failure = error;
  }
  if (failure) copying->tell(*pair, *failure);
}

Task<void> copy_all(Copying* copying) {
  return async::parallel_for(copying->pairs.size(), kImagesAtOnce,
                             [copying](std::size_t i) { return copy_one(copying, &copying->pairs[i]); });
}

}  // namespace

int run_image_copy(const cli::ImageCopyOptions& options, cli::Console& console) {
  async::Runtime runtime;
  Copying copying(options, &console);  // its connections end before what they run on
  if (!runtime.run_until_signal(copy_all(&copying))) return cli::kInterrupted;
  return copying.failed == 0 ? cli::kOk : cli::kFailed;
}

}  // namespace mtc::app
