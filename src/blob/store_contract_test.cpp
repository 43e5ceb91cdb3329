#include "blob/testing/store_contract.hpp"

#include <cstdlib>
#include <exception>
#include <filesystem>
#include <utility>

#include "base/rng.hpp"
#include "blob/s3.hpp"
#include "blob/testing/faulty_store.hpp"
#include "blob/testing/test_bucket.hpp"
#include "http/url.hpp"
#include "net/tls.hpp"

namespace mtc::blob::testing {
namespace {

using Use = StoreUnderTest::Use;

Task<void> with(StorePtr store, Use use) { co_await use(store.get()); }

class TemporaryFolder {
 public:
  TemporaryFolder() : path_(std::filesystem::temp_directory_path() / ("mtc-store-" + name_suffix(system_rng(), 10))) {}
  ~TemporaryFolder() { std::filesystem::remove_all(path_); }
  TemporaryFolder(const TemporaryFolder&) = delete;
  std::string path() const { return path_.string(); }

 private:
  std::filesystem::path path_;
};

StoreUnderTest memory() {
  return {"Memory", [](Use use) { return with(make_memory_store(), std::move(use)); }};
}

StoreUnderTest directory() {
  return {"Directory", [](Use use) -> Task<void> {
            const TemporaryFolder folder;
            co_await with(make_directory_store(folder.path()), std::move(use));
          }};
}

/// Faults that never come must not show.
StoreUnderTest faultless() {
  return {"FaultyWithoutFaults", [](Use use) { return with(faulty(make_memory_store(), {}), std::move(use)); }};
}

Task<void> with_client(BucketServerOptions server, std::function<void(S3Options&)> adapt, Use use) {
  auto call = [adapt, use](S3Options options) -> Task<void> {
    adapt(options);
    return with(make_s3_store(std::move(options)), use);
  };
  return with_bucket(call, std::move(server));
}

StoreUnderTest s3_by_path() {
  return {"S3ByPath", [](Use use) { return with_client(bucket_options(), [](S3Options&) {}, std::move(use)); }};
}

/// Whatever name is looked up, the bucket server is there.
class Everywhere final : public net::Connector {
 public:
  explicit Everywhere(net::Endpoint to) : to_(std::move(to)) {}
  Task<net::StreamPtr> connect(net::Endpoint) override { return tcp_->connect(to_); }

 private:
  net::ConnectorPtr tcp_ = net::tcp_connector();
  net::Endpoint to_;
};

StoreUnderTest s3_by_host() {
  return {"S3ByHost", [](Use use) {
            auto server = bucket_options();
            server.domain = "s3.example";
            auto adapt = [](S3Options& options) {
              const auto url = http::Url::parse(options.endpoint);
              options.connector = std::make_shared<Everywhere>(net::Endpoint{url.host, url.port});
              options.endpoint = "http://s3.example:" + std::to_string(url.port);
              options.style = AddressingStyle::kVirtualHost;
            };
            return with_client(std::move(server), adapt, std::move(use));
          }};
}

StoreUnderTest s3_over_tls_with_own_ca() {
  return {"S3OverTlsWithOwnCa", [](Use use) {
            const auto now = system_clock().now();
            const auto ca = net::make_ca("CA of the store", now);
            const auto certificate = net::issue_certificate(ca, "store", {"127.0.0.1"}, {}, now);
            auto server = bucket_options();
            server.tls = net::TlsServerOptions{certificate.cert_pem, certificate.key_pem, ""};
            return with_client(
                std::move(server), [pem = ca.cert_pem](S3Options& options) { options.ca_pem = pem; }, std::move(use));
          }};
}

StoreUnderTest s3_over_a_directory() {
  return {"S3OverADirectory", [](Use use) -> Task<void> {
            const TemporaryFolder folder;
            auto server = bucket_options();
            server.buckets["b"] = make_directory_store(folder.path() + "/objects");
            server.parts = make_directory_store(folder.path() + "/parts");
            co_await with_client(std::move(server), [](S3Options&) {}, std::move(use));
          }};
}

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

StoreUnderTest real_s3() {
  const auto endpoint = variable("MTC_TEST_S3_ENDPOINT");
  StoreUnderTest real{"RealS3", [](Use use) {
                        S3Options options;
                        options.endpoint = variable("MTC_TEST_S3_ENDPOINT");
                        options.bucket = variable("MTC_TEST_S3_BUCKET");
                        options.style = AddressingStyle::kPath;
                        options.access_key_id = variable("MTC_TEST_S3_KEY");
                        options.secret_access_key = Secret(variable("MTC_TEST_S3_SECRET"));
                        options.part_size = 5 * 1024 * 1024;
                        return with(make_s3_store(std::move(options)), std::move(use));
                      }};
  if (endpoint.empty()) real.skipped = "MTC_TEST_S3_ENDPOINT (and _BUCKET, _KEY, _SECRET) names no real store";
  return real;
}

INSTANTIATE_TEST_SUITE_P(All, StoreContract,
                         ::testing::Values(memory(), directory(), faultless(), s3_by_path(), s3_by_host(),
                                           s3_over_tls_with_own_ca(), s3_over_a_directory(), real_s3()),
                         StoreContract::name_of);

}  // namespace
}  // namespace mtc::blob::testing
