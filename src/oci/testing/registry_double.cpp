#include "oci/testing/registry_double.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "base/encoding.hpp"
#include "base/error.hpp"
#include "base/strings.hpp"
#include "json/json.hpp"

namespace mtc::oci::testing {
namespace {

using Kind = RegistryFault::Kind;

constexpr const char* kImageType = "application/vnd.oci.image.manifest.v1+json";
constexpr const char* kIndexType = "application/vnd.oci.image.index.v1+json";

http::Response refusal(int status, const std::string& code, const std::string& message = "as the test wants") {
  http::Response out;
  out.status = status;
  out.body = dump({{"errors", {{{"code", code}, {"message", message}}}}});
  return out;
}

/// A handler that throws after it has begun cuts the connection.
[[noreturn]] void cut() { throw Error(Code::kUnavailable, "cut off by the test"); }

Task<void> cut_unanswered(http::ResponseWriter* writer) {
  co_await writer->begin_sized({200, "OK", {}}, 1);
  cut();
}

Json descriptor(const std::string& type, const std::string& bytes) {
  return {{"mediaType", type}, {"digest", Digest::of(bytes).str()}, {"size", bytes.size()}};
}

}  // namespace

struct RegistryDouble::Exchange {
  http::ServerRequest* request;
  http::ResponseWriter* writer;
  const RegistryFault* fault;  ///< null: none
  std::string repository;
  std::string kind;  ///< "manifests", "blobs", "blobs/uploads", "tags"; "" = the root
  std::string name;  ///< a tag, a digest, an upload

  bool meets(Kind what) const { return fault != nullptr && fault->kind == what; }
};

std::size_t RegistryDouble::count(const std::string& method, const std::string& part) const {
  return static_cast<std::size_t>(std::ranges::count_if(
      log, [&](const auto& line) { return line.starts_with(method + " ") && line.contains(part); }));
}

const RegistryFault* RegistryDouble::fault_of(const http::ServerRequest& request) {
  seen_.resize(faults.size());
  for (std::size_t i = 0; i < faults.size(); ++i) {
    const auto& fault = faults[i];
    if (fault.method != request.method || !request.path.contains(fault.path)) continue;
    const auto number = seen_[i]++;
    if (number >= fault.after && number < fault.after + fault.times) return &fault;
  }
  return nullptr;
}

bool RegistryDouble::lets_in(const Exchange& exchange, http::Response& refused) const {
  const auto& request = *exchange.request;
  const auto sent = std::string(request.headers.get("Authorization"));
  if (!basic.empty() && sent != "Basic " + base64_encode(basic)) {
    refused = refusal(401, "UNAUTHORIZED", "authentication required, not by " + sent);
    refused.headers.set("WWW-Authenticate", R"(Basic realm="test")");
    return false;
  }
  if (tokens == nullptr) return true;
  const auto* const action = request.method == "GET" || request.method == "HEAD"          ? "pull"
                             : request.method == "DELETE" && exchange.kind == "manifests" ? "delete"
                                                                                          : "push";
  const auto access = exchange.repository.empty() ? "" : fmt::format("repository:{}:{}", exchange.repository, action);
  const auto token = sent.starts_with("Bearer ") ? sent.substr(7) : "";
  if (!token.empty() && tokens->allows(token, access)) return true;
  refused = refusal(401, "UNAUTHORIZED", "authentication required");
  const auto* const error = !token.empty() && tokens->allows(token, "") ? R"(,error="insufficient_scope")" : "";
  refused.headers.set("WWW-Authenticate", fmt::format(R"(Bearer realm="{}",service="{}",scope="{}"{})", realm,
                                                      TokenServer::kService, access, error));
  return false;
}

Task<void> RegistryDouble::handle(http::ServerRequest& request, http::ResponseWriter& writer) {
  log.push_back(request.method + " " + request.path);
  authorizations.emplace_back(request.headers.get("Authorization"));
  Exchange exchange{&request, &writer, fault_of(request), "", "", ""};
  const auto path = std::string_view(request.path).substr(std::min<std::size_t>(request.path.size(), 4));
  for (const std::string& kind : std::vector<std::string>{"manifests", "blobs/uploads", "blobs", "tags"}) {
    const auto at = path.rfind("/" + kind + "/");
    if (at == std::string_view::npos) continue;
    exchange.repository = path.substr(0, at);
    exchange.kind = kind;
    exchange.name = path.substr(at + kind.size() + 2);
    break;
  }
  http::Response refused;
  if (exchange.meets(Kind::kStatus)) {
    refused = refusal(exchange.fault->status, "TEST");
    for (const auto& [name, value] : exchange.fault->headers.fields()) refused.headers.set(name, value);
    co_return co_await writer.respond(std::move(refused));
  }
  if (exchange.meets(Kind::kStall)) {
    async::Event never;
    co_await never.wait();
  }
  if (!lets_in(exchange, refused)) co_return co_await writer.respond(std::move(refused));
  co_await serve(exchange);
}

Task<void> RegistryDouble::serve(Exchange exchange) {
  if (exchange.kind == "manifests") co_return co_await serve_manifest(exchange);
  if (exchange.kind == "blobs") co_return co_await serve_blob(exchange);
  if (exchange.kind == "tags") co_return co_await serve_tags(exchange);
  if (exchange.kind.empty()) co_return co_await exchange.writer->respond({200, "", {}, "{}"});
  if (exchange.name.empty()) co_return co_await begin_upload(exchange);
  co_await serve_upload(exchange);
}

Task<void> RegistryDouble::serve_manifest(Exchange exchange) {
  auto& repository = repositories[exchange.repository];
  auto& request = *exchange.request;
  const auto tag = repository.tags.find(exchange.name);
  const auto digest = tag == repository.tags.end() ? exchange.name : tag->second;
  if (request.method == "PUT") {
    const auto bytes = co_await request.body();
    const auto stored = add_manifest(exchange.repository, Digest::parse(exchange.name) ? "" : exchange.name,
                                     std::string(request.headers.get("Content-Type")), bytes);
    if (!is_whole(exchange.repository, stored)) {
      repositories[exchange.repository].manifests.erase(stored.str());
      co_return co_await exchange.writer->respond(refusal(404, "MANIFEST_BLOB_UNKNOWN"));
    }
    co_return co_await exchange.writer->respond({201, "", {{"Docker-Content-Digest", stored.str()}}, ""});
  }
  const auto at = repository.manifests.find(digest);
  if (at == repository.manifests.end()) {
    co_return co_await exchange.writer->respond(refusal(404, "MANIFEST_UNKNOWN"));
  }
  if (request.method == "DELETE") {
    std::erase_if(repository.tags, [&](const auto& one) { return one.second == digest; });
    repository.manifests.erase(at);
    co_return co_await exchange.writer->respond({202, "", {}, ""});
  }
  const http::Headers headers = {{"Content-Type", at->second.media_type}, {"Docker-Content-Digest", digest}};
  co_await send(exchange, at->second.bytes, headers);
}

Task<void> RegistryDouble::serve_blob(Exchange exchange) {
  if (!repositories[exchange.repository].blobs.contains(exchange.name)) {
    co_return co_await exchange.writer->respond(refusal(404, "BLOB_UNKNOWN"));
  }
  co_await send(exchange, blobs[exchange.name], {});
}

/// Sends a body, or the range of it that was asked for, with what the fault makes of it.
Task<void> RegistryDouble::send(Exchange exchange, std::string bytes, http::Headers headers) {
  const auto range = std::string(exchange.request->headers.get("Range"));
  int status = 200;
  if (range.starts_with("bytes=") && !exchange.meets(Kind::kIgnoreRange)) {
    const auto start = std::stoull(range.substr(6));
    if (start >= bytes.size()) co_return co_await exchange.writer->respond(refusal(416, "RANGE"));
    headers.set("Content-Range", fmt::format("bytes {}-{}/{}", start, bytes.size() - 1, bytes.size()));
    bytes.erase(0, start);
    status = 206;
  }
  if (exchange.meets(Kind::kCorrupt)) bytes[bytes.size() / 2] ^= 1;
  if (exchange.meets(Kind::kShort)) bytes.pop_back();
  if (exchange.meets(Kind::kLong)) bytes += 'x';
  co_await exchange.writer->begin_sized({status, "", headers}, bytes.size());
  if (exchange.request->method == "HEAD") co_return;
  if (exchange.meets(Kind::kTruncate)) {
    co_await exchange.writer->write(std::string_view(bytes).substr(0, bytes.size() / 2));
    cut();
  }
  co_await exchange.writer->write(bytes);
}

Task<void> RegistryDouble::begin_upload(Exchange exchange) {
  auto& request = *exchange.request;
  const auto mount = std::string(request.param("mount")), from = std::string(request.param("from"));
  if (mounts == Mount::kYes && !mount.empty() && repositories[from].blobs.contains(mount)) {
    repositories[exchange.repository].blobs.insert(mount);
    co_return co_await exchange.writer->respond({201, "", {{"Docker-Content-Digest", mount}}, ""});
  }
  const auto id = std::to_string(next_upload_++);
  uploads_[id].repository = exchange.repository;
  const auto location = fmt::format("/v2/{}/blobs/uploads/{}?state=x", exchange.repository, id);
  co_await exchange.writer->respond({202, "", {{"Location", location}, {"Range", "0-0"}}, ""});
}

Task<void> RegistryDouble::take(Exchange exchange, Upload* upload) {
  const bool cuts = exchange.meets(Kind::kCutUpload) || exchange.meets(Kind::kLoseUpload);
  std::uint64_t taken = 0;
  most_at_once = std::max(most_at_once, ++at_once_);
  for (;;) {
    const auto piece = co_await exchange.request->read_body();
    if (piece.empty()) break;
    const auto wanted = cuts ? std::min<std::uint64_t>(piece.size(), exchange.fault->bytes - taken) : piece.size();
    upload->bytes += piece.substr(0, wanted);
    taken += wanted;
    if (!cuts || taken < exchange.fault->bytes) continue;
    --at_once_;
    if (exchange.meets(Kind::kLoseUpload)) uploads_.erase(exchange.name);
    co_await cut_unanswered(exchange.writer);
  }
  --at_once_;
}

Task<void> RegistryDouble::serve_upload(Exchange exchange) {
  const auto at = uploads_.find(exchange.name);
  if (at == uploads_.end()) co_return co_await exchange.writer->respond(refusal(404, "BLOB_UPLOAD_UNKNOWN"));
  auto& request = *exchange.request;
  if (request.method == "DELETE") {
    uploads_.erase(at);
    co_return co_await exchange.writer->respond({204, "", {}, ""});
  }
  auto& upload = at->second;
  const auto range = std::string(request.headers.get("Content-Range"));
  if (!range.empty() && std::stoull(range) != upload.bytes.size()) {
    co_return co_await exchange.writer->respond(refusal(416, "BLOB_UPLOAD_INVALID"));
  }
  if (request.method != "GET") co_await take(exchange, &upload);
  http::Response answer{202, "", {}, ""};
  answer.headers.set("Location", request.path + "?state=y");
  answer.headers.set("Range", fmt::format("0-{}", upload.bytes.empty() ? 0 : upload.bytes.size() - 1));
  if (request.method == "GET") answer.status = 204;
  if (request.method == "PUT") {
    const auto digest = Digest::parse(request.param("digest"));
    if (!digest || !digest->names(upload.bytes)) {
      uploads_.erase(at);
      co_return co_await exchange.writer->respond(refusal(400, "DIGEST_INVALID"));
    }
    ++uploaded[digest->str()];
    blobs[digest->str()] = std::move(upload.bytes);
    repositories[exchange.repository].blobs.insert(digest->str());
    uploads_.erase(at);
    answer = {201, "", {{"Docker-Content-Digest", digest->str()}}, ""};
  }
  if (exchange.meets(Kind::kLoseAnswer)) co_return co_await cut_unanswered(exchange.writer);
  co_await exchange.writer->respond(std::move(answer));
}

Task<void> RegistryDouble::serve_tags(Exchange exchange) {
  const auto at = repositories.find(exchange.repository);
  if (at == repositories.end() || at->second.tags.empty()) {
    co_return co_await exchange.writer->respond(refusal(404, "NAME_UNKNOWN"));
  }
  auto page = Json::array();
  const auto last = std::string(exchange.request->param("last"));
  auto tag = at->second.tags.upper_bound(last);
  for (; tag != at->second.tags.end() && page.size() < tags_of_a_page; ++tag) page.push_back(tag->first);
  http::Response answer{200, "", {}, dump({{"name", exchange.repository}, {"tags", page}})};
  if (tag != at->second.tags.end()) {
    answer.headers.set(
        "Link", fmt::format(R"(<{}?last={}&n=7>; rel="next")", exchange.request->path, page.back().get<std::string>()));
  }
  co_await exchange.writer->respond(std::move(answer));
}

Digest RegistryDouble::add_manifest(const std::string& repository, const std::string& tag, const std::string& type,
                                    const std::string& text) {
  const auto digest = Digest::of(text);
  auto& into = repositories[repository];
  into.manifests.insert_or_assign(digest.str(), StoredManifest{type, text, digest});
  if (!tag.empty()) into.tags[tag] = digest.str();
  return digest;
}

Digest RegistryDouble::add_image(const std::string& repository, const std::string& tag,
                                 const std::vector<std::string>& layers, const std::string& config) {
  Json manifest = {{"schemaVersion", 2}, {"mediaType", kImageType}, {"layers", Json::array()}};
  manifest["config"] = descriptor("application/vnd.oci.image.config.v1+json", config);
  for (const auto& layer : layers) {
    manifest["layers"].push_back(descriptor("application/vnd.oci.image.layer.v1.tar", layer));
  }
  blobs[Digest::of(config).str()] = config;
  repositories[repository].blobs.insert(Digest::of(config).str());
  for (const auto& layer : layers) {
    blobs[Digest::of(layer).str()] = layer;
    repositories[repository].blobs.insert(Digest::of(layer).str());
  }
  return add_manifest(repository, tag, kImageType, dump(manifest));
}

Digest RegistryDouble::add_index(const std::string& repository, const std::string& tag,
                                 const std::vector<Digest>& manifests) {
  Json index = {{"schemaVersion", 2}, {"mediaType", kIndexType}, {"manifests", Json::array()}};
  for (const auto& one : manifests) {
    const auto& stored = repositories[repository].manifests.at(one.str());
    index["manifests"].push_back(descriptor(stored.media_type, stored.bytes));
  }
  return add_manifest(repository, tag, kIndexType, dump(index));
}

bool RegistryDouble::is_whole(const std::string& repository, const Digest& digest) const {
  const auto place = repositories.find(repository);
  if (place == repositories.end()) return false;
  const auto at = place->second.manifests.find(digest.str());
  if (at == place->second.manifests.end()) return false;
  const auto manifest = Manifest::parse(at->second.bytes, at->second.media_type);
  auto holds = [&](const Descriptor& blob) { return place->second.blobs.contains(blob.digest.str()); };
  if (manifest.config && !holds(*manifest.config)) return false;
  return std::ranges::all_of(manifest.layers, [&](const auto& one) { return is_foreign(one) || holds(one); }) &&
         std::ranges::all_of(manifest.manifests, [&](const auto& one) { return is_whole(repository, one.digest); });
}

}  // namespace mtc::oci::testing
