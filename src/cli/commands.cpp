#include <fmt/format.h>

#include "cli/command_tree.hpp"
#include "cli/progress.hpp"
#include "cli/user_error.hpp"
#include "cli/verbs.hpp"

namespace mtc::cli {
namespace {

constexpr auto kReadyLimit = "60s";

std::string upper(std::string word) {
  for (auto& c : word) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return word;
}

Output output_of(const std::string& word) {
  if (word == "json") return Output::kJson;
  return word == "yaml" ? Output::kYaml : Output::kTable;
}

Task<int> done(Task<void> task) {
  co_await std::move(task);
  co_return kOk;
}

/// Waits for readiness if asked to.
Task<int> then_wait(Session session, Kind kind, std::string name, Task<void> task, bool wait) {
  co_await std::move(task);
  if (!wait) co_return kOk;
  co_return co_await wait_ready(session, kind, std::move(name), *parse_go_duration(kReadyLimit));
}

Task<int> migrate_and_watch(Session session, StartMigration what, bool follow, std::string* name) {
  *name = co_await migrate(session, std::move(what));
  if (follow) co_return co_await watch(session, *name);
  session.console->out(
      fmt::format("MigMigration {} created: follow it with `{}`\n", *name, session.console->command("watch " + *name)));
  co_return kOk;
}

/// What to tell who stops watching: the migration does not stop with that.
std::string still_runs(const Console& console, const std::string& name) {
  if (name.empty()) return "";
  return fmt::format("\nmtc: migration {0} goes on without being watched\nnext: {1}   (or: {2})\n", name,
                     console.command("watch " + name), console.command("cancel " + name));
}

std::string not_a_duration(const std::string& text) {
  return parse_go_duration(text) ? "" : text + " is no duration like 90s or 5m";
}

void add_wait_flag(CLI::App* command, bool& wait) {
  command->add_flag("--wait", wait, fmt::format("wait up to {} until it is ready", kReadyLimit));
}

}  // namespace

void CommandTree::add_kinds() {
  struct Group {
    const char* word;
    const char* description;
    const char* examples;
    const char* group;
  };
  for (const auto& [word, description, examples, title] :
       {Group{"cluster", "clusters that applications are moved from and to",
              "cluster add east --from-context east\ncluster get", "Say what to move"},
        Group{"storage", "buckets that applications travel through", "storage get\nstorage describe minio",
              "Say what to move"},
        Group{"plan", "which namespaces go from where to where", "plan get\nplan describe shop", "Say what to move"},
        Group{"migration", "runs of the plans: list, describe, report, delete",
              "migration get\nmigration describe shop-x7k2m", "Move it"}}) {
    auto* group = command(&app_, word, description, examples);
    group->group(title);
    group->require_subcommand(1);
    if (std::string(word) == "cluster") add_cluster_add(group);
    if (std::string(word) == "storage") add_storage_add(group);
    if (std::string(word) == "plan") add_plan_create(group);
    if (std::string(word) == "migration") add_migration_report(group);
    add_get(group, word);
    add_describe(group, word);
    add_delete(group, word);
  }
}

void CommandTree::add_get(CLI::App* group, const std::string& word) {
  auto* get_command = command(group, "get", "list them, or show one", fmt::format("{0} get\n{0} get -o json", word));
  auto name = std::make_shared<std::string>(), output = std::make_shared<std::string>();
  value(get_command, upper(word), *name, "NAME", "only this one");
  value(get_command, "-o,--output", *output, "json|yaml", "instead of a table");
  acts(get_command, [kind = kind_of(word), name, output](Session session) {
    return done(get(session, kind, *name, output_of(*output)));
  });
}

void CommandTree::add_describe(CLI::App* group, const std::string& word) {
  auto* describe_command = command(group, "describe", "show one with its conditions",
                                   fmt::format("{} describe {}", word, word == "cluster" ? "east" : "shop"));
  auto name = std::make_shared<std::string>();
  value(describe_command, upper(word), *name, "NAME", fmt::format("name of the {}", word))->required();
  acts(describe_command,
       [kind = kind_of(word), name](Session session) { return done(describe(session, kind, *name)); });
}

void CommandTree::add_delete(CLI::App* group, const std::string& word) {
  const bool purges = word == "cluster" || word == "storage";
  auto* delete_command =
      command(group, "delete", "delete one that nothing needs (also: remove)",
              purges ? fmt::format("{0} delete east\n{0} delete east --purge", word) : word + " delete shop");
  delete_command->alias("remove");
  auto what = std::make_shared<Removal>();
  value(delete_command, upper(word), what->name, "NAME", fmt::format("name of the {}", word))->required();
  delete_command->add_flag("--force", what->force, "although something needs it");
  if (purges) {
    auto* purge = delete_command->add_flag(
        "--purge", what->purge,
        word == "cluster" ? "also its Secret, and mtc's account with binding and token over there" : "also its Secret");
    delete_command->add_flag("--yes", what->yes, "purge without asking")->needs(purge);
  }
  acts(delete_command, [kind = kind_of(word), what](Session session) { return done(remove(session, kind, *what)); });
}

void CommandTree::add_cluster_add(CLI::App* group) {
  auto* add = command(group, "add", "register a cluster",
                      "cluster add west --host\ncluster add east --from-context east --wait\n"
                      "cluster add east --url https://east:6443 --token-file token --ca-file ca.crt");
  auto what = std::make_shared<AddCluster>();
  auto wait = std::make_shared<bool>(false);
  value(add, "NAME", what->name, "NAME", "what to call it")->required();
  auto* context = value(add, "--from-context", what->context, "CONTEXT",
                        "context that reaches it as its administrator (default: the current one)");
  auto* kubeconfig =
      value(add, "--from-kubeconfig", what->kubeconfig, "FILE", "kubeconfig of that context (default: as kubectl's)");
  auto* url = value(add, "--url", what->url, "URL", "its API server, instead of a kubeconfig");
  auto* token = value(add, "--token-file", what->token_file, "FILE",
                      "token of an account there that may do everything; with --url");
  auto* ca = value(add, "--ca-file", what->ca_file, "FILE", "PEM certificates to trust");
  auto* insecure = add->add_flag("--insecure", what->insecure, "trust any certificate");
  auto* host = add->add_flag("--host", what->is_host, "the host cluster itself");
  url->needs(token)->excludes(context)->excludes(kubeconfig);
  token->needs(url);
  insecure->excludes(ca);
  host->excludes(context)->excludes(kubeconfig)->excludes(url)->excludes(ca)->excludes(insecure);
  add_wait_flag(add, *wait);
  acts(add, [what, wait](Session session) {
    return then_wait(session, kind_of("cluster"), what->name, add_cluster(session, *what), *wait);
  });
}

void CommandTree::add_storage_add(CLI::App* group) {
  auto* add = command(group, "add", "register a bucket of an S3-compatible store",
                      "storage add minio --bucket migration --url https://minio:9000 --ca-file ca.crt\n"
                      "storage add aws --bucket migration --region eu-central-1 --wait");
  auto what = std::make_shared<AddStorage>();
  auto wait = std::make_shared<bool>(false);
  value(add, "NAME", what->bucket.name, "NAME", "what to call it")->required();
  value(add, "--bucket", what->bucket.bucket, "BUCKET", "the bucket's name")->required();
  value(add, "--url", what->bucket.url, "URL", "endpoint (default: AWS)");
  value(add, "--region", what->bucket.region, "REGION", "region (default: us-east-1)");
  add_keys(add, what->access_key_id, what->secret_access_key);
  value(add, "--ca-file", what->ca_file, "FILE", "PEM certificates to trust");
  add_wait_flag(add, *wait);
  acts(add, [what, wait](Session session) {
    return then_wait(session, kind_of("storage"), what->bucket.name, add_storage(session, *what), *wait);
  });
}

void CommandTree::add_plan_create(CLI::App* group) {
  auto* create_command = command(group, "create", "create a plan",
                                 "plan create shop --source west --destination east --storage minio -n shop\n"
                                 "plan create all --source west --destination east --storage minio -n shop:boutique "
                                 "-n blog --wait\n"
                                 "plan create faster --source west --destination west -n shop");
  auto what = std::make_shared<Plan>();
  auto wait = std::make_shared<bool>(false);
  value(create_command, "NAME", what->name, "NAME", "what to call it")->required();
  value(create_command, "--source", what->source, "CLUSTER", "cluster to move from")->required();
  value(create_command, "--destination", what->destination, "CLUSTER", "cluster to move to")->required();
  value(create_command, "--storage", what->storage, "STORAGE",
        "bucket to travel through (not needed to convert storage classes)");
  create_command->add_option("-n,--namespace", what->namespaces, "namespace, or source:destination; may be repeated")
      ->type_name("NAMESPACE")
      ->allow_extra_args(false)
      ->required();
  create_command->add_flag("--direct-images", what->direct_images, "copy images from registry to registry");
  create_command->add_flag("--indirect-volumes", what->indirect_volumes,
                           "copy volumes through the bucket instead of from cluster to cluster");
  add_wait_flag(create_command, *wait);
  acts(create_command, [what, wait](Session session) {
    return then_wait(session, kind_of("plan"), what->name, create_plan(session, *what), *wait);
  });
}

void CommandTree::add_migrate() {
  auto* run = command(&app_, "migrate", "run a plan: rehearse it, carry it out, or undo it",
                      "migrate shop --stage --watch\nmigrate shop --quiesce --watch\nmigrate shop --rollback --watch\n"
                      "migrate faster --state --quiesce --watch");
  run->group("Move it");
  auto what = std::make_shared<StartMigration>();
  auto follow = std::make_shared<bool>(false);
  auto started = std::make_shared<std::string>();
  value(run, "PLAN", what->run.plan, "NAME", "name of the plan")->required();
  value(run, "--name", what->name, "NAME", "what to call the migration (default: made from the plan's)");
  run->add_flag("--quiesce", what->run.quiesce, "scale the applications down on the source");
  auto* stage = run->add_flag("--stage", what->run.stage, "rehearse: copy data, stop nothing");
  auto* state = run->add_flag("--state", what->run.state,
                              "volumes only; within one namespace of one cluster: convert their storage classes");
  state->excludes(stage);
  run->add_flag("--rollback", what->run.rollback, "undo the plan's migrations")->excludes(stage)->excludes(state);
  run->add_flag("--watch", *follow, "follow it to its end");
  acts(
      run,
      [what, follow, started](Session session) { return migrate_and_watch(session, *what, *follow, started.get()); },
      [this, started] { return still_runs(*console_, *started); });
}

void CommandTree::add_watch() {
  auto* watch_command = command(&app_, "watch", "follow a migration to its end", "watch shop-x7k2m");
  watch_command->group("Move it");
  auto name = std::make_shared<std::string>();
  value(watch_command, "MIGRATION", *name, "NAME", "name of the migration")->required();
  acts(
      watch_command, [name](Session session) { return watch(session, *name); },
      [this, name] { return still_runs(*console_, *name); });
}

void CommandTree::add_wait() {
  auto* group = command(&app_, "wait", "wait until a cluster, storage or plan is ready",
                        "wait plan shop\nwait cluster east --timeout 5m");
  group->group("Move it");
  group->require_subcommand(1);
  for (const auto* word : {"cluster", "storage", "plan"}) {
    auto* wait = command(group, word, fmt::format("wait until a {} is ready", word),
                         fmt::format("wait {} {}", word, std::string(word) == "cluster" ? "east" : "shop"));
    auto name = std::make_shared<std::string>(), limit = std::make_shared<std::string>(kReadyLimit);
    value(wait, upper(word), *name, "NAME", fmt::format("name of the {}", word))->required();
    value(wait, "--timeout", *limit, "DURATION", fmt::format("how long (default: {})", kReadyLimit))
        ->check(CLI::Validator([](const std::string& text) { return not_a_duration(text); }, ""));
    acts(wait, [kind = kind_of(word), name, limit](Session session) {
      return wait_ready(session, kind, *name, *parse_go_duration(*limit));
    });
  }
}

void CommandTree::add_cancel() {
  auto* cancel_command = command(&app_, "cancel", "stop a migration and undo what it began", "cancel shop-x7k2m");
  cancel_command->group("Move it");
  auto name = std::make_shared<std::string>();
  value(cancel_command, "MIGRATION", *name, "NAME", "name of the migration")->required();
  acts(cancel_command, [name](Session session) { return done(cancel(session, *name)); });
}

}  // namespace mtc::cli
