#include "oci/registry.hpp"

#include <optional>
#include <utility>

#include <fmt/format.h>

#include "base/encoding.hpp"
#include "base/error.hpp"
#include "json/json.hpp"
#include "oci/blob_reader.hpp"
#include "oci/reference.hpp"
#include "oci/session.hpp"
#include "oci/upload.hpp"

namespace mtc::oci {
namespace {

constexpr std::size_t kTagsOfAPage = 1000;

/// The path of the next page, of `Link: </v2/…/tags/list?last=x&n=1000>; rel="next"`; "" on the last one.
std::string next_page(const http::Headers& headers, const std::string& path) {
  const auto link = headers.get("Link");
  const auto open = link.find('<'), close = link.find('>');
  if (open == std::string_view::npos || close == std::string_view::npos || close < open) return "";
  auto target = std::string(link.substr(open + 1, close - open - 1));
  if (target.contains("://")) {
    const auto url = http::Url::parse(target);
    target = url.path + "?" + url.query;
  }
  // It is asked with our credentials, so it stays where it belongs.
  if (!target.starts_with(path + "?")) {
    throw Error(Code::kUnsupported, "the registry's next page of tags is somewhere else");
  }
  return target;
}

class HttpRegistry final : public Registry {
 public:
  explicit HttpRegistry(RegistryOptions options) : session_(std::make_shared<Session>(std::move(options))) {}

  Task<void> ping() override {
    const auto response = co_await session_->call({.doing = "ask for the protocol", .target = "/v2/"});
    const auto version = response.headers.get("Docker-Distribution-Api-Version");
    if (!version.empty() && !version.contains("registry/2.0")) {
      throw Error(Code::kUnsupported, fmt::format("{} speaks {}, not registry/2.0", describe(), version));
    }
  }

  Task<std::optional<Digest>> head_manifest(std::string repository, std::string target) override {
    auto call = manifest("look for", "HEAD", repository, target);
    call.headers.set("Accept", std::string(accepted_manifests()));
    const auto response = co_await session_->call(std::move(call), {404});
    if (response.status == 404) co_return std::nullopt;
    if (auto told = Digest::parse(response.headers.get("Docker-Content-Digest"))) co_return told;
    const auto whole = co_await get_manifest(repository, target);
    if (!whole) co_return std::nullopt;
    co_return whole->digest;
  }

  Task<std::optional<StoredManifest>> get_manifest(std::string repository, std::string target) override {
    auto call = manifest("read", "GET", repository, target);
    call.headers.set("Accept", std::string(accepted_manifests()));
    auto response = co_await session_->call(call, {404}, kMaxManifestBytes);
    if (response.status == 404) co_return std::nullopt;
    auto expected = Digest::parse(target);
    if (!expected) expected = Digest::parse(response.headers.get("Docker-Content-Digest"));
    if (expected && !expected->names(response.body)) {
      throw session_->failed(Error(Code::kCorrupt, "what the registry sends has another digest"), call);
    }
    const auto digest = expected ? *expected : Digest::of(response.body);
    co_return StoredManifest{std::string(response.headers.get("Content-Type")), std::move(response.body), digest};
  }

  Task<void> put_manifest(std::string repository, std::string target, StoredManifest stored) override {
    auto call = manifest("write", "PUT", repository, target);
    call.headers.set("Content-Type", stored.media_type);
    call.body = std::move(stored.bytes);
    const auto response = co_await session_->call(call);
    const auto told = Digest::parse(response.headers.get("Docker-Content-Digest"));
    if (told && told->kind() == stored.digest.kind() && *told != stored.digest) {
      throw session_->failed(
          Error(Code::kCorrupt, fmt::format("the registry stored {} as {}", stored.digest.str(), told->str())), call);
    }
  }

  Task<void> delete_manifest(std::string repository, Digest digest) override {
    auto call = manifest("delete", "DELETE", repository, digest.str());
    call.scopes = session_->scope_of(repository, "delete,pull");
    co_await session_->call(std::move(call), {404});
  }

  Task<std::optional<std::uint64_t>> head_blob(std::string repository, Digest digest) override {
    check(repository);
    const auto stream = co_await session_->open({.doing = fmt::format("look for {} of {}", digest.str(), repository),
                                                 .method = "HEAD",
                                                 .target = fmt::format("/v2/{}/blobs/{}", repository, digest.str()),
                                                 .scopes = session_->scope_of(repository)},
                                                {404});
    if (stream->head().status == 404) co_return std::nullopt;
    const auto length = stream->head().headers.get("Content-Length");
    co_return std::strtoull(std::string(length).c_str(), nullptr, 10);
  }

  Task<BlobReaderPtr> open_blob(std::string repository, Descriptor blob, std::uint64_t offset) override {
    check(repository);
    return open_blob_reader(session_, std::move(repository), std::move(blob), offset);
  }

  Task<bool> mount_blob(std::string repository, Digest digest, std::string from) override {
    check(repository);
    check(from);
    std::optional<http::Response> response;
    try {
      response = co_await session_->call(mount(repository, digest, from), {400, 404, 405});
    } catch (const Error& error) {  // From where we may not read, nothing can be mounted.
      if (error.code() != Code::kForbidden && error.code() != Code::kUnauthorized) throw;
    }
    if (!response) co_return false;
    if (response->status == 201) co_return true;
    // It began an upload instead, which nobody will need.
    const auto location = std::string(response->headers.get("Location"));
    if (response->status == 202 && !location.empty()) co_await give_up(session_, repository, location);
    co_return false;
  }

  Task<void> put_blob(std::string repository, Descriptor blob, BlobOrigin origin,
                      std::function<void(std::uint64_t)> on_progress) override {
    check(repository);
    return upload_blob(session_, std::move(repository), std::move(blob), std::move(origin), std::move(on_progress));
  }

  Task<TagPage> tags(std::string repository, std::string next) override {
    check(repository);
    const auto path = fmt::format("/v2/{}/tags/list", repository);
    const auto response =
        co_await session_->call({.doing = "list the tags of " + repository,
                                 .target = next.empty() ? fmt::format("{}?n={}", path, kTagsOfAPage) : next,
                                 .scopes = session_->scope_of(repository, "pull")});
    TagPage page;
    page.tags = strings_at(parse_json(response.body), "tags");
    page.next = next_page(response.headers, path);
    co_return page;
  }

  std::string describe() const override { return session_->describe(); }

 private:
  void check(const std::string& repository) const {
    if (!is_repository(repository)) {
      throw Error(Code::kInvalid, fmt::format("\"{}\" is no repository of {}", repository, describe()));
    }
  }

  Session::Call mount(const std::string& repository, const Digest& digest, const std::string& from) const {
    return {.doing = fmt::format("mount {} of {} to {}", digest.str(), from, repository),
            .method = "POST",
            .target = fmt::format("/v2/{}/blobs/uploads/?mount={}&from={}", repository, percent_encode(digest.str()),
                                  percent_encode(from)),
            .scopes = session_->scope_of(repository) + " " + session_->scope_of(from, "pull")};
  }

  Session::Call manifest(std::string_view what, std::string method, const std::string& repository,
                         const std::string& target) const {
    check(repository);
    if (!is_tag(target) && !Digest::parse(target)) {
      throw Error(Code::kInvalid, fmt::format("\"{}\" is neither a tag nor a digest", target));
    }
    return {.doing = fmt::format("{} manifest {} of {}", what, target, repository),
            .method = std::move(method),
            .target = fmt::format("/v2/{}/manifests/{}", repository, target),
            .scopes = session_->scope_of(repository)};
  }

  std::shared_ptr<Session> session_;
};

}  // namespace

RegistryPtr make_registry(RegistryOptions options) { return std::make_shared<HttpRegistry>(std::move(options)); }

}  // namespace mtc::oci
