#include <arpa/inet.h>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <unistd.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "async/scope.hpp"
#include "net/connect.hpp"
#include "net/testing/outcome.hpp"
#include "sandbox/testing/embedded.hpp"
#include "sandbox/testing/helpers.hpp"

namespace mtc::sandbox {
namespace {

namespace fs = std::filesystem;
namespace types = kube::types;
using testing::has;
using ::testing::HasSubstr;
using testing::in_default;
using testing::StateFile;
using testing::when;
using testing::when_gone;
using testing::when_told;

/// What stands for mtc here: a shell, whose script is an argument; `$$` is written `$$$$`, as in every manifest.
void on_cluster(std::function<Task<void>(Cluster*)> use) {
  testing::on_cluster({.program = "/bin/sh"}, std::move(use));
}

/// `more` is of the pod's spec, in flow YAML.
Json script(const std::string& name, const std::string& text, const std::string& more = "{}") {
  auto out = in_default(name, "{spec: " + more + "}");
  auto& spec = out["spec"];
  spec["restartPolicy"] = "Never";
  spec["containers"] = Json::array({{{"name", "rsync"}, {"image", "x/mtc:1"}, {"args", {"-c", text}}}});
  return out;
}

Json terminated(const Json& pod) {
  return object_at(array_at(pod, "status.containerStatuses").at(0), "state.terminated");
}

/// Waits for a pod to have printed `words`.
Task<void> when_printed(kube::ClientPtr client, std::string name, std::string words) {
  auto search = [](kube::ClientPtr from, std::string pod, std::string wanted) -> Task<void> {
    for (;;) {
      const auto log = co_await from->log({"default", pod});
      if (log && log->contains(wanted)) co_return;
    }
  };
  co_await async::with_timeout(std::chrono::seconds(30), "a pod to print", search(client, name, words));
}

/// Whose the process is; the folders above are the machine's.
Task<void> other_user(Cluster* cluster) {
  const auto client = cluster->client();
  co_await client->create(types::secrets(), in_default("s", "{stringData: {word: hush}}"));
  auto pod = script("u", "id -u; id -g; id -G; cat /secret/word; echo end > $MTC_TERMINATION_LOG",
                    "{securityContext: {runAsUser: 4711, runAsGroup: 4712, fsGroup: 4713, supplementalGroups: [4714], "
                    "runAsNonRoot: true}, volumes: [{name: s, secret: {secretName: s}}]}");
  pod["spec"]["containers"][0]["volumeMounts"] = Json::array({{{"name", "s"}, {"mountPath", "/secret"}}});
  pod["spec"]["containers"][0]["args"][1] = "id -u; id -g; id -G; cat $1; echo end > $MTC_TERMINATION_LOG";
  pod["spec"]["containers"][0]["args"].push_back("sh");
  pod["spec"]["containers"][0]["args"].push_back("/secret/word");
  co_await client->create(types::pods(), pod);
  const auto ended = co_await when(client, types::pods(), "u", has("status.phase", "Succeeded"));
  EXPECT_EQ(string_at(terminated(ended), "message"), "end\n");
  const auto log = co_await client->log({"default", "u"});
  EXPECT_THAT(log.value_or(""), ::testing::StartsWith("4711\n4712\n4712 4713 4714 "));
  EXPECT_THAT(log.value_or(""), ::testing::EndsWith("hush"));
}

TEST(Kubelet, StartsProcessesAsTheUsersOfTheirPods) {
  if (geteuid() != 0) GTEST_SKIP() << "only root can";
  on_cluster(other_user);
}

Task<void> must_not_be_root(Cluster* cluster) {
  const auto client = cluster->client();
  co_await client->create(types::pods(), script("r", "true", "{securityContext: {runAsNonRoot: true}}"));
  const auto waiting = co_await when(
      client, types::pods(), "r", [](const Json& pod) { return !array_at(pod, "status.containerStatuses").empty(); });
  EXPECT_THAT(dump(waiting["status"]), HasSubstr("container has runAsNonRoot and image will run as root"));
  EXPECT_THAT(dump(waiting["status"]), HasSubstr("CreateContainerConfigError"));
}

TEST(Kubelet, StartsNoRootWherePodsMustNotBe) { on_cluster(must_not_be_root); }

Task<void> success(Cluster* cluster) {
  const auto client = cluster->client();
  auto pod = script("p", "echo one; echo two >&2; echo $GREETING; echo last words > $MTC_TERMINATION_LOG");
  pod["spec"]["containers"][0]["env"] = Json::array({{{"name", "GREETING"}, {"value", "three"}}});
  co_await client->create(types::pods(), pod);
  const auto ended = co_await when(client, types::pods(), "p", has("status.phase", "Succeeded"));
  const auto how = terminated(ended);
  EXPECT_EQ(int_at(how, "exitCode"), 0);
  EXPECT_EQ(string_at(how, "reason"), "Completed");
  EXPECT_EQ(string_at(how, "message"), "last words\n");
  EXPECT_FALSE(string_at(how, "startedAt").empty());
  EXPECT_FALSE(string_at(how, "finishedAt").empty());
  EXPECT_THAT(string_at(ended, "status.podIP"), ::testing::StartsWith("127."));
  EXPECT_EQ(string_at(ended, "status.hostIP"), "127.0.0.1");
  EXPECT_EQ(co_await client->log({"default", "p"}), "one\ntwo\nthree\n");
  EXPECT_EQ(co_await client->log({"default", "p"}, {.container = "rsync", .tail_lines = 1}), "three\n");
  EXPECT_EQ(co_await client->log({"default", "p"}, {.tail_lines = 2, .limit_bytes = 3}), "two");
}

TEST(Kubelet, RunsPodsOfMtcsImageToTheirEnd) { on_cluster(success); }

Task<void> long_log(Cluster* cluster) {
  const auto client = cluster->client();
  co_await client->create(types::pods(), script("p", "seq -f line-%g 20000; printf end"));
  co_await when(client, types::pods(), "p", has("status.phase", "Succeeded"));
  const kube::ObjectKey pod{"default", "p"};
  EXPECT_EQ(co_await client->log(pod, {.tail_lines = 0}), "");
  EXPECT_EQ(co_await client->log(pod, {.tail_lines = 1}), "end");
  EXPECT_EQ(co_await client->log(pod, {.tail_lines = 3}), "line-19999\nline-20000\nend");
  EXPECT_THAT(*co_await client->log(pod, {.tail_lines = 20'000}), ::testing::StartsWith("line-2\nline-3\n"));
  const auto all = co_await client->log(pod, {.tail_lines = 30'000});
  EXPECT_THAT(*all, ::testing::StartsWith("line-1\nline-2\n"));
  EXPECT_THAT(*all, ::testing::EndsWith("line-20000\nend"));
}

TEST(Kubelet, FindsTheLastLinesOfALongLog) { on_cluster(long_log); }

Task<void> followed_log(Cluster* cluster) {
  const auto client = cluster->client();
  const testing::StateFile go;  // its folder is where the script waits for a file
  co_await client->create(types::pods(),
                          script("p", "echo one; while ! [ -e " + go.path() + " ]; do sleep 0.01; done; echo two"));
  co_await when_printed(client, "p", "one");
  auto http = testing::http_client(cluster->admin());
  const auto stream = co_await http.open({.target = "/api/v1/namespaces/default/pods/p/log?follow=true"});
  std::string text(co_await stream->read(std::chrono::seconds(30)));
  EXPECT_EQ(text, "one\n");
  std::ofstream(go.path()) << "go";
  for (std::string_view piece = " "; !piece.empty(); text += piece) {
    piece = co_await stream->read(std::chrono::seconds(30));
  }
  EXPECT_EQ(text, "one\ntwo\n");
}

TEST(Kubelet, FollowsALogToTheEndOfTheProcess) { on_cluster(followed_log); }

Task<void> failures(Cluster* cluster) {
  const auto client = cluster->client();
  co_await client->create(types::pods(), script("code", "exit 3"));
  co_await client->create(types::pods(), script("signal", "kill -9 $$$$"));
  auto loud = script("loud", "echo what went wrong; exit 1");
  loud["spec"]["containers"][0]["terminationMessagePolicy"] = "FallbackToLogsOnError";
  co_await client->create(types::pods(), loud);
  const auto is_failed = has("status.phase", "Failed");
  const auto by_code = co_await when(client, types::pods(), "code", is_failed);
  EXPECT_EQ(int_at(terminated(by_code), "exitCode"), 3);
  EXPECT_EQ(string_at(terminated(by_code), "reason"), "Error");
  const auto by_signal = co_await when(client, types::pods(), "signal", is_failed);
  EXPECT_EQ(int_at(terminated(by_signal), "exitCode"), 128 + SIGKILL);
  EXPECT_EQ(int_at(terminated(by_signal), "signal"), SIGKILL);
  EXPECT_EQ(string_at(terminated(co_await when(client, types::pods(), "loud", is_failed)), "message"),
            "what went wrong\n");
}

TEST(Kubelet, SaysHowAPodFailed) { on_cluster(failures); }

Task<void> without_program(Cluster* cluster) {
  const auto client = cluster->client();
  co_await client->create(types::pods(), script("p", ""));
  const auto ended = co_await when(client, types::pods(), "p", has("status.phase", "Failed"));
  EXPECT_EQ(string_at(terminated(ended), "reason"), "StartError");
  EXPECT_THAT(string_at(terminated(ended), "message"), HasSubstr("/no/such/program cannot be run"));
}

TEST(Kubelet, SaysWhyAPodCannotStart) { testing::on_cluster({.program = "/no/such/program"}, without_program); }

Task<void> missing_things(Cluster* cluster) {
  const auto client = cluster->client();
  auto pod = script("p", "",
                    "{volumes: [{name: keys, secret: {secretName: s}}, {name: data, persistentVolumeClaim: {claimName: "
                    "c}}]}");
  auto& container = pod["spec"]["containers"][0];
  container["volumeMounts"] =
      Json::array({{{"name", "keys"}, {"mountPath", "/keys"}}, {{"name", "data"}, {"mountPath", "/data"}}});
  // A script is no path: the shell gets what is one as arguments.
  container["args"] = {"-c", "cat $1; echo -$VALUE; touch $2", "sh", "/keys/k", "/data/here"};
  container["env"] =
      Json::array({{{"name", "VALUE"}, {"valueFrom", {{"configMapKeyRef", {{"name", "m"}, {"key", "k"}}}}}}});
  co_await client->create(types::pods(), pod);
  co_await when_told(client, "p", "persistentvolumeclaim \"c\" not found.");
  co_await client->create(
      types::persistent_volume_claims(),
      in_default("c", "{spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Mi}}}}"));
  co_await when_told(client, "p", "secret \"s\" not found");
  EXPECT_EQ(co_await client->log({"default", "p"}), "");  // it waits to start
  co_await client->create(types::secrets(), in_default("s", "{stringData: {k: secret}}"));
  co_await when_told(client, "p", "configmap \"m\" not found");
  co_await client->create(types::config_maps(), in_default("m", "{data: {k: value}}"));
  co_await when(client, types::pods(), "p", has("status.phase", "Succeeded"));
  EXPECT_EQ(co_await client->log({"default", "p"}), "secret-value\n");
  const auto claim = co_await client->get(types::persistent_volume_claims(), {"default", "c"});
  const auto volume = co_await client->get(types::persistent_volumes(), {"", string_at(*claim, "spec.volumeName")});
  EXPECT_TRUE(fs::exists(fs::path(string_at(*volume, "spec.hostPath.path")) / "here"));
}

TEST(Kubelet, WaitsForWhatAPodMounts) { on_cluster(missing_things); }

constexpr auto kUntilAsked = "trap 'echo asked; exit 0' TERM; echo ready; while :; do sleep 0.01; done";

Task<void> removal(Cluster* cluster) {
  const auto client = cluster->client();
  for (const auto* name : {"willing", "deaf"}) {
    const bool is_willing = std::string_view(name) == "willing";
    co_await client->create(
        types::pods(), script(name, is_willing ? kUntilAsked : "trap '' TERM; echo ready; while :; do sleep 0.01; done",
                              is_willing ? "{}" : "{terminationGracePeriodSeconds: 1}"));
    co_await when_printed(client, name, "ready");
    co_await client->remove(types::pods(), {"default", name});
    const auto leaving = co_await client->get(types::pods(), {"default", name});
    if (!is_willing) EXPECT_TRUE(leaving && !string_at(*leaving, "metadata.deletionTimestamp").empty());
    co_await when_gone(client, types::pods(), name);
  }
  co_await client->create(types::pods(), script("forced", "echo $$$$; sleep 600"));
  co_await when_printed(client, "forced", "\n");
  const auto process = std::stoi((co_await client->log({"default", "forced"})).value_or("0"));
  EXPECT_EQ(kill(process, 0), 0);
  co_await client->remove(types::pods(), {"default", "forced"}, {.grace_seconds = 0});
  co_await when_gone(client, types::pods(), "forced");
  // Another pod that ends shows that the kubelet has looked since.
  co_await client->create(types::pods(), script("after", "while kill -0 " + std::to_string(process) + "; do :; done"));
  co_await when(client, types::pods(), "after", has("status.phase", "Succeeded"));
}

TEST(Kubelet, EndsTheProcessBeforeThePodIsGone) { on_cluster(removal); }

TEST(Kubelet, FailsPodsThatRanWhenTheClusterStopped) {
  const StateFile state;
  const ClusterOptions options{.state = state.path(), .program = "/bin/sh"};
  testing::on_cluster(options, [](Cluster* cluster) {
    return [](kube::ClientPtr client) -> Task<void> {
      co_await client->create(types::pods(), script("p", "echo ready; sleep 600"));
      co_await when_printed(client, "p", "ready");
    }(cluster->client());
  });
  testing::on_cluster(options, [](Cluster* cluster) {
    return [](kube::ClientPtr client) -> Task<void> {
      const auto ended = co_await when(client, types::pods(), "p", has("status.phase", "Failed"));
      EXPECT_THAT(string_at(terminated(ended), "message"), HasSubstr("was stopped while the container ran"));
      EXPECT_EQ(co_await client->log({"default", "p"}), "ready\n");
    }(cluster->client());
  });
}

Task<void> addresses(Cluster* cluster) {
  const auto client = cluster->client();
  std::vector<std::string> seen;
  for (const auto* name : {"a", "b"}) {
    auto pod = script(name, "echo $(POD_IP)");
    pod["spec"]["containers"][0]["env"] =
        Json::array({{{"name", "POD_IP"}, {"valueFrom", {{"fieldRef", {{"fieldPath", "status.podIP"}}}}}}});
    co_await client->create(types::pods(), pod);
    const auto ended = co_await when(client, types::pods(), name, has("status.phase", "Succeeded"));
    seen.push_back(string_at(ended, "status.podIP"));
    EXPECT_EQ(co_await client->log({"default", name}), seen.back() + "\n");
    in_addr parsed{};
    EXPECT_EQ(inet_pton(AF_INET, seen.back().c_str(), &parsed), 1);
  }
  EXPECT_NE(seen.at(0), seen.at(1));
}

TEST(Kubelet, GivesEachPodAnAddressThatItIsTold) { on_cluster(addresses); }

Task<void> echo_once(net::Listener* listener) { co_await net::testing::echo(co_await listener->accept()); }

Task<std::string> heard_through(kube::ClientPtr client, std::string pod, std::uint16_t port) {
  const auto stream = co_await client->port_forward({"default", pod}, port);
  co_await stream->write_all("hello");
  std::string got(5, '\0');
  for (std::size_t at = 0; at < got.size();) {
    const auto size = co_await stream->read_some(std::span(got).subspan(at));
    if (size == 0) break;
    at += size;
  }
  co_await stream->close();
  co_return got;
}

Task<void> must_hear(kube::ClientPtr client, std::string pod, std::uint16_t port) {
  co_await heard_through(client, pod, port);
}

/// What listens at a pod's address is, here, the test itself.
Task<void> forwarding(Cluster* cluster) {
  const auto client = cluster->client();
  co_await client->create(types::pods(), script("p", "sleep 600"));
  const auto running = co_await when(client, types::pods(), "p", has("status.phase", "Running"));
  const auto listener = co_await net::listen_tcp({string_at(running, "status.podIP"), 0});
  const auto port = listener->local().port;
  auto scope = co_await async::Scope::create();
  scope.spawn(echo_once(listener.get()));
  EXPECT_EQ(co_await heard_through(client, "p", port), "hello");
  co_await scope.join();
  listener->close();
  const auto refused = co_await net::testing::failure_of(must_hear(client, "p", port));
  EXPECT_THAT(refused, HasSubstr("error forwarding port"));
}

TEST(Kubelet, ForwardsPortsOfProcesses) { on_cluster(forwarding); }

Task<void> records(Cluster* cluster) {
  const auto client = cluster->client();
  auto pod = script("web", "exit 1");
  pod["spec"]["containers"][0]["image"] = "shop/web:mtc";
  co_await client->create(types::pods(), pod);
  const auto running = co_await when(client, types::pods(), "web", has("status.phase", "Running"));
  EXPECT_THAT(string_at(running, "status.podIP"), ::testing::StartsWith("10.128."));
  EXPECT_EQ(co_await client->log({"default", "web"}), "");
  EXPECT_THAT(co_await net::testing::failure_of(must_hear(client, "web", 80)), HasSubstr("runs no process"));
}

TEST(Kubelet, HasAllOtherPodsAsRecords) { on_cluster(records); }

}  // namespace
}  // namespace mtc::sandbox
