"""The manifests of the public documents, with the names in angle brackets filled in and nothing else changed."""
from cluster import NS, b64

HOST = """\
apiVersion: migration.openshift.io/v1alpha1
kind: MigCluster
metadata:
  name: {name}
  namespace: openshift-migration
spec:
  isHostCluster: true
"""

CLUSTER_SECRET = """\
apiVersion: v1
kind: Secret
metadata:
  name: {name}
  namespace: openshift-config
type: Opaque
data:
  saToken: {token}
"""

# caBundle is the field that a cluster needs whose certificate is of its own authority.
REMOTE = """\
apiVersion: migration.openshift.io/v1alpha1
kind: MigCluster
metadata:
  name: {name}
  namespace: openshift-migration
spec:
  insecure: {insecure}
  isHostCluster: false
  serviceAccountSecretRef:
    name: {secret}
    namespace: openshift-config
  url: {url}
  caBundle: {ca}
"""

STORAGE_SECRET = """\
apiVersion: v1
kind: Secret
metadata:
  namespace: openshift-config
  name: {name}
type: Opaque
data:
  aws-access-key-id: {key}
  aws-secret-access-key: {secret}
"""

# awsS3Url is the field of a store that is not AWS.
STORAGE = """\
apiVersion: migration.openshift.io/v1alpha1
kind: MigStorage
metadata:
  name: {name}
  namespace: openshift-migration
spec:
  backupStorageConfig:
    awsBucketName: {bucket}
    awsS3Url: {url}
{more}    credsSecretRef:
      name: {secret}
      namespace: openshift-config
  backupStorageProvider: aws
  volumeSnapshotConfig:
    credsSecretRef:
      name: {secret}
      namespace: openshift-config
  volumeSnapshotProvider: aws
"""

PLAN = """\
apiVersion: migration.openshift.io/v1alpha1
kind: MigPlan
metadata:
  name: {name}
  namespace: openshift-migration
spec:
  destMigClusterRef:
    name: {destination}
    namespace: openshift-migration
  indirectImageMigration: true
  indirectVolumeMigration: true
  migStorageRef:
    name: {storage}
    namespace: openshift-migration
  namespaces:
    - {namespace}
  srcMigClusterRef:
    name: {source}
    namespace: openshift-migration
"""

MIGRATION = """\
apiVersion: migration.openshift.io/v1alpha1
kind: MigMigration
metadata:
  name: {name}
  namespace: openshift-migration
spec:
  migPlanRef:
    name: {plan}
    namespace: openshift-migration
  quiescePods: {quiesce}
  stage: {stage}
  rollback: {rollback}
"""


def transfer_image(image):
    """Which image the pods that move volumes run; without it, the released one of a registry."""
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "migration-cluster-config", "namespace": NS}, "data": {"RSYNC_TRANSFER_IMAGE": image}}


def migration(name, plan, quiesce=True, stage=False, rollback=False, state=False, root=True):
    """As text."""
    text = MIGRATION.format(name=name, plan=plan, quiesce=str(quiesce).lower(), stage=str(stage).lower(), rollback=str(rollback).lower())
    return text + "  migrateState: true\n" * state + "  runAsRoot: false\n" * (not root)


def application(ns, image, copies=2):
    """One of each kind that a small application is made of, a deployment with pods, and so many ConfigMaps and Secrets; 21 make it fifty objects."""
    labels = {"app": "web"}
    container = {"name": "web", "image": image, "imagePullPolicy": "IfNotPresent"}
    pod = {"metadata": {"labels": labels}, "spec": {"terminationGracePeriodSeconds": 1, "containers": [container]}}
    objects = [
        {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"}, "spec": {"replicas": 2, "selector": {"matchLabels": labels}, "template": pod}},
        {"apiVersion": "apps/v1", "kind": "StatefulSet", "metadata": {"name": "db"},
         "spec": {"replicas": 1, "serviceName": "db", "selector": {"matchLabels": {"app": "db"}}, "template": {**pod, "metadata": {"labels": {"app": "db"}}}}},
        {"apiVersion": "batch/v1", "kind": "CronJob", "metadata": {"name": "nightly"},
         "spec": {"schedule": "0 2 * * *", "suspend": False, "jobTemplate": {"spec": {"template": {"spec": {"restartPolicy": "Never", "containers": [container]}}}}}},
        {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web"}, "spec": {"selector": labels, "ports": [{"port": 80}]}},
        {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "db"}, "spec": {"clusterIP": "None", "selector": {"app": "db"}, "ports": [{"port": 5432}]}},
        {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "robot"}},
        {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role", "metadata": {"name": "reader"}, "rules": [{"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]}]},
        {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding", "metadata": {"name": "robot"},
         "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "reader"}, "subjects": [{"kind": "ServiceAccount", "name": "robot", "namespace": ns}]},
    ]
    objects += [{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": f"settings-{i}"}, "data": {"key": "value" * i}} for i in range(copies)]
    objects += [{"apiVersion": "v1", "kind": "Secret", "metadata": {"name": f"password-{i}"}, "data": {"key": b64("value" * i)}} for i in range(copies)]
    for each in objects:
        each["metadata"]["namespace"] = ns
    return [{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": ns}}] + objects


def claim(name, size="1Gi", **spec):
    return {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": name},
            "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": size}}, **spec}}


def mover(name, *arguments, claims=(), env=()):
    """A pod of mtc's own image; each claim is mounted at /<its name>."""
    container = {"name": "mtc", "image": "lab.mtc/mtc:1", "imagePullPolicy": "IfNotPresent", "args": list(arguments), "env": list(env),
                 "volumeMounts": [{"name": each, "mountPath": f"/{each}"} for each in claims]}
    volumes = [{"name": each, "persistentVolumeClaim": {"claimName": each}} for each in claims]
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name},
            "spec": {"restartPolicy": "Never", "terminationGracePeriodSeconds": 5, "containers": [container], "volumes": volumes}}
