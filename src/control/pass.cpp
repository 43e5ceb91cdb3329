#include "control/pass.hpp"

#include <utility>

#include <fmt/format.h>

#include "api/kinds.hpp"
#include "control/object_writer.hpp"
#include "json/json.hpp"

namespace mtc::control {

void record_conditions(kube::EventRecorder& recorder, const Json& object,
                       const std::vector<api::Condition>& conditions) {
  for (const auto& condition : conditions) {
    const bool warning = condition.category == api::Category::kCritical ||
                         condition.category == api::Category::kError || condition.category == api::Category::kWarn;
    recorder.record(object, warning ? kube::EventType::kWarning : kube::EventType::kNormal, condition.type,
                    condition.message);
  }
}

Pass::Pass(const Services* services, kube::ResourceType type, Json object)
    : services_(services),
      type_(std::move(type)),
      before_(std::move(object)),
      after_(before_),
      conditions_(array_at(before_, "status.conditions"), *services->clock) {}

Task<std::optional<Pass>> Pass::begin(const Services* services, kube::ResourceType type, kube::ObjectKey key) {
  auto object = co_await services->host->get(type, std::move(key));
  if (!object) co_return std::nullopt;
  co_return Pass(services, std::move(type), std::move(*object));
}

Task<void> Pass::store(kube::EventRecorder* recorder) {
  set_at(after_, "status.conditions", conditions_.end());
  co_await write_changes(services_->host, type_, before_, after_, *services_->rng);
  record_conditions(*recorder, after_, conditions_.changed());
}

Task<void> Pass::finish(kube::EventRecorder* recorder) {
  if (bool_at(after_, "spec.refresh")) after_["spec"]["refresh"] = false;
  set_at(after_, "status.observedDigest", api::spec_digest(type_.kind, object_at(after_, "spec")));
  co_await store(recorder);
}

Task<void> Pass::finish_failed(kube::EventRecorder* recorder, std::string why) {
  conditions_.remove("Ready");
  conditions_.set({.type = "ReconcileFailed",
                   .category = api::Category::kCritical,
                   .message = fmt::format("Reconcile failed: {}. See controller logs for details.", why)});
  co_await store(recorder);
}

Task<void> Pass::finish_retrying(kube::EventRecorder* recorder, Error why) {
  conditions_.keep({"Running"});
  conditions_.set({.type = "Retrying",
                   .category = api::Category::kWarn,
                   .reason = std::string(to_string(why.code())),
                   .message = std::string(why.what())});
  co_await finish(recorder);
}

Time Pass::running_since(std::string_view phase) const {
  for (const auto& condition : array_at(before_, "status.conditions")) {
    if (string_at(condition, "type") != "Running" || string_at(condition, "reason") != phase) continue;
    if (const auto since = parse_rfc3339(string_at(condition, "lastTransitionTime"))) return *since;
  }
  return services_->clock->now();
}

}  // namespace mtc::control
