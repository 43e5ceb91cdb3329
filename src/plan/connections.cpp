#include "plan/connections.hpp"

#include <utility>

#include <fmt/format.h>

#include "api/names.hpp"
#include "base/encoding.hpp"
#include "base/error.hpp"
#include "base/hash.hpp"
#include "json/json.hpp"
#include "plan/types.hpp"

namespace mtc::plan {
namespace {

std::string decoded_bundle(const std::string& base64, std::string_view field) {
  if (base64.empty()) return "";
  auto pem = base64_decode(base64);
  if (!pem) throw Error(Code::kInvalid, fmt::format("`{}` is not base64", field));
  return *pem;
}

}  // namespace

Task<std::optional<Secret>> secret_value(kube::ClientPtr cluster, api::Ref secret, std::string key) {
  const auto object = co_await cluster->get(kube::types::secrets(), {secret.ns, secret.name});
  if (!object) co_return std::nullopt;
  const auto* coded = member(object_at(*object, "data"), key);
  if (coded == nullptr || !coded->is_string()) co_return std::nullopt;
  auto value = base64_decode(coded->get<std::string>()).value_or("");
  if (value.ends_with('\n')) value.pop_back();
  if (value.ends_with('\r')) value.pop_back();
  co_return Secret(std::move(value));
}

Task<std::string> Connections::host_id() {
  if (host_id_.empty())
    host_id_ = kube::uid_of(co_await kube::must_get(*host_, kube::types::namespaces(), {"", api::kNamespace}));
  co_return host_id_;
}

Task<kube::ClientPtr> Connections::cluster(api::Ref mig_cluster) {
  const auto object = co_await host_->get(types::mig_clusters(), {mig_cluster.ns, mig_cluster.name});
  if (!object) throw Error(Code::kNotFound, fmt::format("MigCluster {} does not exist", mig_cluster.str()));
  co_return co_await cluster(api::MigCluster::parse(*object));
}

Task<kube::ClientPtr> Connections::cluster(api::MigCluster mig_cluster) {
  if (mig_cluster.is_host) co_return host_;
  const auto token = co_await secret_value(host_, mig_cluster.secret, "saToken");
  if (!token)
    throw Error(Code::kNotFound,
                fmt::format("Secret {} with the key saToken does not exist", mig_cluster.secret.str()));
  const auto identity = hex(sha256(mig_cluster.url + "|" + token->reveal() + "|" + mig_cluster.ca_bundle +
                                   (mig_cluster.insecure ? "|insecure" : "")));
  auto& kept = clusters_[mig_cluster.self];
  if (kept.identity == identity) co_return kept.value;
  kube::Connection connection;
  connection.url = mig_cluster.url;
  connection.token = *token;
  connection.ca_pem = decoded_bundle(mig_cluster.ca_bundle, "caBundle");
  connection.insecure = mig_cluster.insecure;
  kept = {identity, kube::make_client(std::move(connection))};
  co_return kept.value;
}

Task<blob::S3Options> Connections::bucket(api::MigStorage mig_storage) {
  if (mig_storage.provider != "aws") {
    throw Error(Code::kUnsupported,
                fmt::format("this release reaches S3-compatible stores (aws) only, not {}", mig_storage.provider));
  }
  const auto id = co_await secret_value(host_, mig_storage.credentials, "aws-access-key-id");
  const auto key = co_await secret_value(host_, mig_storage.credentials, "aws-secret-access-key");
  if (!id || !key) {
    throw Error(Code::kNotFound,
                fmt::format("Secret {} with the keys aws-access-key-id and aws-secret-access-key does not exist",
                            mig_storage.credentials.str()));
  }
  blob::S3Options options;
  options.bucket = mig_storage.bucket;
  if (!mig_storage.region.empty()) options.region = mig_storage.region;
  options.endpoint = mig_storage.url.empty() ? mig_storage.public_url : mig_storage.url;
  options.style = options.endpoint.empty() ? blob::AddressingStyle::kVirtualHost : blob::AddressingStyle::kPath;
  options.access_key_id = id->reveal();
  options.secret_access_key = *key;
  options.ca_pem = decoded_bundle(mig_storage.ca_bundle, "s3CustomCABundle");
  options.insecure = mig_storage.insecure;
  options.request_limit = std::chrono::seconds(10);
  options.max_attempts = 3;
  co_return options;
}

Task<blob::StorePtr> Connections::storage(api::MigStorage mig_storage) {
  auto options = co_await bucket(mig_storage);
  const auto identity =
      hex(sha256(options.bucket + "|" + options.region + "|" + options.endpoint + "|" + options.access_key_id + "|" +
                 options.secret_access_key.reveal() + "|" + options.ca_pem + (options.insecure ? "|insecure" : "")));
  auto& kept = stores_[mig_storage.self];
  if (kept.identity != identity) kept = {identity, blob::make_s3_store(std::move(options))};
  co_return kept.value;
}

}  // namespace mtc::plan
