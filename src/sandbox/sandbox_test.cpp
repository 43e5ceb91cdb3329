#include <cstdlib>
#include <filesystem>

#include <gtest/gtest.h>

#include "async/runtime.hpp"
#include "base/error.hpp"
#include "json/json.hpp"
#include "sandbox/cluster.hpp"
#include "sandbox/testing/conformance.hpp"

namespace mtc::sandbox {
namespace {

using testing::Case;

/// Runs `use` on an embedded cluster, or on the real one that MTC_TEST_KUBECONFIG names.
Task<void> on_server(std::function<Task<void>(kube::ClientPtr, kube::Connection)> use) {
  if (const char* real = std::getenv("MTC_TEST_KUBECONFIG")) {
    const auto connection = kube::Kubeconfig::load(real).connection();
    co_return co_await use(kube::make_client(connection), connection);
  }
  const auto cluster = co_await Cluster::start({});
  std::exception_ptr failure;
  try {
    co_await use(cluster->client(), cluster->admin());
  } catch (...) {
    failure = std::current_exception();
  }
  co_await cluster->stop();
  if (failure) std::rethrow_exception(failure);
}

class Conformance : public ::testing::TestWithParam<Case> {};

TEST_P(Conformance, Case) {
  async::Runtime().run(on_server([what = GetParam()](kube::ClientPtr client, kube::Connection connection) {
    return testing::run_case(client, connection, what);
  }));
}

INSTANTIATE_TEST_SUITE_P(Server, Conformance, ::testing::ValuesIn(testing::conformance_cases()),
                         [](const auto& info) { return info.param.name; });

TEST(Cluster, ForgetsNothingWhenItIsStartedAgain) {
  const auto file = std::filesystem::temp_directory_path() / ("mtc-sandbox-" + name_suffix(system_rng(), 10) + ".db");
  async::Runtime().run([](std::string state) -> Task<void> {
    std::string ca, uid;
    for (int start = 0; start < 2; ++start) {
      const auto cluster = co_await Cluster::start({.state = state});
      const auto client = cluster->client();
      if (start == 0) {
        uid = kube::uid_of(co_await client->create(kube::types::config_maps(),
                                                   {{"metadata", {{"namespace", "default"}, {"name", "kept"}}}}));
        ca = cluster->ca_pem();
      } else {
        EXPECT_EQ(kube::uid_of(*co_await client->get(kube::types::config_maps(), {"default", "kept"})), uid);
        EXPECT_EQ(cluster->ca_pem(), ca);
      }
      co_await cluster->stop();
    }
  }(file.string()));
  for (const auto* suffix : {"", "-wal", "-shm"}) std::filesystem::remove(file.string() + suffix);
}

TEST(Cluster, RefusesTokensThatAreNotItsOwn) {
  async::Runtime().run([]() -> Task<void> {
    const auto cluster = co_await Cluster::start({});
    auto connection = cluster->admin();
    connection.client_cert_pem.clear();
    connection.client_key_pem = Secret();
    connection.token = Secret("wrong");
    const auto client = kube::make_client(connection);
    std::optional<Code> code;
    try {
      co_await client->list(kube::types::pods(), "default", {});
    } catch (const Error& error) {
      code = error.code();
    }
    EXPECT_EQ(code, Code::kUnauthorized);
    co_await cluster->stop();
  }());
}

}  // namespace
}  // namespace mtc::sandbox
