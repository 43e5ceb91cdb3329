#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <functional>
#include <string>

#include "async/runtime.hpp"
#include "base/error.hpp"
#include "http/testing/test_server.hpp"
#include "json/json.hpp"
#include "kube/rest_client.hpp"

// Any body as an API server's answer to a get, a list, a watch and to discovery: an Error, or values that can be
// written.

namespace mtc::kube {
namespace {

using http::testing::ScriptedPeer;

ClientPtr client_that_hears(std::string_view body) {
  const auto answer =
      "HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + std::string(body);
  http::ClientOptions options;
  options.origin = http::Url::parse("http://cluster");
  options.connector = std::make_shared<ScriptedPeer>(
      std::vector<ScriptedPeer::Script>(4, {answer + answer, ScriptedPeer::Then::kClose}));
  return make_rest_client(http::Client(options), "http://cluster", make_credentials({}, system_clock()),
                          std::chrono::seconds(30));
}

Task<void> get(ClientPtr client) {
  if (const auto object = co_await client->get(types::pods(), {"shop", "web"})) dump(*object);
}

Task<void> list(ClientPtr client) {
  const auto page = co_await client->list(types::pods(), "shop", {});
  for (const auto& item : page.items) {
    if (string_at(item, "kind") != "Pod") std::abort();
  }
}

Task<void> watch(ClientPtr client) {
  const auto events = co_await client->watch(types::pods(), "shop", {});
  while (const auto event = co_await events->next()) dump(event->object);
}

Task<void> discover_all(ClientPtr client) {
  const auto discovery = co_await client->discovery();
  for (const auto& entry : discovery->entries()) {
    if (discovery->find_exact(entry.type.group, entry.type.version, entry.type.plural) == nullptr) std::abort();
  }
}

Task<void> ends(Task<void> request) {
  try {
    co_await std::move(request);
  } catch (const Error& error) {
    if (error.code() == Code::kInternal || error.code() == Code::kTimeout) std::abort();
  }
}

}  // namespace
}  // namespace mtc::kube

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace mtc::kube;
  static mtc::async::Runtime runtime;
  const std::string_view body(reinterpret_cast<const char*>(data), size);
  for (auto* request : {get, list, watch, discover_all}) runtime.run(ends(request(client_that_hears(body))));
  return 0;
}
