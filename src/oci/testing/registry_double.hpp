#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "async/scope.hpp"
#include "http/server.hpp"
#include "oci/registry.hpp"
#include "oci/testing/token_server.hpp"

namespace mtc::oci::testing {

/// What a registry does wrong, at requests of one kind.
struct RegistryFault {
  enum class Kind {
    kStatus,       ///< answers with `status` and `headers`
    kTruncate,     ///< cuts the connection in the middle of the body
    kCorrupt,      ///< changes a byte of the body
    kShort,        ///< says that the body is a byte shorter than it is, and sends so much
    kLong,         ///< sends a byte too many
    kIgnoreRange,  ///< sends the whole
    kStall,        ///< never answers
    kCutUpload,    ///< keeps the first `bytes` of what is uploaded and cuts the connection
    kLoseUpload,   ///< as kCutUpload, and forgets the upload
    kLoseAnswer,   ///< does what is asked and cuts the connection
  };
  Kind kind = Kind::kStatus;
  std::string method = "GET";
  std::string path = {};  ///< a part of it
  int status = 500;
  http::Headers headers = {};
  std::uint64_t bytes = 0;
  unsigned after = 0;  ///< so many matching requests are served first
  unsigned times = 1;  ///< then so many meet the fault
};

/// A registry in memory, served by http::testing::with_server. Fields may be changed while it serves.
class RegistryDouble {
 public:
  struct Repository {
    std::set<std::string> blobs;  ///< digests
    std::map<std::string, StoredManifest> manifests;
    std::map<std::string, std::string> tags;  ///< to digests
  };
  enum class Mount { kYes, kNo };

  std::map<std::string, std::string> blobs;  ///< by digest
  std::map<std::string, Repository> repositories;
  std::vector<RegistryFault> faults;
  TokenServer* tokens = nullptr;  ///< asks for its tokens
  std::string realm = {};         ///< where it serves
  std::string basic = {};         ///< "user:password": asks for that
  Mount mounts = Mount::kYes;
  std::size_t tags_of_a_page = 1000;
  std::vector<std::string> log;              ///< "GET /v2/…", without queries
  std::vector<std::string> authorizations;   ///< what the requests were sent with
  std::map<std::string, unsigned> uploaded;  ///< how often each digest was uploaded whole
  std::size_t most_at_once = 0;              ///< uploads

  Task<void> handle(http::ServerRequest& request, http::ResponseWriter& writer);
  /// So many requests of this method whose path holds `part`.
  std::size_t count(const std::string& method, const std::string& part) const;

  /// Puts an image with these layers under `tag` ("" = none); returns its digest.
  Digest add_image(const std::string& repository, const std::string& tag, const std::vector<std::string>& layers,
                   const std::string& config = "{}");
  /// Puts a list of manifests that are there.
  Digest add_index(const std::string& repository, const std::string& tag, const std::vector<Digest>& manifests);
  /// Puts any text as a manifest.
  Digest add_manifest(const std::string& repository, const std::string& tag, const std::string& type,
                      const std::string& text);
  /// Whether it holds everything that the manifest leads to.
  bool is_whole(const std::string& repository, const Digest& digest) const;

 private:
  struct Exchange;
  struct Upload {
    std::string repository, bytes;
  };
  const RegistryFault* fault_of(const http::ServerRequest& request);
  bool lets_in(const Exchange& exchange, http::Response& refusal) const;
  Task<void> serve(Exchange exchange);
  Task<void> serve_manifest(Exchange exchange);
  Task<void> serve_blob(Exchange exchange);
  Task<void> begin_upload(Exchange exchange);
  Task<void> serve_upload(Exchange exchange);
  Task<void> serve_tags(Exchange exchange);
  Task<void> send(Exchange exchange, std::string bytes, http::Headers headers);
  Task<void> take(Exchange exchange, Upload* upload);

  std::map<std::string, Upload> uploads_;
  std::vector<unsigned> seen_;  ///< by fault
  unsigned next_upload_ = 0;
  std::size_t at_once_ = 0;
};

}  // namespace mtc::oci::testing
