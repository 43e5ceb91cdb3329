#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "api/names.hpp"
#include "json/yaml.hpp"
#include "migrate/volumes/budget.hpp"
#include "migrate/volumes/endpoints.hpp"
#include "migrate/volumes/itinerary.hpp"
#include "migrate/volumes/mover_pods.hpp"
#include "migrate/volumes/target_claim.hpp"

namespace mtc::migrate::volumes {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;

Copying copying(api::CopyType type = api::CopyType::kCutOver, const char* uid = "dvm-uid") {
  Copying c;
  c.self.self = {"openshift-migration", "d"};
  c.self.uid = uid;
  c.self.plan_uid = "plan-uid";
  c.self.migration_uid = "migration-uid";
  c.self.type = type;
  c.self.claims = {
      {.source = {"shop", "data"}, .target = {"boutique", "new"}, .storage_class = "fast", .access_modes = {}}};
  return c;
}

Json files() { return parse_yaml_one("{spec: {}}"); }

/// A claim of the source that asked for 1Gi, with what its status says that it got.
Json device(const char* got = "1Gi") {
  auto claim = parse_yaml_one("{spec: {volumeMode: Block, resources: {requests: {storage: 1Gi}}}}");
  claim["status"]["capacity"]["storage"] = got;
  return claim;
}

template <typename... Arguments>
Json receiver_pod(const Arguments&... arguments) {
  return plan::pod_of(receiver(arguments...));
}
Json sender_pod(const Copying& c, const api::ClaimCopy& claim, const Json& source, std::int64_t attempt,
                const std::string& image, const std::vector<std::string>& addresses, const std::string& node) {
  return plan::pod_of(sender(c, claim, source, attempt, image, addresses, node));
}

// The numbers are those of direct-volume.md §4.
TEST(Itinerary, IsTheOneOfTheOriginal) {
  EXPECT_EQ(copy_itinerary().rows.size(), 22U);
  EXPECT_EQ(copy_itinerary().position("RunRsyncOperations"), 18U);
  EXPECT_EQ(rollback_itinerary().rows.size(), 9U);
  EXPECT_EQ(failed_itinerary().rows.size(), 2U);
  for (const auto* itinerary : {&copy_itinerary(), &rollback_itinerary(), &failed_itinerary()}) {
    for (const auto& row : itinerary->rows) EXPECT_NE(phase_of(row.phase).run, nullptr) << row.phase;
  }
}

TEST(TargetClaim, TakesSizeAndModeOfTheSourceAndNothingThatBindsIt) {
  const auto source = parse_yaml_one(R"(
metadata:
  name: data
  namespace: shop
  labels: {app: web, velero.io/restore-name: old}
  annotations: {pv.kubernetes.io/bind-completed: "yes"}
spec:
  accessModes: [ReadWriteOnce]
  volumeName: pv-1
  storageClassName: slow
  selector: {matchLabels: {a: b}}
  dataSource: {kind: VolumeSnapshot, name: s}
  resources: {requests: {storage: 5Gi}})");
  const auto c = copying();
  const auto target = target_claim(maker_of(c), c.self.claims[0], source, Json::object());
  EXPECT_EQ(kube::key_of(target).str(), "boutique/new");
  EXPECT_EQ(dump(target["spec"]), R"({"accessModes":["ReadWriteOnce"],"resources":{"requests":{"storage":"5Gi"}},)"
                                  R"("storageClassName":"fast","volumeMode":"Filesystem"})");
  EXPECT_EQ(kube::label(target, "app"), "web");
  EXPECT_EQ(kube::label(target, "migration.openshift.io/migrated-by-migplan"), "plan-uid");
  EXPECT_EQ(kube::label(target, "migration.openshift.io/migrated-by-migmigration"), "migration-uid");
  EXPECT_EQ(kube::label(target, "velero.io/restore-name"), "");
  EXPECT_FALSE(target["metadata"].contains("annotations"));
  EXPECT_EQ(refusal_of(maker_of(c), target, target), "") << "the stage before made it";
}

TEST(TargetClaim, OfADeviceIsAsLargeAsTheDeviceIs) {
  const auto c = copying();
  const auto asks = [&](const Json& source, const char* volume) {
    const auto target = target_claim(maker_of(c), c.self.claims[0], source, parse_yaml_one(volume));
    EXPECT_EQ(string_at(target, "spec.volumeMode"), "Block");
    return string_at(target, "spec.resources.requests.storage");
  };
  EXPECT_EQ(asks(device(), "{}"), "1Gi");
  EXPECT_EQ(asks(device("2Gi"), "{}"), "2Gi");
  EXPECT_EQ(asks(device("2Gi"), "{spec: {capacity: {storage: 2049Mi}}}"), "2049Mi");
  EXPECT_EQ(asks(device("1G"), "{spec: {capacity: {storage: 1G}}}"), "1Gi");
}

TEST(TargetClaim, AsksForMoreIfMoreIsWanted) {
  const auto asks = [](const char* capacity, const Json& source) {
    const auto c = copying();
    auto claim = c.self.claims[0];
    claim.capacity = capacity;
    return string_at(target_claim(maker_of(c), claim, source, Json::object()), "spec.resources.requests.storage");
  };
  const auto source = parse_yaml_one("{spec: {resources: {requests: {storage: 1Gi}}}}");
  EXPECT_EQ(asks("5Gi", source), "5Gi");
  EXPECT_EQ(asks("1023Mi", source), "1Gi") << "never less than the source's";
  EXPECT_EQ(asks("", source), "1Gi");
  EXPECT_EQ(asks("3Gi", device("2Gi")), "3Gi");
  EXPECT_EQ(asks("1Gi", device("2Gi")), "2Gi");
}

/// A claim of files of the destination, as the stage before made it.
Json staged(const char* request, const char* capacity = "1Gi", const char* more = "{}") {
  auto out = parse_yaml_one("{metadata: {namespace: boutique, name: new}}");
  out["spec"]["resources"]["requests"]["storage"] = request;
  out["status"] = parse_yaml_one(more);
  out["status"]["capacity"]["storage"] = capacity;
  return out;
}

TEST(TargetClaim, OfTheStageBeforeMustHaveWhatIsWantedSince) {
  auto claim = copying().self.claims[0];
  const auto target = staged("5Gi");
  EXPECT_EQ(shortage_of(claim, staged("1Gi"), target), "") << "files may fit into less than the source asks for";
  claim.capacity = "5Gi";
  EXPECT_THAT(shortage_of(claim, staged("1Gi"), target),
              HasSubstr("boutique/new of the destination is there already and has 1Gi, less than the 5Gi"));
  EXPECT_EQ(shortage_of(claim, staged("5Gi"), target), "") << "it grows";
  EXPECT_EQ(shortage_of(claim, staged("1Gi", "6Gi"), target), "");
}

TEST(TargetClaim, GrowsUntilItHasWhatIsAskedFor) {
  const auto target = staged("5Gi");
  EXPECT_EQ(dump(growth_of(staged("1Gi"), target)), R"({"spec":{"resources":{"requests":{"storage":"5Gi"}}}})");
  EXPECT_TRUE(growth_of(staged("5Gi"), target).is_null()) << "it was asked to";
  EXPECT_TRUE(growth_of(staged("1Gi", "5Gi"), target).is_null());
  EXPECT_TRUE(is_growing(staged("5Gi"), target));
  EXPECT_FALSE(is_growing(staged("5Gi", "5Gi"), target));
  EXPECT_TRUE(is_growing(staged("5Gi", "1Gi", "{conditions: [{type: Resizing, status: 'True'}]}"), target));
  EXPECT_FALSE(
      is_growing(staged("5Gi", "1Gi", "{conditions: [{type: FileSystemResizePending, status: 'True'}]}"), target))
      << "the mover is what mounts it";
}

TEST(TargetClaim, OfADeviceThatIsTooSmallIsRefused) {
  const auto c = copying();
  const auto& claim = c.self.claims[0];
  const auto target = target_claim(maker_of(c), claim, device(), Json::object());
  auto existing = target;
  EXPECT_EQ(shortage_of(claim, existing, target), "");
  existing["status"]["capacity"]["storage"] = "1023Mi";
  EXPECT_THAT(shortage_of(claim, existing, target),
              HasSubstr("boutique/new of the destination is a device of 1023Mi, too small for the source's of 1Gi"));
  existing["status"]["capacity"]["storage"] = "2Gi";
  EXPECT_EQ(shortage_of(claim, existing, target), "");
}

// BUG 21 of direct-volume.md: an existing claim is taken without a look.
TEST(TargetClaim, ThatOfSomebodyElseIsLeftAlone) {
  const auto c = copying();
  const auto target = target_claim(maker_of(c), c.self.claims[0], files(), Json::object());
  auto foreign = target;
  foreign["metadata"].erase("labels");
  EXPECT_THAT(refusal_of(maker_of(c), foreign, target), HasSubstr("was not made by this plan"));
  auto block = target;
  block["spec"]["volumeMode"] = "Block";
  EXPECT_THAT(refusal_of(maker_of(c), block, target), HasSubstr("volumeMode Block"));
  auto nobodys = copying();
  nobodys.self.plan_uid = nobodys.self.migration_uid = "";
  EXPECT_THAT(refusal_of(maker_of(nobodys), foreign, target), HasSubstr("was not made by"));
}

TEST(MoverPods, SendAndReceiveAsTheMoverReadsIt) {
  const auto c = copying();
  const auto receiver = receiver_pod(c, c.self.claims[0], files(), 2, "i");
  EXPECT_THAT(strings_at(receiver["spec"]["containers"][0], "args"),
              ElementsAre("mover", "receive", "--volume", "/volume", "--listen", "$(POD_IP):6443", "--forwarded",
                          "--tls", "/etc/mtc-mover", "--verify"));
  const auto sender = sender_pod(c, c.self.claims[0], files(), 2, "i", {"10.0.0.1:6443", "10.1.0.1:30000"}, "node-1");
  EXPECT_THAT(strings_at(sender["spec"]["containers"][0], "args"),
              ElementsAre("mover", "send", "--volume", "/volume", "--to", "10.0.0.1:6443", "--to", "10.1.0.1:30000",
                          "--listen", "$(POD_IP):6443", "--forwarded", "--tls", "/etc/mtc-mover", "--mode", "cutover",
                          "--budget", "/etc/mtc-budget/budget"));
  EXPECT_EQ(string_at(sender["spec"]["containers"][0], "name"), "rsync");
  EXPECT_EQ(string_at(sender["spec"]["volumes"][0], "persistentVolumeClaim.claimName"), "data");
  EXPECT_TRUE(bool_at(sender["spec"]["containers"][0]["volumeMounts"][0], "readOnly"));
  EXPECT_EQ(kube::label(sender, "migration.openshift.io/rsync-attempt"), "2");
  EXPECT_EQ(kube::label(sender, "migration.openshift.io/created-for-pvc"), md5_hex("data"));
  // BUG 22: an affinity, which minds taints, and no nodeName, which does not.
  EXPECT_FALSE(sender["spec"].contains("nodeName"));
  EXPECT_THAT(dump(sender["spec"]["affinity"]), HasSubstr("node-1"));
  EXPECT_FALSE(receiver["spec"].contains("affinity"));
}

TEST(MoverPods, AStageIsNoCutover) {
  const auto c = copying(api::CopyType::kStage);
  const auto sender = sender_pod(c, c.self.claims[0], files(), 1, "i", {"a:1"}, "");
  EXPECT_THAT(strings_at(sender["spec"]["containers"][0], "args"), Contains("stage"));
  auto careful = c;
  careful.self.claims[0].verify = true;
  const auto args = strings_at(
      sender_pod(careful, careful.self.claims[0], files(), 1, "i", {"a:1"}, "")["spec"]["containers"][0], "args");
  EXPECT_THAT(args, Contains("--by-hash"));
  EXPECT_NE(strings_at(receiver_pod(c, c.self.claims[0], files(), 1, "i")["spec"]["containers"][0], "args").back(),
            "--verify");
}

TEST(MoverPods, AreToldWhatTheyMayUse) {
  const NewcomersBudget newcomers{.annotation = R"({"iops":5})"};
  auto c = copying();
  c.settings.newcomers = &newcomers;
  const auto sender = sender_pod(c, c.self.claims[0], files(), 1, "i", {"a:1"}, "");
  EXPECT_EQ(sender["metadata"]["annotations"][api::annotations::kBudget], R"({"iops":5})");
  EXPECT_THAT(dump(sender["spec"]["volumes"]),
              HasSubstr("metadata.annotations['migration.openshift.io/mover-budget']"));
  // The receiver goes as fast as its sender.
  EXPECT_FALSE(receiver_pod(c, c.self.claims[0], files(), 1, "i")["metadata"].contains("annotations"));
}

TEST(MoverPods, AskForNoMoreThanBaselineAllows) {
  const auto c = copying();
  const auto pod = receiver_pod(c, c.self.claims[0], files(), 1, "i");
  const auto& context = pod["spec"]["containers"][0]["securityContext"];
  EXPECT_THAT(strings_at(context, "capabilities.add"),
              ElementsAre("CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "MKNOD", "SETFCAP"));
  EXPECT_FALSE(bool_at(context, "allowPrivilegeEscalation", true));
  EXPECT_FALSE(bool_at(pod["spec"], "automountServiceAccountToken", true));
}

TEST(MoverPods, OfADeviceHaveItAsOne) {
  const auto c = copying();
  const auto receiver = receiver_pod(c, c.self.claims[0], device(), 1, "i");
  const auto sender = sender_pod(c, c.self.claims[0], device(), 1, "i", {"a:1"}, "");
  for (const auto* pod : {&receiver, &sender}) {
    const auto& container = (*pod)["spec"]["containers"][0];
    EXPECT_EQ(dump(container["volumeDevices"]), R"([{"devicePath":"/dev/volume","name":"volume"}])");
    for (const auto& mount : array_at(container, "volumeMounts"))
      EXPECT_THAT(string_at(mount, "name"), testing::AnyOf("identity", "budget"));
    EXPECT_THAT(strings_at(container, "securityContext.capabilities.add"), ElementsAre("DAC_OVERRIDE"));
    EXPECT_EQ(int_at(container, "securityContext.runAsUser"), 0);
    EXPECT_THAT(dump(container["args"]), HasSubstr(R"("--device","/dev/volume")"));
    EXPECT_THAT(dump(container["args"]), testing::Not(HasSubstr("--volume")));
  }
}

// Two DirectVolumeMigrations of one claim name in one namespace share nothing.
TEST(Names, AreThoseOfOneDirectVolumeMigrationAlone) {
  const auto a = copying();
  const auto b = copying(api::CopyType::kCutOver, "another");
  const auto& claim = a.self.claims[0];
  EXPECT_NE(sender_name(a, claim, 1), sender_name(b, claim, 1));
  EXPECT_NE(receiver_secret(a), receiver_secret(b));
  EXPECT_NE(receiver_selector(a, claim), receiver_selector(b, claim));
  EXPECT_NE(selector_of(a), selector_of(b));
}

TEST(Endpoints, AreTriedFromTheNearestToTheFarthest) {
  const auto receiver = parse_yaml_one("{spec: {nodeName: n2}, status: {podIP: 10.0.0.7}}");
  const auto service = parse_yaml_one(
      "{spec: {type: NodePort, clusterIP: 172.30.0.1, ports: [{port: 6443, nodePort: 30500}]}, status: {loadBalancer: "
      "{ingress: [{hostname: lb.example.com}]}}}");
  const auto node = [](const char* name, const char* ip, const char* ready) {
    return parse_yaml_one(
        std::string("{metadata: {name: ") + name + "}, status: {addresses: [{type: Hostname, address: " + name +
        "}, {type: InternalIP, address: '" + ip + "'}], conditions: [{type: Ready, status: '" + ready + "'}]}}");
  };
  const std::vector<Json> nodes = {node("n0", "10.9.0.0", "False"), node("n1", "fd00::1", "True"),
                                   node("n2", "10.9.0.2", "True")};
  EXPECT_THAT(addresses(receiver, service, nodes, false),
              ElementsAre("10.0.0.7:6443", "lb.example.com:6443", "10.9.0.2:30500", "[fd00::1]:30500"));
  EXPECT_THAT(addresses(receiver, service, {}, true),
              ElementsAre("10.0.0.7:6443", "172.30.0.1:6443", "lb.example.com:6443"));
}

TEST(Endpoints, AreOfTheTypeThatTheDestinationAsksFor) {
  const auto c = copying();
  const auto type = [&](const char* asked) { return string_at(service_of(c, c.self.claims[0], asked), "spec.type"); };
  EXPECT_EQ(type(""), "NodePort");
  EXPECT_EQ(type("Route"), "NodePort");
  EXPECT_EQ(type("ClusterIP"), "ClusterIP");
  EXPECT_EQ(type("LoadBalancer"), "LoadBalancer");
  EXPECT_FALSE(has_address(parse_yaml_one("{spec: {type: LoadBalancer}}")));
  EXPECT_TRUE(has_address(parse_yaml_one("{spec: {type: NodePort}}")));
}

}  // namespace
}  // namespace mtc::migrate::volumes
