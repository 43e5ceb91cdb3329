#include "api/crds.hpp"

#include "json/yaml.hpp"

namespace mtc::api {

std::vector<Json> crds() {
  std::vector<Json> all;
  for (const auto text : crd_texts()) all.push_back(parse_yaml_one(text));
  return all;
}

}  // namespace mtc::api
