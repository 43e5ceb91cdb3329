#include "cli/session.hpp"

#include <fmt/format.h>

#include "api/names.hpp"
#include "base/strings.hpp"
#include "cli/manifests.hpp"
#include "cli/user_error.hpp"
#include "json/json.hpp"

namespace mtc::cli {
namespace {

UserError not_prepared(const Session& session, const Kind& kind) {
  return {
      Code::kNotFound,
      fmt::format("cluster {} knows no {}: no controller has worked with it yet", session.host->url(), kind.type.kind),
      session.console->command("controller   (leave it running; or name another host by --kubeconfig)")};
}

UserError name_taken(const Session& session, const Kind& kind, const std::string& name) {
  return {Code::kAlreadyExists, fmt::format("{} {} exists already", kind.type.kind, name),
          session.console->command(fmt::format("{} describe {}", kind.word, name))};
}

}  // namespace

Task<std::vector<Json>> all_of(Session session, Kind kind) {
  try {
    co_return co_await kube::list_all(*session.host, kind.type, api::kNamespace);
  } catch (const Error& error) {
    if (error.code() == Code::kNotFound) throw not_prepared(session, kind);
    throw;
  }
}

std::vector<std::string> names_of(const std::vector<Json>& objects) {
  std::vector<std::string> names;
  names.reserve(objects.size());
  for (const auto& object : objects) names.push_back(kube::key_of(object).name);
  return names;
}

Task<Json> must_find(Session session, Kind kind, std::string name) {
  if (auto object = co_await session.host->get(kind.type, {api::kNamespace, name})) co_return std::move(*object);
  const auto names = names_of(co_await all_of(session, kind));
  const auto near = nearest(name, names);
  throw UserError(Code::kNotFound,
                  fmt::format("{} {} does not exist{}", kind.type.kind, name,
                              near.empty() ? "" : fmt::format("; did you mean {}?", near)),
                  session.console->command(kind.word + " get"));
}

Task<void> must_be_free(Session session, Kind kind, std::string name) {
  if (co_await session.host->get(kind.type, {api::kNamespace, name})) throw name_taken(session, kind, name);
}

Task<void> create(Session session, Kind kind, std::string name, Json spec) {
  try {
    co_await session.host->create(kind.type, manifest(kind, name, std::move(spec)));
  } catch (const Error& error) {
    if (error.code() == Code::kAlreadyExists) throw name_taken(session, kind, name);
    if (error.code() == Code::kNotFound) throw not_prepared(session, kind);
    throw;
  }
}

}  // namespace mtc::cli
