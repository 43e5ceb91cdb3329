#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "migrate/indirect/staging.hpp"

namespace mtc::migrate::indirect {

// Labels and annotations by which a stage backup selects what it takes along, on namespaces, volumes and claims of the
// source (spec migration.md §14). Temporary: they go when the migration is over.

/// Puts them on; what has them already stays as it is. The lines say how far it came: "1/2 Namespaces labeled".
Task<std::vector<std::string>> mark(Migration& m);
/// Takes them off what the plan's namespaces hold on one cluster, whichever migration put them there: two plans never
/// migrate one namespace at a time.
Task<void> unmark(kube::ClientPtr cluster, std::vector<std::string> namespaces);

/// What a volume, and its claim, are given (spec migration.md §1.3), as a merge patch.
Json marks_of_volume(const Migration& m, const api::PlanVolume& volume);
Json marks_of_claim(const Migration& m, const api::PlanVolume& volume);

}  // namespace mtc::migrate::indirect
