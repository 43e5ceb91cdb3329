#include "kube/client.hpp"

#include <fmt/format.h>

#include "base/error.hpp"
#include "json/json.hpp"

namespace mtc::kube {

Task<Json> must_get(Client& client, ResourceType type, ObjectKey key) {
  auto object = co_await client.get(type, key);
  if (!object)
    throw Error(Code::kNotFound,
                fmt::format("{} {} does not exist at {}", type.group_resource(), key.str(), client.url()));
  co_return std::move(*object);
}

Task<void> for_each(Client& client, ResourceType type, std::string ns, ListOptions options,
                    std::function<Task<void>(Json)> visit) {
  for (;;) {
    auto page = co_await client.list(type, ns, options);
    for (auto& item : page.items) co_await visit(std::move(item));
    if (page.continue_token.empty()) co_return;
    options.continue_token = page.continue_token;
  }
}

Task<std::vector<Json>> list_all(Client& client, ResourceType type, std::string ns, ListOptions options) {
  std::vector<Json> all;
  for (;;) {
    auto page = co_await client.list(type, ns, options);
    for (auto& item : page.items) all.push_back(std::move(item));
    if (page.continue_token.empty()) co_return all;
    options.continue_token = page.continue_token;
  }
}

Task<std::optional<Json>> modify(Client& client, ResourceType type, ObjectKey key, std::function<bool(Json&)> change) {
  constexpr int kAttempts = 10;
  for (int attempt = 1;; ++attempt) {
    auto object = co_await client.get(type, key);
    if (!object || !change(*object)) co_return object;
    try {
      co_return co_await client.update(type, std::move(*object));
    } catch (const Error& error) {
      if (error.code() != Code::kConflict || attempt == kAttempts) throw;
    }
  }
}

Task<std::pair<Json, bool>> ensure(Client& client, ResourceType type, Json object) {
  const auto key = key_of(object);
  if (auto existing = co_await client.get(type, key)) co_return std::pair{std::move(*existing), false};
  try {
    co_return std::pair{co_await client.create(type, std::move(object)), true};
  } catch (const Error& error) {
    if (error.code() != Code::kAlreadyExists) throw;
  }
  co_return std::pair{co_await must_get(client, type, key), false};
}

}  // namespace mtc::kube
