#include "oci/copy.hpp"

#include <set>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "async/scope.hpp"
#include "base/error.hpp"
#include "net/testing/outcome.hpp"
#include "oci/testing/double_server.hpp"
#include "oci/testing/registry_contract.hpp"

namespace mtc::oci::testing {
namespace {

using net::testing::failure_of;
using ::testing::AllOf;
using ::testing::Each;
using ::testing::HasSubstr;
using ::testing::Pair;
using ::testing::SizeIs;
using ::testing::StartsWith;
using Kind = RegistryFault::Kind;

/// Two registries; copies go from one to the other.
class Copies : public ::testing::Test {
 public:
  struct Ends {
    RegistryPtr from, to;
  };
  RegistryDouble source, destination;
  Copier* copier = nullptr;  ///< both live as long as the body runs
  Ends* ends = nullptr;

  void run(Task<void> (*body)(Copies* test)) {
    auto between = [](Copies* test, RegistryOptions from, RegistryOptions to,
                      Task<void> (*what)(Copies*)) -> Task<void> {
      Ends both{make_registry(from), make_registry(to)};
      Copier one;
      test->copier = &one;
      test->ends = &both;
      co_await what(test);
    };
    net::testing::run(with_double(&source, [=, this](RegistryOptions from) {
      return with_double(&destination,
                         [=, this](RegistryOptions to) { return between(this, from, std::move(to), body); });
    }));
  }
  CopyRequest request(std::string from = "shop/web", std::string to = "new/web", std::string tag = "v1") const {
    return {.from = {ends->from, std::move(from), tag}, .to = {ends->to, std::move(to), tag}};
  }
  static Task<void> copy(Copies* test, CopyRequest what) { co_await test->copier->copy(std::move(what)); }
};

TEST_F(Copies, AnImageArrivesWithItsDigest) {
  const auto digest = source.add_image("shop/web", "v1", {noise(300'000), noise(1000, 2)});
  run([](Copies* test) -> Task<void> {
    const auto result = co_await test->copier->copy(test->request());
    EXPECT_EQ(result.blobs_copied, 3U);
    EXPECT_EQ(result.bytes_copied, 301'002U);
    EXPECT_EQ(result.manifests, 1U);
  });
  EXPECT_EQ(destination.repositories["new/web"].tags["v1"], digest.str());
  EXPECT_TRUE(destination.is_whole("new/web", digest));
}

TEST_F(Copies, AListArrivesWithEveryInstanceAlsoOfListsInIt) {
  const auto one = source.add_image("shop/web", "", {noise(1000), "shared"}, "{\"a\":1}");
  const auto other = source.add_image("shop/web", "", {noise(1000, 2), "shared"}, "{\"a\":2}");
  const auto inner = source.add_index("shop/web", "", {other, one});
  const auto digest = source.add_index("shop/web", "v1", {one, inner});
  run([](Copies* test) -> Task<void> {
    const auto result = co_await test->copier->copy(test->request());
    EXPECT_EQ(result.manifests, 4U);
    EXPECT_EQ(result.blobs_copied, 5U);
  });
  EXPECT_EQ(destination.repositories["new/web"].tags["v1"], digest.str());
  EXPECT_TRUE(destination.is_whole("new/web", digest));
  EXPECT_EQ(destination.repositories["new/web"].manifests.at(one.str()).bytes,
            source.repositories["shop/web"].manifests.at(one.str()).bytes);
}

TEST_F(Copies, ADigestArrivesWithoutATag) {
  const auto digest = source.add_image("shop/web", "v1", {"layer"});
  static std::string target;
  target = digest.str();
  run([](Copies* test) -> Task<void> {
    co_await test->copier->copy(
        {.from = {test->ends->from, "shop/web", target}, .to = {test->ends->to, "new/web", ""}});
  });
  EXPECT_TRUE(destination.is_whole("new/web", digest));
  EXPECT_THAT(destination.repositories["new/web"].tags, SizeIs(0));
}

TEST_F(Copies, WhatIsThereStaysWhereItIs) {
  source.add_image("shop/web", "v1", {noise(1000)});
  run([](Copies* test) -> Task<void> {
    co_await test->copier->copy(test->request());
    Copier another;
    const auto again = co_await another.copy(test->request());
    EXPECT_EQ(again.bytes_copied, 0U);
    EXPECT_EQ(again.blobs_skipped, 2U);
    EXPECT_EQ(again.bytes_skipped, 1002U);
  });
  EXPECT_THAT(destination.uploaded, Each(Pair(::testing::_, 1U)));
  EXPECT_EQ(destination.count("PUT", "/manifests/"), 1U);
}

TEST_F(Copies, ATagThatMeansSomethingElseMoves) {
  destination.add_image("new/web", "v1", {"old"});
  const auto digest = source.add_image("shop/web", "v1", {"new"});
  run([](Copies* test) -> Task<void> { co_await test->copier->copy(test->request()); });
  EXPECT_EQ(destination.repositories["new/web"].tags["v1"], digest.str());
}

TEST_F(Copies, ABlobOfManyImagesTravelsOnce) {
  for (int i = 0; i < 40; ++i) {
    source.add_image("shop/r" + std::to_string(i), "v1", {noise(200'000), noise(1000, 100 + i)},
                     "{\"i\":" + std::to_string(i) + "}");
  }
  run([](Copies* test) -> Task<void> {
    co_await async::parallel_for(40, 40, [=](std::size_t i) {
      const auto name = "r" + std::to_string(i);
      return copy(test, test->request("shop/" + name, "new/" + name));
    });
  });
  EXPECT_EQ(destination.uploaded.at(Digest::of(noise(200'000)).str()), 1U);
  EXPECT_EQ(source.count("GET", Digest::of(noise(200'000)).str()), 1U);
  EXPECT_LE(destination.most_at_once, 6U);
  for (int i = 0; i < 40; ++i) {
    const auto name = "new/r" + std::to_string(i);
    EXPECT_TRUE(destination.is_whole(name, *Digest::parse(destination.repositories[name].tags.at("v1"))));
  }
}

TEST_F(Copies, ARegistryThatDoesNotMountGetsItTwice) {
  destination.mounts = RegistryDouble::Mount::kNo;
  source.add_image("shop/web", "v1", {noise(100'000)});
  run([](Copies* test) -> Task<void> {
    co_await test->copier->copy(test->request("shop/web", "new/a"));
    const auto result = co_await test->copier->copy(test->request("shop/web", "new/b"));
    EXPECT_EQ(result.blobs_copied, 2U);
  });
  EXPECT_EQ(destination.uploaded.at(Digest::of(noise(100'000)).str()), 2U);
  EXPECT_EQ(destination.count("DELETE", "/uploads/"), 2U);
}

TEST_F(Copies, WhatTheDestinationHasElsewhereIsMounted) {
  destination.add_image("base/os", "v1", {noise(100'000)});
  source.add_image("shop/web", "v1", {noise(100'000), "own"});
  run([](Copies* test) -> Task<void> {
    auto request = test->request();
    request.mount_candidates = {"nobody/has", "base/os"};
    const auto result = co_await test->copier->copy(request);
    EXPECT_EQ(result.bytes_mounted, 100'002U);
    EXPECT_EQ(result.bytes_copied, 3U);
  });
}

TEST_F(Copies, ForeignLayersStayWhereTheyAre) {
  const auto config = Digest::of("{}").str(), layer = Digest::of("far away").str();
  source.add_image("shop/web", "", {});
  const auto digest = source.add_manifest(
      "shop/web", "v1", "application/vnd.docker.distribution.manifest.v2+json",
      R"({"schemaVersion":2,"config":{"mediaType":"c","size":2,"digest":")" + config +
          R"("},"layers":[{"mediaType":"application/vnd.docker.image.rootfs.foreign.diff.tar.gzip","size":9,"digest":")" +
          layer + R"(","urls":["https://example.com/x"]}]})");
  run([](Copies* test) -> Task<void> {
    const auto result = co_await test->copier->copy(test->request());
    EXPECT_EQ(result.foreign_layers, 1U);
    EXPECT_EQ(result.blobs_copied, 1U);
  });
  EXPECT_TRUE(destination.is_whole("new/web", digest));
}

TEST_F(Copies, WhatTheSourceLacksIsNamedAndNoTagIsLeft) {
  const auto digest = source.add_image("shop/web", "v1", {noise(100'000), "there"});
  source.repositories["shop/web"].blobs.erase(Digest::of(noise(100'000)).str());
  run([](Copies* test) -> Task<void> {
    EXPECT_THAT(co_await failure_of(copy(test, test->request())),
                AllOf(StartsWith("NotFound: copy v1 of shop/web: "), HasSubstr(Digest::of(noise(100'000)).str())));
    EXPECT_THAT(co_await failure_of(copy(test, test->request("shop/web", "new/web", "v2"))),
                AllOf(StartsWith("NotFound: "), HasSubstr("has no v2 in shop/web")));
  });
  EXPECT_FALSE(destination.repositories["new/web"].manifests.contains(digest.str()));
  EXPECT_EQ(source.count("GET", Digest::of(noise(100'000)).str()), 1U);  // what is not there is not asked for again
}

TEST_F(Copies, BytesThatAreNotWhatTheySayDoNotArrive) {
  source.add_image("shop/web", "v1", {noise(300'000)});
  source.faults = {{.kind = Kind::kCorrupt, .path = "/blobs/", .times = 99}};
  run([](Copies* test) -> Task<void> {
    EXPECT_THAT(co_await failure_of(copy(test, test->request())),
                StartsWith("Corrupt: copy v1 of shop/web: read sha256:"));
  });
  EXPECT_THAT(destination.uploaded, SizeIs(0));
}

TEST_F(Copies, BrokenConnectionsOnBothSidesAreMended) {
  const auto digest = source.add_image("shop/web", "v1", {noise(2'000'000)});
  source.faults = {{.kind = Kind::kTruncate, .path = "/blobs/", .times = 3}};
  destination.faults = {{.kind = Kind::kCutUpload, .method = "PATCH", .bytes = 700'000},
                        {.kind = Kind::kLoseAnswer, .method = "PUT", .path = "/uploads/"}};
  run([](Copies* test) -> Task<void> { co_await test->copier->copy(test->request()); });
  EXPECT_TRUE(destination.is_whole("new/web", digest));
}

TEST_F(Copies, AFailureIsNotThatOfOtherImages) {
  source.add_image("shop/a", "v1", {noise(100'000)});
  const auto digest = source.add_image("shop/b", "v1", {noise(100'000)});
  destination.faults = {{.method = "POST", .path = "new/a", .status = 403, .times = 99}};
  run([](Copies* test) -> Task<void> {
    std::string failure;
    auto first = [](Copies* t, std::string* out) -> Task<void> {
      *out = co_await failure_of(copy(t, t->request("shop/a", "new/a")));
    };
    co_await async::all([&] {
      std::vector<Task<void>> both;
      both.push_back(first(test, &failure));
      both.push_back(copy(test, test->request("shop/b", "new/b")));
      return both;
    }());
    EXPECT_THAT(failure, StartsWith("Forbidden: copy v1 of shop/a: "));
  });
  EXPECT_TRUE(destination.is_whole("new/b", digest));
}

TEST_F(Copies, ACancelledCopyLetsTheNextOneGoOn) {
  const auto digest = source.add_image("shop/web", "v1", {noise(100'000)});
  source.faults = {{.kind = Kind::kStall, .path = "/blobs/"}};
  run([](Copies* test) -> Task<void> {
    auto scope = co_await async::Scope::create();
    auto stuck = [](Copies* t) -> Task<void> { co_await copy(t, t->request()); };
    scope.spawn_isolated(stuck(test), [](std::exception_ptr) {});
    while (test->source.count("GET", "/blobs/") == 0) co_await async::sleep_for(std::chrono::milliseconds(1));
    co_await scope.cancel_and_join();
    co_await test->copier->copy(test->request());
  });
  EXPECT_TRUE(destination.is_whole("new/web", digest));
}

TEST_F(Copies, ProgressReachesTheWhole) {
  source.add_image("shop/web", "v1", {noise(500'000)});
  run([](Copies* test) -> Task<void> {
    CopyProgress last;
    auto request = test->request();
    request.on_progress = [&](const CopyProgress& now) {
      EXPECT_LE(now.bytes_copied, 500'002U);
      last = now;
    };
    co_await test->copier->copy(request);
    EXPECT_EQ(last.bytes_copied, 500'002U);
    EXPECT_EQ(last.bytes_total, 500'002U);
    EXPECT_EQ(last.blobs_done, 2U);
    EXPECT_EQ(last.blobs_total, 2U);
    EXPECT_THAT(last.doing, StartsWith("copying sha256:"));
  });
}

TEST_F(Copies, InstancesThatShareWhatTheyNeedWaitForIt) {
  std::vector<Digest> instances;
  instances.reserve(7);
  for (int i = 0; i < 6; ++i)
    instances.push_back(source.add_image("shop/web", "", {noise(300'000), "own " + std::to_string(i)}));
  const auto inner = source.add_index("shop/web", "", {instances[0], instances[1]});
  instances.push_back(inner);
  const auto digest = source.add_index("shop/web", "v1", instances);
  run([](Copies* test) -> Task<void> {
    CopyProgress last;
    auto request = test->request();
    request.on_progress = [&](const CopyProgress& now) { last = now; };
    const auto result = co_await test->copier->copy(request);
    EXPECT_EQ(result.blobs_copied, 8U);  // the shared layer, six of their own, and the configuration of all
    EXPECT_EQ(result.manifests, 8U);
    EXPECT_EQ(last.blobs_done, last.blobs_total);
    EXPECT_EQ(last.bytes_copied, last.bytes_total);
  });
  EXPECT_TRUE(destination.is_whole("new/web", digest));
}

TEST_F(Copies, ListsWithoutEndAreRefused) {
  auto inner = source.add_image("shop/web", "", {"layer"});
  for (int depth = 0; depth < 6; ++depth) inner = source.add_index("shop/web", "v1", {inner});
  run([](Copies* test) -> Task<void> {
    EXPECT_THAT(co_await failure_of(copy(test, test->request())), StartsWith("Unsupported: copy v1 of shop/web: "));
  });
}

}  // namespace
}  // namespace mtc::oci::testing
