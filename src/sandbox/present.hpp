#pragma once

#include "base/clock.hpp"
#include "http/server.hpp"
#include "sandbox/resources.hpp"

namespace mtc::sandbox {

/// How a client wants to see objects: as they are, as a Table (kubectl get), or their metadata alone. From its Accept
/// header.
class Presentation {
 public:
  Presentation(ResourcePtr resource, const http::ServerRequest& request, Time now);
  Json object(const Json& object) const;
  /// `metadata` is the list's own.
  Json list(const std::vector<ObjectPtr>& objects, Json metadata) const;

 private:
  enum class Form { kWhole, kTable, kMetadata };
  Json table(const std::vector<ObjectPtr>& objects, Json metadata) const;

  ResourcePtr resource_;
  Form form_ = Form::kWhole;
  std::string included_;  ///< with each row of a table: "Object", "Metadata", "None"
  Time now_;
};

}  // namespace mtc::sandbox
