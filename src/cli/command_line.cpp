#include "cli/command_line.hpp"

#include <cstdio>
#include <memory>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "async/runtime.hpp"
#include "base/error.hpp"
#include "base/log.hpp"
#include "cli/progress.hpp"
#include "cli/verbs.hpp"
#include "kube/config.hpp"

namespace mtc::cli {
namespace {

kube::ClientPtr host_client(const HostOptions& options) {
  if (!options.kubeconfig.empty())
    return kube::make_client(kube::Kubeconfig::load(options.kubeconfig).connection(options.context));
  if (options.context.empty()) {
    if (const auto connection = kube::in_cluster()) return kube::make_client(*connection);
  }
  return kube::make_client(kube::Kubeconfig::load_default().connection(options.context));
}

/// Builds the command tree; each command sets `action`, which runs after parsing.
class CommandLine {
 public:
  explicit CommandLine(const Programs& programs) : programs_(programs) {
    app_.require_subcommand(1);
    app_.set_help_all_flag("--help-all", "help of every command");
    app_.add_option("--kubeconfig", host_.kubeconfig,
                    "kubeconfig of the host cluster (default: in the cluster, KUBECONFIG, ~/.kube/config)");
    app_.add_option("--context", host_.context, "context of the host cluster");
    app_.add_option("--log-level", level_, "debug, info, warn or error")
        ->check(CLI::IsMember({"debug", "info", "warn", "error"}));
    app_.add_flag("--log-json", log_json_, "log lines as JSON");
    app_.set_version_flag("--version", "mtc 0.1.0");
    add_programs();
    add_cluster_commands();
    add_storage_commands();
    add_plan_commands();
    add_migration_commands();
    app_.footer(
        "Examples:\n  mtc demo\n  mtc controller --kubeconfig west.kubeconfig\n  mtc cluster add east --from-context "
        "east\n"
        "  mtc plan create shop --source host --destination east --storage minio --namespace shop\n  mtc migrate shop "
        "--quiesce --watch");
  }

  int run(int argc, char** argv) {
    try {
      app_.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
      const int code = app_.exit(error);
      return code == 0 ? kOk : kUsage;
    }
    log::configure(log::parse_level(level_), log_json_ ? log::Format::kJson : log::Format::kText);
    return action_();
  }

 private:
  void add_programs() {
    auto* demo = app_.add_subcommand("demo", "migrate an application between two embedded clusters, before your eyes");
    demo->callback([this] { action_ = [this] { return programs_.demo(); }; });

    auto* controller = app_.add_subcommand("controller", "reconcile the migrations of a host cluster until stopped");
    auto options = std::make_shared<ControllerOptions>();
    controller->add_flag("--standalone", options->standalone,
                         "keep our resources in an embedded cluster on this machine");
    controller->add_option("--state", options->state,
                           "state file of the embedded cluster (default: ~/.local/state/mtc/host.db)");
    controller->callback([this, options] {
      action_ = [this, options] {
        options->host = host_;
        return programs_.controller(*options);
      };
    });

    auto* sandbox = app_.add_subcommand("sandbox", "serve an embedded Kubernetes cluster");
    auto box = std::make_shared<SandboxOptions>();
    sandbox->add_option("--name", box->name, "its name");
    sandbox->add_option("--state", box->state, "SQLite file (default: in memory)");
    sandbox->add_option("--listen", box->listen, "address:port (default: a free port of 127.0.0.1)");
    sandbox->add_option("--write-kubeconfig", box->kubeconfig, "file for the admin's kubeconfig (default: printed)");
    sandbox->callback([this, box] { action_ = [this, box] { return programs_.sandbox(*box); }; });
  }

  /// Runs a task against the host cluster.
  int on_host(const std::function<Task<int>(kube::ClientPtr)>& make) const {
    async::Runtime runtime;
    int code = kOk;
    auto body = [](std::function<Task<int>(kube::ClientPtr)> make_task, kube::ClientPtr host, int* out) -> Task<void> {
      *out = co_await make_task(host);
    };
    return runtime.run_until_signal(body(make, host_client(host_), &code)) ? code : kInterrupted;
  }

  template <typename Verb>
  void act(CLI::App* command, Verb verb) {
    command->callback([this, verb] {
      action_ = [this, verb] {
        return on_host([verb](kube::ClientPtr host) -> Task<int> {
          auto run = [](Verb call, kube::ClientPtr client) -> Task<int> {
            co_await call(client);
            co_return kOk;
          };
          return run(verb, host);
        });
      };
    });
  }

  /// get, describe and delete of a kind.
  CLI::App* add_kind(const std::string& word, const std::string& help) {
    auto* group = app_.add_subcommand(word, help);
    group->require_subcommand(1);
    const auto kind = kind_of(word);
    auto name = std::make_shared<std::string>();
    auto output = std::make_shared<std::string>();
    auto* get_command = group->add_subcommand("get", "list them, or show one");
    get_command->add_option("NAME", *name, "only this one");
    get_command->add_option("-o,--output", *output, "json or yaml instead of a table")
        ->check(CLI::IsMember({"json", "yaml"}));
    act(get_command, [kind, name, output](kube::ClientPtr host) {
      return get(host, kind, *name,
                 *output == "json"   ? Output::kJson
                 : *output == "yaml" ? Output::kYaml
                                     : Output::kTable);
    });
    auto* describe_command = group->add_subcommand("describe", "show one with its conditions");
    describe_command->add_option("NAME", *name)->required();
    act(describe_command, [kind, name](kube::ClientPtr host) { return describe(host, kind, *name); });
    auto* delete_command = group->add_subcommand("delete", "delete one");
    delete_command->add_option("NAME", *name)->required();
    act(delete_command, [kind, name](kube::ClientPtr host) { return remove(host, kind, *name); });
    return group;
  }

  void add_cluster_commands() {
    auto* group = add_kind("cluster", "clusters that applications are migrated from and to");
    auto* add = group->add_subcommand("add", "register a cluster, by a context of your kubeconfig");
    auto what = std::make_shared<AddCluster>();
    add->add_option("NAME", what->name)->required();
    add->add_option("--from-context", what->context, "context that reaches the cluster as its administrator");
    add->add_option("--from-kubeconfig", what->kubeconfig, "kubeconfig that holds the context");
    add->add_flag("--host", what->is_host, "the host cluster itself");
    act(add, [what](kube::ClientPtr host) { return add_cluster(host, *what); });
  }

  void add_storage_commands() {
    auto* group = add_kind("storage", "replication repositories: buckets through which applications travel");
    auto* add = group->add_subcommand("add", "register a bucket");
    auto what = std::make_shared<AddStorage>();
    add->add_option("NAME", what->name)->required();
    add->add_option("--bucket", what->bucket, "bucket")->required();
    add->add_option("--url", what->url, "endpoint of an S3-compatible store (default: AWS)");
    add->add_option("--region", what->region, "region (default: us-east-1)");
    add->add_option("--access-key-id", what->access_key_id, "access key")->envname("AWS_ACCESS_KEY_ID")->required();
    add->add_option("--secret-access-key", what->secret_access_key, "secret key; better by the environment")
        ->envname("AWS_SECRET_ACCESS_KEY")
        ->required();
    add->add_option("--ca-file", what->ca_file, "PEM certificates to trust for the endpoint");
    act(add, [what](kube::ClientPtr host) { return add_storage(host, *what); });
  }

  void add_plan_commands() {
    auto* group = add_kind("plan", "what to migrate, from where to where");
    auto* create = group->add_subcommand("create", "create a plan");
    auto what = std::make_shared<CreatePlan>();
    create->add_option("NAME", what->name)->required();
    create->add_option("--source", what->source, "source cluster")->required();
    create->add_option("--destination", what->destination, "destination cluster")->required();
    create->add_option("--storage", what->storage, "replication repository")->required();
    create->add_option("--namespace,-n", what->namespaces, "namespace, or source:destination; may be repeated")
        ->required();
    act(create, [what](kube::ClientPtr host) { return create_plan(host, *what); });
  }

  void add_migration_commands() {
    add_kind("migration", "runs of a plan");
    auto* run = app_.add_subcommand("migrate", "run a plan");
    auto what = std::make_shared<StartMigration>();
    run->add_option("PLAN", what->plan)->required();
    run->add_option("--name", what->name, "name of the migration");
    run->add_flag("--quiesce", what->quiesce, "scale the applications down on the source");
    auto* stage = run->add_flag("--stage", what->stage, "rehearse: copy data, stop nothing");
    run->add_flag("--rollback", what->rollback, "undo the plan's migrations")->excludes(stage);
    run->add_flag("--watch", what->watch, "follow it to its end");
    run->callback([this, what] {
      action_ = [this, what] { return on_host([what](kube::ClientPtr host) { return migrate(host, *what); }); };
    });

    auto name = std::make_shared<std::string>();
    auto* cancel_command = app_.add_subcommand("cancel", "stop a migration and undo what it began");
    cancel_command->add_option("MIGRATION", *name)->required();
    act(cancel_command, [name](kube::ClientPtr host) { return cancel(host, *name); });
    auto* watch_command = app_.add_subcommand("watch", "follow a migration to its end");
    watch_command->add_option("MIGRATION", *name)->required();
    watch_command->callback([this, name] {
      action_ = [this, name] { return on_host([name](kube::ClientPtr host) { return watch(host, *name); }); };
    });
  }

  const Programs& programs_;
  CLI::App app_{
      "mtc moves applications between Kubernetes clusters: objects now, volumes and images in later releases.", "mtc"};
  HostOptions host_;
  std::string level_ = "info";
  bool log_json_ = false;
  std::function<int()> action_;
};

}  // namespace

int run_command_line(int argc, char** argv, const Programs& programs) {
  try {
    return CommandLine(programs).run(argc, argv);
  } catch (const Error& error) {
    fmt::print(stderr, "mtc: {}\n", error.what());
    return kFailed;
  }
}

}  // namespace mtc::cli
