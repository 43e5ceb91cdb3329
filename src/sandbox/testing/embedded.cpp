#include "sandbox/testing/embedded.hpp"

#include <filesystem>
#include <utility>

#include <fmt/format.h>

#include "async/runtime.hpp"
#include "async/scope.hpp"
#include "base/error.hpp"
#include "json/yaml.hpp"
#include "kube/follow.hpp"

namespace mtc::sandbox::testing {
namespace {

constexpr auto kPatience = std::chrono::seconds(30);

Task<void> run_on_cluster(ClusterOptions options, std::function<Task<void>(Cluster*)> use) {
  const auto cluster = co_await Cluster::start(std::move(options));
  std::exception_ptr failure;
  try {
    co_await use(cluster.get());
  } catch (...) {  // The cluster stops first.
    failure = std::current_exception();
  }
  co_await cluster->stop();
  if (failure) std::rethrow_exception(failure);
}

kube::ObjectKey key_in_default(const kube::ResourceType& type, const std::string& name) {
  return {type.namespaced ? "default" : "", name};
}

Task<void> wait_for(kube::ClientPtr client, kube::ResourceType type, std::string name,
                    std::function<bool(const std::optional<Json>&)> done) {
  const auto key = key_in_default(type, name);
  if (co_await kube::wait_until(client, type, key, kPatience, std::move(done))) co_return;
  const auto object = co_await client->get(type, key);
  throw Error(Code::kTimeout,
              fmt::format("{} {} is {}", type.plural, name, object ? dump(*object) : std::string("not there")));
}

}  // namespace

void on_cluster(ClusterOptions options, std::function<Task<void>(Cluster*)> use) {
  async::Runtime().run(run_on_cluster(std::move(options), std::move(use)));
}

Json in_default(const std::string& name, const std::string& yaml) {
  auto out = parse_yaml_one(yaml);
  out["metadata"]["namespace"] = "default";
  out["metadata"]["name"] = name;
  return out;
}

Task<Json> when(kube::ClientPtr client, kube::ResourceType type, std::string name,
                std::function<bool(const Json&)> done) {
  std::optional<Json> last;
  co_await wait_for(client, type, name, [&last, &done](const std::optional<Json>& object) {
    last = object;
    return object && done(*object);
  });
  co_return std::move(*last);
}

Task<void> when_gone(kube::ClientPtr client, kube::ResourceType type, std::string name) {
  co_await wait_for(client, type, name, [](const std::optional<Json>& object) { return !object; });
}

Task<void> when_told(kube::ClientPtr client, std::string about, std::string words) {
  const auto is_meant = [about, words](const Json& event) {
    return string_at(event, "involvedObject.name") == about && string_at(event, "message").contains(words);
  };
  auto search = [](kube::ClientPtr from, std::function<bool(const Json&)> meant) -> Task<void> {
    const auto page = co_await from->list(kube::types::events(), "default", {});
    for (const auto& event : page.items) {
      if (meant(event)) co_return;
    }
    const auto watch =
        co_await from->watch(kube::types::events(), "default", {.resource_version = page.resource_version});
    while (const auto event = co_await watch->next()) {
      if (event->type == kube::WatchEvent::Type::kAdded && meant(event->object)) co_return;
    }
  };
  co_await async::with_timeout(kPatience, fmt::format("an event about {} that says \"{}\"", about, words),
                               search(client, is_meant));
}

std::function<bool(const Json&)> has(std::string path, std::string text) {
  return [path, text](const Json& object) { return string_at(object, path) == text; };
}

StateFile::StateFile()
    : folder_(std::filesystem::temp_directory_path() / ("mtc-sandbox-test-" + name_suffix(system_rng(), 10))) {
  std::filesystem::create_directory(folder_);
}
StateFile::~StateFile() { std::filesystem::remove_all(folder_); }

}  // namespace mtc::sandbox::testing
