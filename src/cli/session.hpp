#pragma once

#include <optional>
#include <string>
#include <vector>

#include "cli/console.hpp"
#include "cli/kinds.hpp"
#include "kube/client.hpp"

namespace mtc::cli {

/// What every verb works with: the host cluster and the user.
struct Session {
  kube::ClientPtr host;
  Console* console = nullptr;
};

/// All objects of a kind. Throws UserError(kNotFound) if no controller has prepared the host yet.
Task<std::vector<Json>> all_of(Session session, Kind kind);
std::vector<std::string> names_of(const std::vector<Json>& objects);
/// The object. Throws UserError(kNotFound) with the nearest name there is.
Task<Json> must_find(Session session, Kind kind, std::string name);
/// Throws UserError(kAlreadyExists) if the name is taken.
Task<void> must_be_free(Session session, Kind kind, std::string name);
/// Creates an object of ours. Throws UserError as must_be_free and all_of do.
Task<void> create(Session session, Kind kind, std::string name, Json spec);

}  // namespace mtc::cli
