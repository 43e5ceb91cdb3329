#include "migrate/report/report.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/encoding.hpp"
#include "base/error.hpp"
#include "json/yaml.hpp"
#include "migrate/report/envelope.hpp"

namespace mtc::migrate::report {
namespace {

using testing::HasSubstr;
using testing::Not;

const Json kReport = parse_yaml_one(R"(
version: 1
migration: {name: openshift-migration/shop-1, uid: u-1}
plan: {name: openshift-migration/shop}
source: {migCluster: openshift-migration/west, url: "https://west:6443"}
destination: {migCluster: openshift-migration/east, url: "https://east:6443"}
outcome: SucceededWithWarnings
started: "2026-01-02T03:04:05Z"
ended: "2026-01-02T03:05:06Z"
downtimeSeconds: 75
forecastSeconds: 60
steps:
- {name: Prepare, started: "2026-01-02T03:04:05Z", completed: "2026-01-02T03:04:07Z"}
objects:
  counts: {restored: 2, skipped: 1}
  identical: {configmaps: [shop/a, shop/b]}
  others: [{resource: endpoints, namespace: shop, name: web, fate: skipped, detail: the Service makes them}]
volumes:
- {claim: shop/data, target: shop/data, copied: true, files: 3, bytes: 5, verified: true, root: ab12}
- {claim: shop/logs, target: shop/logs, copied: true, files: 1, bytes: 2, verified: false}
- {claim: shop/raw, target: shop/raw, copied: true, device: true, bytes: 512, verified: true, root: cd34}
- {claim: shop/rest, target: shop/rest, copied: false}
- {claim: shop/nfs, target: shop/nfs, copied: false, moved: true, volume: pv-1}
warnings: [{type: VolumeFilesSkipped, message: busy}]
errors: []
)");

TEST(Report, IsReadByAPerson) {
  const auto said = text(kReport);
  EXPECT_THAT(said, HasSubstr("MigMigration openshift-migration/shop-1: SucceededWithWarnings (1m1s)"));
  EXPECT_THAT(said, HasSubstr("downtime     1m15s, forecast 1m0s\n"));
  EXPECT_THAT(said, HasSubstr("Prepare (2s)"));
  EXPECT_THAT(said, HasSubstr("2 restored unchanged"));
  EXPECT_THAT(said, HasSubstr("skipped endpoints shop/web: the Service makes them"));
  EXPECT_THAT(said, HasSubstr("shop/data to shop/data: copied, 3 files, 5 bytes, read back and equal, root ab12"));
  EXPECT_THAT(said, HasSubstr("shop/logs to shop/logs: copied, 1 files, 2 bytes, not read back"));
  EXPECT_THAT(said, HasSubstr("shop/raw to shop/raw: copied, a device of 512 bytes, read back and equal, root cd34"));
  EXPECT_THAT(said, HasSubstr("shop/rest to shop/rest: not copied"));
  EXPECT_THAT(said, HasSubstr("shop/nfs to shop/nfs: PersistentVolume pv-1 moved"));
  EXPECT_THAT(said, HasSubstr("VolumeFilesSkipped: busy"));
  EXPECT_THAT(said, Not(HasSubstr("Errors")));
}

TEST(Envelope, OpensAsItWasSealed) {
  const auto key = make_signing_key();
  const auto opened = open(seal(kReport, key), key.public_pem);
  EXPECT_TRUE(opened.authentic);
  EXPECT_EQ(opened.report, kReport);
  EXPECT_EQ(opened.key_id, key_id(key.public_pem));
}

TEST(Envelope, ShowsWhatWasChangedOrSignedBySomebodyElse) {
  const auto key = make_signing_key(), other = make_signing_key();
  EXPECT_FALSE(open(seal(kReport, other), key.public_pem).authentic);
  auto changed = kReport;
  changed["outcome"] = "Succeeded";
  auto envelope = seal(kReport, key);
  envelope["payload"] = base64_encode(dump(changed));
  const auto opened = open(envelope, key.public_pem);
  EXPECT_FALSE(opened.authentic);
  EXPECT_EQ(string_at(opened.report, "outcome"), "Succeeded");
}

TEST(Envelope, WhatIsNoneIsRefused) {
  const auto key = make_signing_key();
  EXPECT_THROW(open(Json::object(), key.public_pem), Error);
  EXPECT_THROW(open(Json("text"), key.public_pem), Error);
  auto envelope = seal(kReport, key);
  envelope["payloadType"] = "text/plain";
  EXPECT_THROW(open(envelope, key.public_pem), Error);
  envelope = seal(kReport, key);
  envelope["payload"] = base64_encode("{");
  EXPECT_THROW(open(envelope, key.public_pem), Error);
  envelope = seal(kReport, key);
  envelope["signatures"] = Json::array();
  EXPECT_THROW(open(envelope, key.public_pem), Error);
}

}  // namespace
}  // namespace mtc::migrate::report
