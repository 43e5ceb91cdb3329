#pragma once

#include <string>

#include "http/server.hpp"
#include "json/selector.hpp"
#include "sandbox/storage.hpp"

namespace mtc::sandbox {

/// labelSelector and fieldSelector of a request. Throws Error(kInvalid) for one that cannot be read.
class Filter {
 public:
  explicit Filter(const http::ServerRequest& request)
      : labels_(Selector::parse(request.param("labelSelector"))),
        fields_(Selector::parse_fields(request.param("fieldSelector"))) {}
  bool matches(const Json& object) const;
  /// What a watcher with this filter sees: an object that comes into view is ADDED, one that leaves it DELETED; "" =
  /// nothing.
  std::string event_type(const Event& event) const;

 private:
  Selector labels_;
  Selector fields_;
};

}  // namespace mtc::sandbox
