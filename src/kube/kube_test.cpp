#include <cstdlib>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.hpp"
#include "http/server.hpp"
#include "json/json.hpp"
#include "kube/config.hpp"
#include "kube/event_recorder.hpp"
#include "kube/follow.hpp"
#include "kube/status.hpp"
#include "kube/testing/served.hpp"
#include "net/testing/outcome.hpp"

namespace mtc::kube {
namespace {

using namespace std::chrono_literals;
using net::testing::failure_of;
using net::testing::run;
using ::testing::HasSubstr;

/// An API server that says what it is told: one canned answer a path, and what was asked of it.
class Imposter {
 public:
  struct Answer {
    int status = 200;
    std::string body;
    http::Headers headers;
  };
  std::map<std::string, std::vector<Answer>> answers;  ///< by "METHOD path"; the last one repeats
  std::vector<std::string> asked;
  std::vector<std::string> queries;

  Task<void> handle(http::ServerRequest& request, http::ResponseWriter& writer) {
    auto name = request.method + " " + request.path;
    if (const auto token = request.param("continue"); !token.empty()) name += " continue=" + std::string(token);
    if (!request.param("watch").empty()) name += " watch";
    asked.push_back(name);
    queries.push_back(http::encode_query(request.query));
    auto& queue = answers[name];
    if (queue.empty())
      co_return co_await writer.respond(
          {404, "", {}, R"({"kind":"Status","reason":"NotFound","message":"none","code":404})"});
    const auto answer = queue.front();
    if (queue.size() > 1) queue.erase(queue.begin());
    co_await writer.respond({answer.status, "", answer.headers, answer.body});
  }
};

Task<void> with_imposter(Imposter* imposter, std::function<Task<void>(ClientPtr)> use) {
  Connection connection;
  connection.token = Secret("t0ken");
  co_await testing::with_server(imposter, std::move(connection), std::move(use));
}

TEST(Status, MapsReasonsToCodes) {
  EXPECT_EQ(code_of_status(409, "AlreadyExists"), Code::kAlreadyExists);
  EXPECT_EQ(code_of_status(409, "Conflict"), Code::kConflict);
  EXPECT_EQ(code_of_status(410, "Expired"), Code::kExpired);
  EXPECT_EQ(code_of_status(403, "Forbidden"), Code::kForbidden);
  EXPECT_EQ(code_of_status(500, ""), Code::kUnavailable);
}

TEST(Client, AnAbsentObjectIsAValueAndAnAbsentServerAnError) {
  Imposter imposter;
  imposter.answers["GET /api/v1/namespaces/shop/pods/web"] = {{404, "<html>no such page</html>", {}}};
  run(with_imposter(&imposter, [](ClientPtr client) -> Task<void> {
    EXPECT_EQ(co_await client->get(types::pods(), {"shop", "gone"}), std::nullopt);
    auto get = [](ClientPtr c) -> Task<void> { co_await c->get(types::pods(), {"shop", "web"}); };
    EXPECT_THAT(co_await failure_of(get(client)), HasSubstr("get pods shop/web at http://127.0.0.1"));
  }));
}

TEST(Client, PagesThroughAListAndNamesItsItems) {
  Imposter imposter;
  imposter.answers["GET /api/v1/namespaces/shop/pods"] = {
      {200, R"({"metadata":{"continue":"next","resourceVersion":"5"},"items":[{"metadata":{"name":"a"}}]})", {}}};
  imposter.answers["GET /api/v1/namespaces/shop/pods continue=next"] = {
      {200, R"({"metadata":{"resourceVersion":"5"},"items":[{"metadata":{"name":"b"}}]})", {}}};
  run(with_imposter(&imposter, [](ClientPtr client) -> Task<void> {
    const auto all = co_await list_all(*client, types::pods(), "shop");
    EXPECT_EQ(all.size(), 2u);
    EXPECT_EQ(string_at(all.at(1), "kind"), "Pod");
    EXPECT_EQ(string_at(all.at(1), "metadata.name"), "b");
  }));
}

TEST(Client, TriesReadsAgainAndRefusedCreatesButNotDoubtfulOnes) {
  Imposter imposter;
  const Imposter::Answer busy{500, "oops", {}};
  const Imposter::Answer slow_down{
      429, R"({"kind":"Status","reason":"TooManyRequests","message":"slow down","code":429})", {{"Retry-After", "0"}}};
  imposter.answers["GET /api/v1/namespaces/shop/pods/a"] = {busy, busy, {200, R"({"metadata":{"name":"a"}})", {}}};
  imposter.answers["POST /api/v1/namespaces/shop/pods"] = {slow_down, {201, R"({"metadata":{"name":"a"}})", {}}, busy};
  run(with_imposter(&imposter, [](ClientPtr client) -> Task<void> {
    EXPECT_TRUE(co_await client->get(types::pods(), {"shop", "a"}));
    const Json pod = {{"metadata", {{"namespace", "shop"}, {"name", "a"}}}};
    EXPECT_EQ(string_at(co_await client->create(types::pods(), pod), "metadata.name"), "a");
    auto create = [](ClientPtr c, Json object) -> Task<void> { co_await c->create(types::pods(), object); };
    EXPECT_THAT(co_await failure_of(create(client, pod)), HasSubstr("Unavailable: create pods shop/a"));
  }));
  EXPECT_EQ(std::ranges::count(imposter.asked, "POST /api/v1/namespaces/shop/pods"), 3);
}

TEST(Client, SaysThatAServerIsNoKubernetes) {
  Imposter imposter;
  imposter.answers["GET /version"] = {{200, "<html>hello</html>", {}}};
  run(with_imposter(&imposter, [](ClientPtr client) -> Task<void> {
    auto ask = [](ClientPtr c) -> Task<void> { co_await c->version(); };
    EXPECT_THAT(co_await failure_of(ask(client)), HasSubstr("no Kubernetes API there"));
  }));
}

TEST(Client, RefusesAnswersThatAreNoObjects) {
  Imposter imposter;
  imposter.answers["GET /api/v1/namespaces/shop/pods"] = {{200, R"({"items":[{"metadata":{"name":"a"}},3]})", {}}};
  imposter.answers["GET /api/v1/namespaces/shop/pods/web"] = {{200, "[]", {}}};
  imposter.answers["GET /api/v1/namespaces/shop/pods watch"] = {{200, "{\"type\":\"ADDED\",\"object\":7}\n", {}}};
  run(with_imposter(&imposter, [](ClientPtr client) -> Task<void> {
    auto list = [](ClientPtr c) -> Task<void> { co_await c->list(types::pods(), "shop", {}); };
    EXPECT_THAT(co_await failure_of(list(client)), HasSubstr("Corrupt: list pods in shop"));
    auto get = [](ClientPtr c) -> Task<void> { co_await c->get(types::pods(), {"shop", "web"}); };
    EXPECT_THAT(co_await failure_of(get(client)), HasSubstr("Corrupt: get pods shop/web"));
    auto watch = [](ClientPtr c) -> Task<void> {
      const auto events = co_await c->watch(types::pods(), "shop", {});
      co_await events->next();
    };
    EXPECT_THAT(co_await failure_of(watch(client)), HasSubstr("Corrupt: watch pods in shop"));
  }));
}

TEST(Client, ReadsTheEndOfALog) {
  Imposter imposter;
  const std::string path = "GET /api/v1/namespaces/shop/pods/";
  imposter.answers[path + "web/log"] = {{200, "one\ntwo\n", {}}};
  imposter.answers[path + "new/log"] = {
      {400,
       R"({"kind":"Status","reason":"BadRequest","code":400,"message":"container \"a\" in pod \"new\" is waiting to start: ContainerCreating"})",
       {}}};
  imposter.answers[path + "homeless/log"] = {
      {400,
       R"({"kind":"Status","reason":"BadRequest","code":400,"message":"pod homeless does not have a host assigned"})",
       {}}};
  imposter.answers[path + "odd/log"] = {
      {400,
       R"({"kind":"Status","reason":"BadRequest","code":400,"message":"container b is not valid for pod odd"})",
       {}}};
  run(with_imposter(&imposter, [](ClientPtr client) -> Task<void> {
    EXPECT_EQ(co_await client->log({"shop", "web"}), "one\ntwo\n");
    EXPECT_EQ(co_await client->log({"shop", "web"}, {.limit_bytes = 3}), "one");  // a server that sends more
    EXPECT_EQ(co_await client->log({"shop", "new"}), "");
    EXPECT_EQ(co_await client->log({"shop", "homeless"}), "");
    EXPECT_EQ(co_await client->log({"shop", "gone"}), std::nullopt);
    auto read = [](ClientPtr c) -> Task<void> { co_await c->log({"shop", "odd"}, {.container = "b"}); };
    EXPECT_THAT(co_await failure_of(read(client)), HasSubstr("Invalid: read the log of pod shop/odd at http://"));
  }));
  EXPECT_THAT(imposter.queries.front(), HasSubstr("tailLines=100&limitBytes=262144"));
}

TEST(Follow, ListsWatchesAndListsAgainAfter410) {
  Imposter imposter;
  imposter.answers["GET /api/v1/namespaces/shop/pods"] = {
      {200,
       R"({"metadata":{"resourceVersion":"5"},"items":[{"metadata":{"name":"a","uid":"1","resourceVersion":"4"}},{"metadata":{"name":"b","uid":"2","resourceVersion":"5"}}]})",
       {}},
      {200,
       R"({"metadata":{"resourceVersion":"9"},"items":[{"metadata":{"name":"a","uid":"1","resourceVersion":"4"}},{"metadata":{"name":"c","uid":"3","resourceVersion":"9"}}]})",
       {}}};
  imposter.answers["GET /api/v1/namespaces/shop/pods watch"] = {
      {200,
       R"({"type":"MODIFIED","object":{"metadata":{"name":"b","uid":"2","resourceVersion":"6"}}})"
       "\n"
       R"({"type":"ERROR","object":{"kind":"Status","code":410,"reason":"Expired","message":"too old"}})"
       "\n",
       {}},
      {200, "", {}}};
  std::vector<std::string> seen;
  run(with_imposter(&imposter, [&seen](ClientPtr client) -> Task<void> {
    auto body = [](ClientPtr c, std::vector<std::string>* out) -> Task<void> {
      async::Event enough;
      auto scope = co_await async::Scope::create();
      scope.spawn(follow(c, types::pods(), "shop", {}, [out, &enough](const Change& change) {
        constexpr const char* kNames[] = {"added ", "modified ", "deleted ", "synced"};
        out->push_back(kNames[static_cast<int>(change.type)] +
                       (change.object.is_null() ? "" : string_at(change.object, "metadata.name")));
        if (out->size() == 6) enough.set();
      }));
      co_await enough.wait();
      co_await scope.cancel_and_join();
    };
    return body(client, &seen);
  }));
  EXPECT_THAT(seen, ::testing::ElementsAre("added a", "added b", "synced", "modified b", "added c", "deleted b"));
}

TEST(Kubeconfig, ReadsWhatKubectlReads) {
  const auto config = Kubeconfig::parse(R"(
current-context: one
clusters: [{name: c, cluster: {server: "https://10.0.0.1:6443", certificate-authority-data: Zm9v, tls-server-name: api}}]
users:
- {name: u, user: {token: secret}}
- {name: e, user: {exec: {apiVersion: client.authentication.k8s.io/v1, command: ./login, args: [a], env: [{name: X, value: y}]}}}
contexts: [{name: one, context: {cluster: c, user: u, namespace: ns}}, {name: two, context: {cluster: c, user: e}}, {name: bad, context: {cluster: x, user: u}}]
)",
                                        "/home/me/.kube");
  const auto one = config.connection();
  EXPECT_EQ(one.url, "https://10.0.0.1:6443");
  EXPECT_EQ(one.ca_pem, "foo");
  EXPECT_EQ(one.token.reveal(), "secret");
  EXPECT_EQ(one.default_namespace, "ns");
  EXPECT_EQ(config.connection("two").exec->command, "/home/me/.kube/./login");
  EXPECT_EQ(config.contexts().size(), 3u);
  EXPECT_THROW(config.connection("bad"), Error);
  try {
    config.connection("thre");
    FAIL();
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("no context \"thre\"; it has: one, two, bad"));
  }
}

TEST(Kubeconfig, PassesOverEntriesThatAreNone) {
  const auto config = Kubeconfig::parse(
      "clusters: [x, {name: c, cluster: y}]\nusers: [1, {user: []}]\ncontexts: [{name: a, context: {cluster: c}}, 7]");
  EXPECT_EQ(config.contexts().size(), 2u);
  EXPECT_EQ(config.connection("a").url, "");
}

TEST(EventRecorder, FoldsEqualEventsIntoOne) {
  Imposter imposter;
  imposter.answers["POST /api/v1/namespaces/shop/events"] = {{201, "{}", {}}};
  run(with_imposter(&imposter, [](ClientPtr client) -> Task<void> {
    const auto recorder = co_await make_event_recorder(client, "test", system_clock(), system_rng());
    const Json object = {{"kind", "X"}, {"metadata", {{"namespace", "shop"}, {"name", "a"}, {"uid", "1"}}}};
    recorder->record(object, EventType::kNormal, "Running", "Step: 1/2");
    recorder->record(object, EventType::kNormal, "Running", "Step: 1/2");
    recorder->record(object, EventType::kNormal, "Running", "Step: 2/2");
    co_await recorder->stop();
  }));
  EXPECT_EQ(std::ranges::count_if(imposter.asked, [](const auto& name) { return name.starts_with("POST"); }),
            3);  // the PATCH finds none: 404
}

Task<void> record_until_cancelled(ClientPtr client, async::Event* recorded, bool* stopped) {
  const auto recorder = co_await make_event_recorder(client, "test", system_clock(), system_rng());
  recorder->record({{"kind", "X"}, {"metadata", {{"namespace", "shop"}, {"name", "a"}, {"uid", "1"}}}},
                   EventType::kNormal, "Running", "Step: 1/2");
  recorded->set();
  std::exception_ptr cancelled;
  try {
    co_await async::Event().wait();
  } catch (...) {  // The recorder ends first.
    cancelled = std::current_exception();
  }
  co_await recorder->stop();
  *stopped = true;
  std::rethrow_exception(cancelled);
}

TEST(EventRecorder, EndsItsWriterForACallerThatWasCancelled) {
  Imposter imposter;
  bool stopped = false;
  run(with_imposter(&imposter, [&stopped](ClientPtr client) {
    return [](ClientPtr to, bool* out) -> Task<void> {
      async::Event recorded;
      auto scope = co_await async::Scope::create();
      scope.spawn(record_until_cancelled(to, &recorded, out));
      co_await recorded.wait();
      co_await scope.cancel_and_join();
    }(client, &stopped);
  }));
  EXPECT_TRUE(stopped);
}

/// The same walk through a real API server, if one is there.
TEST(RealServer, ServesTheWholeClient) {
  const char* path = std::getenv("MTC_TEST_KUBECONFIG");
  if (path == nullptr) GTEST_SKIP() << "MTC_TEST_KUBECONFIG names no cluster; `make lab-test` sets it";
  run([](std::string file) -> Task<void> {
    const auto client = make_client(Kubeconfig::load(file).connection());
    EXPECT_GE((co_await client->version()).minor, 20);
    const auto discovery = co_await client->discovery();
    const auto* deployments = discovery->find_name("deploy");
    if (deployments == nullptr) throw Error(Code::kInternal, "no deployments");
    EXPECT_TRUE(deployments->can("patch"));
    const auto ns = "kube-test-" + name_suffix(system_rng());
    co_await client->create(types::namespaces(), {{"metadata", {{"name", ns}}}});
    const Json map = {{"metadata", {{"namespace", ns}, {"name", "m"}}}, {"data", {{"k", "1"}}}};
    auto made = co_await client->create(types::config_maps(), map);
    auto stale = made;
    made["data"]["k"] = "2";
    const auto updated = co_await client->update(types::config_maps(), made);
    EXPECT_NE(resource_version_of(updated), resource_version_of(stale));
    auto update = [](ClientPtr c, Json object) -> Task<void> { co_await c->update(types::config_maps(), object); };
    EXPECT_THAT(co_await failure_of(update(client, stale)), HasSubstr("Conflict"));
    auto set = [](ClientPtr c, std::string in) -> Task<void> {
      co_await async::sleep_for(50ms);
      const Json change = {{"data", {{"k", "3"}}}};
      co_await c->patch(types::config_maps(), {in, "m"}, PatchKind::kMerge, change);
    };
    auto scope = co_await async::Scope::create();
    scope.spawn(set(client, ns));
    EXPECT_TRUE(co_await wait_until(client, types::config_maps(), {ns, "m"}, 10s,
                                    [](const auto& object) { return object && string_at(*object, "data.k") == "3"; }));
    co_await scope.join();
    EXPECT_TRUE(co_await client->remove(types::namespaces(), {"", ns}));
  }(path));
}

}  // namespace
}  // namespace mtc::kube
