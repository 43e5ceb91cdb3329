#include <array>

#include "sandbox/testing/helpers.hpp"

// Claims are bound to volumes, and both are kept while they are in use. And what a pod's log is asked for.
namespace mtc::sandbox::testing {
namespace {

const auto& kClaims = types::persistent_volume_claims();
const auto& kVolumes = types::persistent_volumes();

/// Volumes belong to no namespace: theirs is in their names.
std::string own(const Server& s, const std::string& name) { return s.ns + "-" + name; }

Json volume(const Server& s, const std::string& name) {
  return {{"metadata", {{"name", own(s, name)}}},
          {"spec",
           {{"capacity", {{"storage", "2Gi"}}},
            {"accessModes", {"ReadWriteOnce"}},
            {"storageClassName", own(s, "manual")},
            {"hostPath", {{"path", "/tmp/" + own(s, name)}}}}}};
}

Json claim(const Server& s, const std::string& name, const std::string& size = "1Gi") {
  auto out = named(s, name, "{spec: {accessModes: [ReadWriteOnce]}}");
  out["spec"]["storageClassName"] = own(s, "manual");
  out["spec"]["resources"]["requests"]["storage"] = size;
  return out;
}

auto in_phase(const char* phase) {
  return [phase](const std::optional<Json>& object) { return object && string_at(*object, "status.phase") == phase; };
}

bool absent(const std::optional<Json>& object) { return !object; }

Task<void> binding(Server s) {
  co_await s.client->create(kVolumes, volume(s, "v"));
  co_await until(s, kVolumes, own(s, "v"), in_phase("Available"));
  co_await s.client->create(kClaims, claim(s, "c"));
  co_await until(s, kClaims, "c", in_phase("Bound"));
  const auto bound = co_await s.client->get(kClaims, {s.ns, "c"});
  EXPECT_EQ(string_at(*bound, "spec.volumeName"), own(s, "v"));
  EXPECT_EQ(string_at(*bound, "status.capacity.storage"), "2Gi");
  EXPECT_EQ(strings_at(*bound, "status.accessModes"), std::vector<std::string>{"ReadWriteOnce"});
  EXPECT_EQ(kube::annotation(*bound, "pv.kubernetes.io/bind-completed"), "yes");
  EXPECT_EQ(kube::annotation(*bound, "pv.kubernetes.io/bound-by-controller"), "yes");
  co_await until(s, kVolumes, own(s, "v"), in_phase("Bound"));
  const auto held = co_await s.client->get(kVolumes, {"", own(s, "v")});
  EXPECT_EQ(string_at(*held, "spec.claimRef.uid"), kube::uid_of(*bound));
  EXPECT_EQ(string_at(*held, "spec.persistentVolumeReclaimPolicy"), "Retain");
  co_await s.client->remove(kClaims, {s.ns, "c"});
  co_await until(s, kVolumes, own(s, "v"), in_phase("Released"));
  co_await s.client->remove(kVolumes, {"", own(s, "v")});
}

Task<void> choice_by_name(Server s) {
  co_await s.client->create(kVolumes, volume(s, "v"));
  auto wish = claim(s, "c");
  wish["spec"]["volumeName"] = own(s, "v");
  co_await s.client->create(kClaims, wish);
  co_await until(s, kClaims, "c", in_phase("Bound"));
  const auto bound = co_await s.client->get(kClaims, {s.ns, "c"});
  EXPECT_EQ(kube::annotation(*bound, "pv.kubernetes.io/bound-by-controller"), "");  // its owner chose
  co_await s.client->remove(kClaims, {s.ns, "c"});
  co_await s.client->remove(kVolumes, {"", own(s, "v")});
  co_await until(s, kVolumes, own(s, "v"), absent);
}

Task<void> reservation(Server s) {
  auto reserved = volume(s, "v");
  reserved["spec"]["claimRef"] = {{"namespace", s.ns}, {"name", "expected"}};
  co_await s.client->create(kVolumes, reserved);
  co_await until(s, kVolumes, own(s, "v"), in_phase("Available"));
  co_await s.client->create(kClaims, claim(s, "expected"));
  co_await until(s, kClaims, "expected", in_phase("Bound"));
  co_await s.client->remove(kClaims, {s.ns, "expected"});
  co_await until(s, kClaims, "expected", absent);
  co_await s.client->remove(kVolumes, {"", own(s, "v")});
}

/// Waits for an event about an object of the case that says `words`.
Task<void> told(Server s, std::string about, std::string words) {
  const auto page = co_await s.client->list(types::events(), s.ns, {});
  const auto is_meant = [&](const Json& event) {
    return string_at(event, "involvedObject.name") == about && string_at(event, "message").contains(words);
  };
  for (const auto& event : page.items) {
    if (is_meant(event)) co_return;
  }
  const auto watch = co_await s.client->watch(types::events(), s.ns, {.resource_version = page.resource_version});
  for (;;) {
    const auto event = co_await async::with_timeout(kPatience, "an event that says " + words, watch->next());
    if (!event) throw Error(Code::kUnavailable, "the watch ended");
    if (is_meant(event->object)) co_return;
  }
}

Task<void> no_class(Server s) {
  co_await s.client->create(kClaims, claim(s, "c"));
  co_await told(s, "c", "storageclass.storage.k8s.io \"" + own(s, "manual") + "\" not found");
  co_await until(s, kClaims, "c", in_phase("Pending"));
}

Task<void> too_small(Server s) {
  co_await s.client->create(kVolumes, volume(s, "v"));
  auto wish = claim(s, "c", "3Gi");
  wish["spec"]["volumeName"] = own(s, "v");
  co_await s.client->create(kClaims, wish);
  co_await told(s, "c", "requested PV is too small");
  co_await s.client->remove(kVolumes, {"", own(s, "v")});
}

Task<void> protection(Server s) {
  co_await s.client->create(kVolumes, volume(s, "v"));
  co_await s.client->create(kClaims, claim(s, "c"));
  co_await until(s, kClaims, "c", in_phase("Bound"));
  const auto bound = co_await s.client->get(kClaims, {s.ns, "c"});
  EXPECT_EQ(strings_at(*bound, "metadata.finalizers"), std::vector<std::string>{"kubernetes.io/pvc-protection"});
  co_await s.client->remove(kVolumes, {"", own(s, "v")});
  const auto held = co_await s.client->get(kVolumes, {"", own(s, "v")});
  EXPECT_TRUE(held && !string_at(*held, "metadata.deletionTimestamp").empty());
  co_await s.client->remove(kClaims, {s.ns, "c"});
  co_await until(s, kClaims, "c", absent);
  co_await until(s, kVolumes, own(s, "v"), absent);
}

Task<void> devices(Server s) {
  const auto refused = [](Server server, std::string volume, std::string device) -> Task<void> {
    auto pod = named(server, "p", "{spec: {containers: [{name: a, image: 'lab.mtc/pause:1'}]}}");
    pod["spec"]["volumes"] = Json::array({parse_yaml_one(volume)});
    pod["spec"]["containers"][0]["volumeDevices"] = Json::array({parse_yaml_one(device)});
    const auto failure = co_await failure_of(server.client->create(types::pods(), pod));
    EXPECT_TRUE(failure && failure->code() == Code::kInvalid) << device;
    if (failure) EXPECT_NE(failure->message().find("volumeDevices[0]"), std::string::npos) << failure->message();
  };
  const auto* of_claim = "{name: v, persistentVolumeClaim: {claimName: c}}";
  co_await refused(s, of_claim, "{name: w, devicePath: /dev/v}");
  co_await refused(s, of_claim, "{name: v}");
  co_await refused(s, of_claim, "{name: v, devicePath: /dev/../v}");
  co_await refused(s, "{name: v, emptyDir: {}}", "{name: v, devicePath: /dev/v}");
}

/// Takes the answer to a port's data, or its end.
Task<void> forward(Server s, std::string pod) {
  const auto stream = co_await s.client->port_forward({s.ns, pod}, 6443);
  std::array<char, 1> byte{};
  co_await stream->read_some(byte);
}

Task<void> forwards(Server s) { EXPECT_EQ(co_await code_of(forward(s, "gone")), Code::kNotFound); }

Task<void> logs(Server s) {
  EXPECT_EQ(co_await s.client->log({s.ns, "gone"}), std::nullopt);
  co_await s.client->create(types::pods(), named(s, "p",
                                                 "{spec: {terminationGracePeriodSeconds: 0, containers: [{name: a, "
                                                 "image: 'lab.mtc/pause:1'}, {name: b, image: 'lab.mtc/pause:1'}]}}"));
  const auto of_other = co_await failure_of(s.client->log({s.ns, "p"}, {.container = "other"}));
  EXPECT_EQ(of_other->code(), Code::kInvalid);
  EXPECT_NE(of_other->message().find("container other is not valid for pod p"), std::string::npos);
  const auto of_none = co_await failure_of(s.client->log({s.ns, "p"}));
  EXPECT_NE(of_none->message().find("a container name must be specified for pod p, choose one of: [a b]"),
            std::string::npos);
  const auto odd = co_await send(s, "GET", path_of(s, types::pods()) + "/p/log?container=a&tailLines=-1");
  EXPECT_GE(odd.status, 400);
}

}  // namespace

Cases volume_cases() {
  return {{"VolumesAreBoundToClaimsAndReleased", binding},  {"VolumesCanBeAskedForByName", choice_by_name},
          {"VolumesCanBeSetAsideForAClaim", reservation},   {"ClaimsOfAnUnknownClassWait", no_class},
          {"ClaimsAreNotBoundToSmallerVolumes", too_small}, {"ClaimsAndVolumesInUseStay", protection},
          {"DevicesAreVolumesOfClaims", devices},           {"LogsAreOfContainersThatAreThere", logs},
          {"PortsOfAbsentPodsAreNotFound", forwards}};
}

}  // namespace mtc::sandbox::testing
