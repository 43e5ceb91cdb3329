// Made by tools/built-in-types from k8s.io/api v0.34.4 and k8s.io/apimachinery v0.34.4 (Apache-2.0): do not edit.
#include "sandbox/built_in_types.hpp"

namespace mtc::sandbox {

const std::string_view kBuiltInTypes =
    R"(Namespace: 1 metadata ObjectMeta; 2 spec NamespaceSpec; 3 status NamespaceStatus
Pod: 1 metadata ObjectMeta; 2 spec PodSpec; 3 status PodStatus
Service: 1 metadata ObjectMeta; 2 spec ServiceSpec; 3 status ServiceStatus
ConfigMap: 1 metadata ObjectMeta; 4 immutable bool; 2 data {string}; 3 binaryData {bytes}
Secret: 1 metadata ObjectMeta; 5 immutable bool; 2 data {bytes}; 4 stringData {string}; 3 type string
ServiceAccount: 1 metadata ObjectMeta; 2 secrets [ObjectReference] map=name merge=name; 3 imagePullSecrets [LocalObjectReference]; 4 automountServiceAccountToken bool
Endpoints: 1 metadata ObjectMeta; 2 subsets [EndpointSubset]
Event: 1 metadata ObjectMeta; 2 involvedObject ObjectReference; 3 reason string; 4 message string; 5 source EventSource; 6 firstTimestamp Time; 7 lastTimestamp Time; 8 count int omitempty; 9 type string; 10 eventTime Time; 11 series EventSeries; 12 action string; 13 related ObjectReference; 14 reportingComponent string; 15 reportingInstance string
Node: 1 metadata ObjectMeta; 2 spec NodeSpec; 3 status NodeStatus
PersistentVolume: 1 metadata ObjectMeta; 2 spec PersistentVolumeSpec; 3 status PersistentVolumeStatus
PersistentVolumeClaim: 1 metadata ObjectMeta; 2 spec PersistentVolumeClaimSpec; 3 status PersistentVolumeClaimStatus
LimitRange: 1 metadata ObjectMeta; 2 spec LimitRangeSpec
ResourceQuota: 1 metadata ObjectMeta; 2 spec ResourceQuotaSpec; 3 status ResourceQuotaStatus
ReplicationController: 1 metadata ObjectMeta; 2 spec ReplicationControllerSpec; 3 status ReplicationControllerStatus
Deployment: 1 metadata ObjectMeta; 2 spec DeploymentSpec; 3 status DeploymentStatus
ReplicaSet: 1 metadata ObjectMeta; 2 spec ReplicaSetSpec; 3 status ReplicaSetStatus
StatefulSet: 1 metadata ObjectMeta; 2 spec StatefulSetSpec; 3 status StatefulSetStatus
DaemonSet: 1 metadata ObjectMeta; 2 spec DaemonSetSpec; 3 status DaemonSetStatus
ControllerRevision: 1 metadata ObjectMeta; 2 data Raw; 3 revision int
Job: 1 metadata ObjectMeta; 2 spec JobSpec; 3 status JobStatus
CronJob: 1 metadata ObjectMeta; 2 spec CronJobSpec; 3 status CronJobStatus
NetworkPolicy: 1 metadata ObjectMeta; 2 spec NetworkPolicySpec
Ingress: 1 metadata ObjectMeta; 2 spec IngressSpec; 3 status IngressStatus
HorizontalPodAutoscaler: 1 metadata ObjectMeta; 2 spec HorizontalPodAutoscalerSpec; 3 status HorizontalPodAutoscalerStatus
PodDisruptionBudget: 1 metadata ObjectMeta; 2 spec PodDisruptionBudgetSpec; 3 status PodDisruptionBudgetStatus
Eviction: 1 metadata ObjectMeta; 2 deleteOptions DeleteOptions
Role: 1 metadata ObjectMeta; 2 rules [PolicyRule]
RoleBinding: 1 metadata ObjectMeta; 2 subjects [Subject]; 3 roleRef RoleRef
ClusterRole: 1 metadata ObjectMeta; 2 rules [PolicyRule]; 3 aggregationRule AggregationRule
ClusterRoleBinding: 1 metadata ObjectMeta; 2 subjects [Subject]; 3 roleRef RoleRef
StorageClass: 1 metadata ObjectMeta; 2 provisioner string; 3 parameters {string}; 4 reclaimPolicy string; 5 mountOptions [string]; 6 allowVolumeExpansion bool; 7 volumeBindingMode string; 8 allowedTopologies [TopologySelectorTerm]
Lease: 1 metadata ObjectMeta; 2 spec LeaseSpec
EndpointSlice: 1 metadata ObjectMeta; 4 addressType string; 2 endpoints [Endpoint]; 3 ports [EndpointPort]
DeleteOptions: 1 gracePeriodSeconds int; 2 preconditions Preconditions; 3 orphanDependents bool; 4 propagationPolicy string; 5 dryRun [string]; 6 ignoreStoreReadErrorWithClusterBreakingPotential bool
SelfSubjectAccessReview: 1 metadata ObjectMeta; 2 spec SelfSubjectAccessReviewSpec; 3 status SubjectAccessReviewStatus
SubjectAccessReview: 1 metadata ObjectMeta; 2 spec SubjectAccessReviewSpec; 3 status SubjectAccessReviewStatus
SelfSubjectRulesReview: 1 metadata ObjectMeta; 2 spec SelfSubjectRulesReviewSpec; 3 status SubjectRulesReviewStatus
SelfSubjectReview: 1 metadata ObjectMeta; 2 status SelfSubjectReviewStatus
TokenRequest: 1 metadata ObjectMeta; 2 spec TokenRequestSpec; 3 status TokenRequestStatus
TokenReview: 1 metadata ObjectMeta; 2 spec TokenReviewSpec; 3 status TokenReviewStatus
ObjectMeta: 1 name string; 2 generateName string; 3 namespace string; 4 selfLink string; 5 uid string; 6 resourceVersion string; 7 generation int omitempty; 8 creationTimestamp Time; 9 deletionTimestamp Time; 10 deletionGracePeriodSeconds int; 11 labels {string}; 12 annotations {string}; 13 ownerReferences [OwnerReference] map=uid merge=uid; 14 finalizers [string] set; 17 managedFields [ManagedFieldsEntry]
NamespaceSpec: 1 finalizers [string]
NamespaceStatus: 1 phase string; 2 conditions [NamespaceCondition] map=type merge=type
PodSpec: 1 volumes [Volume] map=name merge=name retainKeys; 20 initContainers [Container] map=name merge=name; 2 containers [Container] map=name merge=name; 34 ephemeralContainers [EphemeralContainer] map=name merge=name; 3 restartPolicy string; 4 terminationGracePeriodSeconds int; 5 activeDeadlineSeconds int; 6 dnsPolicy string; 7 nodeSelector {string} atomic; 8 serviceAccountName string; 9 serviceAccount string; 21 automountServiceAccountToken bool; 10 nodeName string; 11 hostNetwork bool omitempty; 12 hostPID bool omitempty; 13 hostIPC bool omitempty; 27 shareProcessNamespace bool; 14 securityContext PodSecurityContext; 15 imagePullSecrets [LocalObjectReference] map=name merge=name; 16 hostname string; 17 subdomain string; 18 affinity Affinity; 19 schedulerName string; 22 tolerations [Toleration]; 23 hostAliases [HostAlias] map=ip merge=ip; 24 priorityClassName string; 25 priority int; 26 dnsConfig PodDNSConfig; 28 readinessGates [PodReadinessGate]; 29 runtimeClassName string; 30 enableServiceLinks bool; 31 preemptionPolicy string; 32 overhead {Quantity}; 33 topologySpreadConstraints [TopologySpreadConstraint] map=topologyKey,whenUnsatisfiable merge=topologyKey; 35 setHostnameAsFQDN bool; 36 os PodOS; 37 hostUsers bool; 38 schedulingGates [PodSchedulingGate] map=name merge=name; 39 resourceClaims [PodResourceClaim] map=name merge=name retainKeys; 40 resources ResourceRequirements; 41 hostnameOverride string
PodStatus: 17 observedGeneration int omitempty; 1 phase string; 2 conditions [PodCondition] map=type merge=type; 3 message string; 4 reason string; 11 nominatedNodeName string; 5 hostIP string; 16 hostIPs [HostIP] merge=ip; 6 podIP string; 12 podIPs [PodIP] map=ip merge=ip; 7 startTime Time; 10 initContainerStatuses [ContainerStatus]; 8 containerStatuses [ContainerStatus]; 9 qosClass string; 13 ephemeralContainerStatuses [ContainerStatus]; 14 resize string; 15 resourceClaimStatuses [PodResourceClaimStatus] map=name merge=name retainKeys; 18 extendedResourceClaimStatus PodExtendedResourceClaimStatus
ServiceSpec: 1 ports [ServicePort] map=port,protocol merge=port; 2 selector {string} atomic; 3 clusterIP string; 18 clusterIPs [string]; 4 type string; 5 externalIPs [string]; 7 sessionAffinity string; 8 loadBalancerIP string; 9 loadBalancerSourceRanges [string]; 10 externalName string; 11 externalTrafficPolicy string; 12 healthCheckNodePort int omitempty; 13 publishNotReadyAddresses bool omitempty; 14 sessionAffinityConfig SessionAffinityConfig; 19 ipFamilies [string]; 17 ipFamilyPolicy string; 20 allocateLoadBalancerNodePorts bool; 21 loadBalancerClass string; 22 internalTrafficPolicy string; 23 trafficDistribution string
ServiceStatus: 1 loadBalancer LoadBalancerStatus; 2 conditions [Condition] map=type merge=type
ObjectReference atomic: 1 kind string; 2 namespace string; 3 name string; 4 uid string; 5 apiVersion string; 6 resourceVersion string; 7 fieldPath string
LocalObjectReference atomic: 1 name string
EndpointSubset: 1 addresses [EndpointAddress]; 2 notReadyAddresses [EndpointAddress]; 3 ports [core_EndpointPort]
EventSource: 1 component string; 2 host string
EventSeries: 1 count int omitempty; 2 lastObservedTime Time
NodeSpec: 1 podCIDR string; 7 podCIDRs [string] set; 3 providerID string; 4 unschedulable bool omitempty; 5 taints [Taint]; 6 configSource NodeConfigSource; 2 externalID string
NodeStatus: 1 capacity {Quantity}; 2 allocatable {Quantity}; 3 phase string; 4 conditions [NodeCondition] map=type merge=type; 5 addresses [NodeAddress] map=type merge=type; 6 daemonEndpoints NodeDaemonEndpoints; 7 nodeInfo NodeSystemInfo; 8 images [ContainerImage]; 9 volumesInUse [string]; 10 volumesAttached [AttachedVolume]; 11 config NodeConfigStatus; 12 runtimeHandlers [NodeRuntimeHandler]; 13 features NodeFeatures
PersistentVolumeSpec: 1 capacity {Quantity}; 2 persistentVolumeSource PersistentVolumeSource inline; 3 accessModes [string]; 4 claimRef ObjectReference; 5 persistentVolumeReclaimPolicy string; 6 storageClassName string; 7 mountOptions [string]; 8 volumeMode string; 9 nodeAffinity VolumeNodeAffinity; 10 volumeAttributesClassName string
PersistentVolumeStatus: 1 phase string; 2 message string; 3 reason string; 4 lastPhaseTransitionTime Time
PersistentVolumeClaimSpec: 1 accessModes [string]; 4 selector LabelSelector; 2 resources VolumeResourceRequirements; 3 volumeName string; 5 storageClassName string; 6 volumeMode string; 7 dataSource TypedLocalObjectReference; 8 dataSourceRef TypedObjectReference; 9 volumeAttributesClassName string
PersistentVolumeClaimStatus: 1 phase string; 2 accessModes [string]; 3 capacity {Quantity}; 4 conditions [PersistentVolumeClaimCondition] map=type merge=type; 5 allocatedResources {Quantity}; 7 allocatedResourceStatuses {string}; 8 currentVolumeAttributesClassName string; 9 modifyVolumeStatus ModifyVolumeStatus
LimitRangeSpec: 1 limits [LimitRangeItem]
ResourceQuotaSpec: 1 hard {Quantity}; 2 scopes [string]; 3 scopeSelector ScopeSelector
ResourceQuotaStatus: 1 hard {Quantity}; 2 used {Quantity}
ReplicationControllerSpec: 1 replicas int; 4 minReadySeconds int omitempty; 2 selector {string} atomic; 3 template PodTemplateSpec
ReplicationControllerStatus: 1 replicas int; 2 fullyLabeledReplicas int omitempty; 4 readyReplicas int omitempty; 5 availableReplicas int omitempty; 3 observedGeneration int omitempty; 6 conditions [ReplicationControllerCondition] map=type merge=type
DeploymentSpec: 1 replicas int; 2 selector LabelSelector; 3 template PodTemplateSpec; 4 strategy DeploymentStrategy retainKeys; 5 minReadySeconds int omitempty; 6 revisionHistoryLimit int; 7 paused bool omitempty; 9 progressDeadlineSeconds int
DeploymentStatus: 1 observedGeneration int omitempty; 2 replicas int omitempty; 3 updatedReplicas int omitempty; 7 readyReplicas int omitempty; 4 availableReplicas int omitempty; 5 unavailableReplicas int omitempty; 9 terminatingReplicas int; 6 conditions [DeploymentCondition] map=type merge=type; 8 collisionCount int
ReplicaSetSpec: 1 replicas int; 4 minReadySeconds int omitempty; 2 selector LabelSelector; 3 template PodTemplateSpec
ReplicaSetStatus: 1 replicas int; 2 fullyLabeledReplicas int omitempty; 4 readyReplicas int omitempty; 5 availableReplicas int omitempty; 7 terminatingReplicas int; 3 observedGeneration int omitempty; 6 conditions [ReplicaSetCondition] map=type merge=type
StatefulSetSpec: 1 replicas int; 2 selector LabelSelector; 3 template PodTemplateSpec; 4 volumeClaimTemplates [PersistentVolumeClaim]; 5 serviceName string; 6 podManagementPolicy string; 7 updateStrategy StatefulSetUpdateStrategy; 8 revisionHistoryLimit int; 9 minReadySeconds int omitempty; 10 persistentVolumeClaimRetentionPolicy StatefulSetPersistentVolumeClaimRetentionPolicy; 11 ordinals StatefulSetOrdinals
StatefulSetStatus: 1 observedGeneration int omitempty; 2 replicas int; 3 readyReplicas int omitempty; 4 currentReplicas int omitempty; 5 updatedReplicas int omitempty; 6 currentRevision string; 7 updateRevision string; 9 collisionCount int; 10 conditions [StatefulSetCondition] map=type merge=type; 11 availableReplicas int
DaemonSetSpec: 1 selector LabelSelector; 2 template PodTemplateSpec; 3 updateStrategy DaemonSetUpdateStrategy; 4 minReadySeconds int omitempty; 6 revisionHistoryLimit int
DaemonSetStatus: 1 currentNumberScheduled int; 2 numberMisscheduled int; 3 desiredNumberScheduled int; 4 numberReady int; 5 observedGeneration int omitempty; 6 updatedNumberScheduled int omitempty; 7 numberAvailable int omitempty; 8 numberUnavailable int omitempty; 9 collisionCount int; 10 conditions [DaemonSetCondition] map=type merge=type
JobSpec: 1 parallelism int; 2 completions int; 3 activeDeadlineSeconds int; 11 podFailurePolicy PodFailurePolicy; 16 successPolicy SuccessPolicy; 7 backoffLimit int; 12 backoffLimitPerIndex int; 13 maxFailedIndexes int; 4 selector LabelSelector; 5 manualSelector bool; 6 template PodTemplateSpec; 8 ttlSecondsAfterFinished int; 9 completionMode string; 10 suspend bool; 14 podReplacementPolicy string; 15 managedBy string
JobStatus: 1 conditions [JobCondition] merge=type; 2 startTime Time; 3 completionTime Time; 4 active int omitempty; 5 succeeded int omitempty; 6 failed int omitempty; 11 terminating int; 7 completedIndexes string; 10 failedIndexes string; 8 uncountedTerminatedPods UncountedTerminatedPods; 9 ready int
CronJobSpec: 1 schedule string; 8 timeZone string; 2 startingDeadlineSeconds int; 3 concurrencyPolicy string; 4 suspend bool; 5 jobTemplate JobTemplateSpec; 6 successfulJobsHistoryLimit int; 7 failedJobsHistoryLimit int
CronJobStatus: 1 active [ObjectReference]; 4 lastScheduleTime Time; 5 lastSuccessfulTime Time
NetworkPolicySpec: 1 podSelector LabelSelector; 2 ingress [NetworkPolicyIngressRule]; 3 egress [NetworkPolicyEgressRule]; 4 policyTypes [string]
IngressSpec: 4 ingressClassName string; 1 defaultBackend IngressBackend; 2 tls [IngressTLS]; 3 rules [IngressRule]
IngressStatus: 1 loadBalancer IngressLoadBalancerStatus
HorizontalPodAutoscalerSpec: 1 scaleTargetRef CrossVersionObjectReference; 2 minReplicas int; 3 maxReplicas int; 4 metrics [MetricSpec]; 5 behavior HorizontalPodAutoscalerBehavior
HorizontalPodAutoscalerStatus: 1 observedGeneration int; 2 lastScaleTime Time; 3 currentReplicas int omitempty; 4 desiredReplicas int; 5 currentMetrics [MetricStatus]; 6 conditions [HorizontalPodAutoscalerCondition] map=type merge=type
PodDisruptionBudgetSpec: 1 minAvailable IntOrString; 2 selector LabelSelector; 3 maxUnavailable IntOrString; 4 unhealthyPodEvictionPolicy string
PodDisruptionBudgetStatus: 1 observedGeneration int omitempty; 2 disruptedPods {Time}; 3 disruptionsAllowed int; 4 currentHealthy int; 5 desiredHealthy int; 6 expectedPods int; 7 conditions [Condition] map=type merge=type
PolicyRule: 1 verbs [string]; 2 apiGroups [string]; 3 resources [string]; 4 resourceNames [string]; 5 nonResourceURLs [string]
Subject atomic: 1 kind string; 2 apiGroup string; 3 name string; 4 namespace string
RoleRef atomic: 1 apiGroup string; 2 kind string; 3 name string
AggregationRule: 1 clusterRoleSelectors [LabelSelector]
TopologySelectorTerm atomic: 1 matchLabelExpressions [TopologySelectorLabelRequirement]
LeaseSpec: 1 holderIdentity string; 2 leaseDurationSeconds int; 3 acquireTime Time; 4 renewTime Time; 5 leaseTransitions int; 6 strategy string; 7 preferredHolder string
Endpoint: 1 addresses [string] set; 2 conditions EndpointConditions; 3 hostname string; 4 targetRef ObjectReference; 5 deprecatedTopology {string}; 6 nodeName string; 7 zone string; 8 hints EndpointHints
EndpointPort atomic: 1 name string; 2 protocol string; 3 port int; 4 appProtocol string
Preconditions: 1 uid string; 2 resourceVersion string
SelfSubjectAccessReviewSpec: 1 resourceAttributes ResourceAttributes; 2 nonResourceAttributes NonResourceAttributes
SubjectAccessReviewStatus: 1 allowed bool; 4 denied bool omitempty; 2 reason string; 3 evaluationError string
SubjectAccessReviewSpec: 1 resourceAttributes ResourceAttributes; 2 nonResourceAttributes NonResourceAttributes; 3 user string; 4 groups [string]; 5 extra {Raw}; 6 uid string
SelfSubjectRulesReviewSpec: 1 namespace string
SubjectRulesReviewStatus: 1 resourceRules [ResourceRule]; 2 nonResourceRules [NonResourceRule]; 3 incomplete bool; 4 evaluationError string
SelfSubjectReviewStatus: 1 userInfo UserInfo
TokenRequestSpec: 1 audiences [string]; 4 expirationSeconds int; 3 boundObjectRef BoundObjectReference
TokenRequestStatus: 1 token string; 2 expirationTimestamp Time
TokenReviewSpec: 1 token string; 2 audiences [string]
TokenReviewStatus: 1 authenticated bool omitempty; 2 user UserInfo; 4 audiences [string]; 3 error string
OwnerReference atomic: 5 apiVersion string; 1 kind string; 3 name string; 4 uid string; 6 controller bool; 7 blockOwnerDeletion bool
ManagedFieldsEntry: 1 manager string; 2 operation string; 3 apiVersion string; 4 time Time; 6 fieldsType string; 7 fieldsV1 Raw; 8 subresource string
NamespaceCondition: 1 type string; 2 status string; 4 lastTransitionTime Time; 5 reason string; 6 message string
Volume: 1 name string; 2 volumeSource VolumeSource inline
Container: 1 name string; 2 image string; 3 command [string]; 4 args [string]; 5 workingDir string; 6 ports [ContainerPort] map=containerPort,protocol merge=containerPort; 19 envFrom [EnvFromSource]; 7 env [EnvVar] map=name merge=name; 8 resources ResourceRequirements; 23 resizePolicy [ContainerResizePolicy]; 24 restartPolicy string; 25 restartPolicyRules [ContainerRestartRule]; 9 volumeMounts [VolumeMount] map=mountPath merge=mountPath; 21 volumeDevices [VolumeDevice] map=devicePath merge=devicePath; 10 livenessProbe Probe; 11 readinessProbe Probe; 22 startupProbe Probe; 12 lifecycle Lifecycle; 13 terminationMessagePath string; 20 terminationMessagePolicy string; 14 imagePullPolicy string; 15 securityContext SecurityContext; 16 stdin bool omitempty; 17 stdinOnce bool omitempty; 18 tty bool omitempty
EphemeralContainer: 1 ephemeralContainerCommon EphemeralContainerCommon inline; 2 targetContainerName string
PodSecurityContext: 1 seLinuxOptions SELinuxOptions; 8 windowsOptions WindowsSecurityContextOptions; 2 runAsUser int; 6 runAsGroup int; 3 runAsNonRoot bool; 4 supplementalGroups [int]; 12 supplementalGroupsPolicy string; 5 fsGroup int; 7 sysctls [Sysctl]; 9 fsGroupChangePolicy string; 10 seccompProfile SeccompProfile; 11 appArmorProfile AppArmorProfile; 13 seLinuxChangePolicy string
Affinity: 1 nodeAffinity NodeAffinity; 2 podAffinity PodAffinity; 3 podAntiAffinity PodAntiAffinity
Toleration: 1 key string; 2 operator string; 3 value string; 4 effect string; 5 tolerationSeconds int
HostAlias: 1 ip string; 2 hostnames [string]
PodDNSConfig: 1 nameservers [string]; 2 searches [string]; 3 options [PodDNSConfigOption]
PodReadinessGate: 1 conditionType string
TopologySpreadConstraint: 1 maxSkew int; 2 topologyKey string; 3 whenUnsatisfiable string; 4 labelSelector LabelSelector; 5 minDomains int; 6 nodeAffinityPolicy string; 7 nodeTaintsPolicy string; 8 matchLabelKeys [string]
PodOS: 1 name string
PodSchedulingGate: 1 name string
PodResourceClaim: 1 name string; 3 resourceClaimName string; 4 resourceClaimTemplateName string
ResourceRequirements: 1 limits {Quantity}; 2 requests {Quantity}; 3 claims [ResourceClaim] map=name
PodCondition: 1 type string; 7 observedGeneration int omitempty; 2 status string; 3 lastProbeTime Time; 4 lastTransitionTime Time; 5 reason string; 6 message string
HostIP: 1 ip string
PodIP: 1 ip string
ContainerStatus: 1 name string; 2 state ContainerState; 3 lastState ContainerState; 4 ready bool; 5 restartCount int; 6 image string; 7 imageID string; 8 containerID string; 9 started bool; 10 allocatedResources {Quantity}; 11 resources ResourceRequirements; 12 volumeMounts [VolumeMountStatus] map=mountPath merge=mountPath; 13 user ContainerUser; 14 allocatedResourcesStatus [ResourceStatus] map=name merge=name; 15 stopSignal string
PodResourceClaimStatus: 1 name string; 2 resourceClaimName string
PodExtendedResourceClaimStatus: 1 requestMappings [ContainerExtendedResourceRequest]; 2 resourceClaimName string
ServicePort: 1 name string; 2 protocol string; 6 appProtocol string; 3 port int; 4 targetPort IntOrString; 5 nodePort int omitempty
SessionAffinityConfig: 1 clientIP ClientIPConfig
LoadBalancerStatus: 1 ingress [LoadBalancerIngress]
Condition: 1 type string; 2 status string; 3 observedGeneration int omitempty; 4 lastTransitionTime Time; 5 reason string; 6 message string
EndpointAddress atomic: 1 ip string; 3 hostname string; 4 nodeName string; 2 targetRef ObjectReference
core_EndpointPort atomic: 1 name string; 2 port int; 3 protocol string; 4 appProtocol string
Taint: 1 key string; 2 value string; 3 effect string; 4 timeAdded Time
NodeConfigSource: 2 configMap ConfigMapNodeConfigSource
NodeCondition: 1 type string; 2 status string; 3 lastHeartbeatTime Time; 4 lastTransitionTime Time; 5 reason string; 6 message string
NodeAddress: 1 type string; 2 address string
NodeDaemonEndpoints: 1 kubeletEndpoint DaemonEndpoint
NodeSystemInfo: 1 machineID string; 2 systemUUID string; 3 bootID string; 4 kernelVersion string; 5 osImage string; 6 containerRuntimeVersion string; 7 kubeletVersion string; 8 kubeProxyVersion string; 9 operatingSystem string; 10 architecture string; 11 swap NodeSwapStatus
ContainerImage: 1 names [string]; 2 sizeBytes int omitempty
AttachedVolume: 1 name string; 2 devicePath string
NodeConfigStatus: 1 assigned NodeConfigSource; 2 active NodeConfigSource; 3 lastKnownGood NodeConfigSource; 4 error string
NodeRuntimeHandler: 1 name string; 2 features NodeRuntimeHandlerFeatures
NodeFeatures: 1 supplementalGroupsPolicy bool
PersistentVolumeSource: 1 gcePersistentDisk GCEPersistentDiskVolumeSource; 2 awsElasticBlockStore AWSElasticBlockStoreVolumeSource; 3 hostPath HostPathVolumeSource; 4 glusterfs GlusterfsPersistentVolumeSource; 5 nfs NFSVolumeSource; 6 rbd RBDPersistentVolumeSource; 7 iscsi ISCSIPersistentVolumeSource; 8 cinder CinderPersistentVolumeSource; 9 cephfs CephFSPersistentVolumeSource; 10 fc FCVolumeSource; 11 flocker FlockerVolumeSource; 12 flexVolume FlexPersistentVolumeSource; 13 azureFile AzureFilePersistentVolumeSource; 14 vsphereVolume VsphereVirtualDiskVolumeSource; 15 quobyte QuobyteVolumeSource; 16 azureDisk AzureDiskVolumeSource; 17 photonPersistentDisk PhotonPersistentDiskVolumeSource; 18 portworxVolume PortworxVolumeSource; 19 scaleIO ScaleIOPersistentVolumeSource; 20 local LocalVolumeSource; 21 storageos StorageOSPersistentVolumeSource; 22 csi CSIPersistentVolumeSource
VolumeNodeAffinity: 1 required NodeSelector
LabelSelector atomic: 1 matchLabels {string}; 2 matchExpressions [LabelSelectorRequirement]
VolumeResourceRequirements: 1 limits {Quantity}; 2 requests {Quantity}
TypedLocalObjectReference atomic: 1 apiGroup string; 2 kind string; 3 name string
TypedObjectReference: 1 apiGroup string; 2 kind string; 3 name string; 4 namespace string
PersistentVolumeClaimCondition: 1 type string; 2 status string; 3 lastProbeTime Time; 4 lastTransitionTime Time; 5 reason string; 6 message string
ModifyVolumeStatus: 1 targetVolumeAttributesClassName string; 2 status string
LimitRangeItem: 1 type string; 2 max {Quantity}; 3 min {Quantity}; 4 default {Quantity}; 5 defaultRequest {Quantity}; 6 maxLimitRequestRatio {Quantity}
ScopeSelector atomic: 1 matchExpressions [ScopedResourceSelectorRequirement]
PodTemplateSpec: 1 metadata ObjectMeta; 2 spec PodSpec
ReplicationControllerCondition: 1 type string; 2 status string; 3 lastTransitionTime Time; 4 reason string; 5 message string
DeploymentStrategy: 1 type string; 2 rollingUpdate RollingUpdateDeployment
DeploymentCondition: 1 type string; 2 status string; 6 lastUpdateTime Time; 7 lastTransitionTime Time; 4 reason string; 5 message string
ReplicaSetCondition: 1 type string; 2 status string; 3 lastTransitionTime Time; 4 reason string; 5 message string
StatefulSetUpdateStrategy: 1 type string; 2 rollingUpdate RollingUpdateStatefulSetStrategy
StatefulSetPersistentVolumeClaimRetentionPolicy: 1 whenDeleted string; 2 whenScaled string
StatefulSetOrdinals: 1 start int
StatefulSetCondition: 1 type string; 2 status string; 3 lastTransitionTime Time; 4 reason string; 5 message string
DaemonSetUpdateStrategy: 1 type string; 2 rollingUpdate RollingUpdateDaemonSet
DaemonSetCondition: 1 type string; 2 status string; 3 lastTransitionTime Time; 4 reason string; 5 message string
PodFailurePolicy: 1 rules [PodFailurePolicyRule]
SuccessPolicy: 1 rules [SuccessPolicyRule]
JobCondition: 1 type string; 2 status string; 3 lastProbeTime Time; 4 lastTransitionTime Time; 5 reason string; 6 message string
UncountedTerminatedPods: 1 succeeded [string] set; 2 failed [string] set
JobTemplateSpec: 1 metadata ObjectMeta; 2 spec JobSpec
NetworkPolicyIngressRule: 1 ports [NetworkPolicyPort]; 2 from [NetworkPolicyPeer]
NetworkPolicyEgressRule: 1 ports [NetworkPolicyPort]; 2 to [NetworkPolicyPeer]
IngressBackend: 4 service IngressServiceBackend; 3 resource TypedLocalObjectReference
IngressTLS: 1 hosts [string]; 2 secretName string
IngressRule: 1 host string; 2 ingressRuleValue IngressRuleValue inline
IngressLoadBalancerStatus: 1 ingress [IngressLoadBalancerIngress]
CrossVersionObjectReference: 1 kind string; 2 name string; 3 apiVersion string
MetricSpec: 1 type string; 2 object ObjectMetricSource; 3 pods PodsMetricSource; 4 resource ResourceMetricSource; 7 containerResource ContainerResourceMetricSource; 5 external ExternalMetricSource
HorizontalPodAutoscalerBehavior: 1 scaleUp HPAScalingRules; 2 scaleDown HPAScalingRules
MetricStatus: 1 type string; 2 object ObjectMetricStatus; 3 pods PodsMetricStatus; 4 resource ResourceMetricStatus; 7 containerResource ContainerResourceMetricStatus; 5 external ExternalMetricStatus
HorizontalPodAutoscalerCondition: 1 type string; 2 status string; 3 lastTransitionTime Time; 4 reason string; 5 message string
TopologySelectorLabelRequirement: 1 key string; 2 values [string]
EndpointConditions: 1 ready bool; 2 serving bool; 3 terminating bool
EndpointHints: 1 forZones [ForZone]; 2 forNodes [ForNode]
ResourceAttributes: 1 namespace string; 2 verb string; 3 group string; 4 version string; 5 resource string; 6 subresource string; 7 name string; 8 fieldSelector FieldSelectorAttributes; 9 labelSelector LabelSelectorAttributes
NonResourceAttributes: 1 path string; 2 verb string
ResourceRule: 1 verbs [string]; 2 apiGroups [string]; 3 resources [string]; 4 resourceNames [string]
NonResourceRule: 1 verbs [string]; 2 nonResourceURLs [string]
UserInfo: 1 username string; 2 uid string; 3 groups [string]; 4 extra {Raw}
BoundObjectReference: 1 kind string; 2 apiVersion string; 3 name string; 4 uID string
VolumeSource: 1 hostPath HostPathVolumeSource; 2 emptyDir EmptyDirVolumeSource; 3 gcePersistentDisk GCEPersistentDiskVolumeSource; 4 awsElasticBlockStore AWSElasticBlockStoreVolumeSource; 5 gitRepo GitRepoVolumeSource; 6 secret SecretVolumeSource; 7 nfs NFSVolumeSource; 8 iscsi ISCSIVolumeSource; 9 glusterfs GlusterfsVolumeSource; 10 persistentVolumeClaim PersistentVolumeClaimVolumeSource; 11 rbd RBDVolumeSource; 12 flexVolume FlexVolumeSource; 13 cinder CinderVolumeSource; 14 cephfs CephFSVolumeSource; 15 flocker FlockerVolumeSource; 16 downwardAPI DownwardAPIVolumeSource; 17 fc FCVolumeSource; 18 azureFile AzureFileVolumeSource; 19 configMap ConfigMapVolumeSource; 20 vsphereVolume VsphereVirtualDiskVolumeSource; 21 quobyte QuobyteVolumeSource; 22 azureDisk AzureDiskVolumeSource; 23 photonPersistentDisk PhotonPersistentDiskVolumeSource; 26 projected ProjectedVolumeSource; 24 portworxVolume PortworxVolumeSource; 25 scaleIO ScaleIOVolumeSource; 27 storageos StorageOSVolumeSource; 28 csi CSIVolumeSource; 29 ephemeral EphemeralVolumeSource; 30 image ImageVolumeSource
ContainerPort: 1 name string; 2 hostPort int omitempty; 3 containerPort int; 4 protocol string; 5 hostIP string
EnvFromSource: 1 prefix string; 2 configMapRef ConfigMapEnvSource; 3 secretRef SecretEnvSource
EnvVar: 1 name string; 2 value string; 3 valueFrom EnvVarSource
ContainerResizePolicy: 1 resourceName string; 2 restartPolicy string
ContainerRestartRule: 1 action string; 2 exitCodes ContainerRestartRuleOnExitCodes
VolumeMount: 1 name string; 2 readOnly bool omitempty; 7 recursiveReadOnly string; 3 mountPath string; 4 subPath string; 5 mountPropagation string; 6 subPathExpr string
VolumeDevice: 1 name string; 2 devicePath string
Probe: 1 handler ProbeHandler inline; 2 initialDelaySeconds int omitempty; 3 timeoutSeconds int omitempty; 4 periodSeconds int omitempty; 5 successThreshold int omitempty; 6 failureThreshold int omitempty; 7 terminationGracePeriodSeconds int
Lifecycle: 1 postStart LifecycleHandler; 2 preStop LifecycleHandler; 3 stopSignal string
SecurityContext: 1 capabilities Capabilities; 2 privileged bool; 3 seLinuxOptions SELinuxOptions; 10 windowsOptions WindowsSecurityContextOptions; 4 runAsUser int; 8 runAsGroup int; 5 runAsNonRoot bool; 6 readOnlyRootFilesystem bool; 7 allowPrivilegeEscalation bool; 9 procMount string; 11 seccompProfile SeccompProfile; 12 appArmorProfile AppArmorProfile
EphemeralContainerCommon: 1 name string; 2 image string; 3 command [string]; 4 args [string]; 5 workingDir string; 6 ports [ContainerPort] map=containerPort,protocol merge=containerPort; 19 envFrom [EnvFromSource]; 7 env [EnvVar] map=name merge=name; 8 resources ResourceRequirements; 23 resizePolicy [ContainerResizePolicy]; 24 restartPolicy string; 25 restartPolicyRules [ContainerRestartRule]; 9 volumeMounts [VolumeMount] map=mountPath merge=mountPath; 21 volumeDevices [VolumeDevice] map=devicePath merge=devicePath; 10 livenessProbe Probe; 11 readinessProbe Probe; 22 startupProbe Probe; 12 lifecycle Lifecycle; 13 terminationMessagePath string; 20 terminationMessagePolicy string; 14 imagePullPolicy string; 15 securityContext SecurityContext; 16 stdin bool omitempty; 17 stdinOnce bool omitempty; 18 tty bool omitempty
SELinuxOptions: 1 user string; 2 role string; 3 type string; 4 level string
WindowsSecurityContextOptions: 1 gmsaCredentialSpecName string; 2 gmsaCredentialSpec string; 3 runAsUserName string; 4 hostProcess bool
Sysctl: 1 name string; 2 value string
SeccompProfile: 1 type string; 2 localhostProfile string
AppArmorProfile: 1 type string; 2 localhostProfile string
NodeAffinity: 1 requiredDuringSchedulingIgnoredDuringExecution NodeSelector; 2 preferredDuringSchedulingIgnoredDuringExecution [PreferredSchedulingTerm]
PodAffinity: 1 requiredDuringSchedulingIgnoredDuringExecution [PodAffinityTerm]; 2 preferredDuringSchedulingIgnoredDuringExecution [WeightedPodAffinityTerm]
PodAntiAffinity: 1 requiredDuringSchedulingIgnoredDuringExecution [PodAffinityTerm]; 2 preferredDuringSchedulingIgnoredDuringExecution [WeightedPodAffinityTerm]
PodDNSConfigOption: 1 name string; 2 value string
ResourceClaim: 1 name string; 2 request string
ContainerState: 1 waiting ContainerStateWaiting; 2 running ContainerStateRunning; 3 terminated ContainerStateTerminated
VolumeMountStatus: 1 name string; 2 mountPath string; 3 readOnly bool omitempty; 4 recursiveReadOnly string
ContainerUser: 1 linux LinuxContainerUser
ResourceStatus: 1 name string; 2 resources [ResourceHealth] map=resourceID
ContainerExtendedResourceRequest: 1 containerName string; 2 resourceName string; 3 requestName string
ClientIPConfig: 1 timeoutSeconds int
LoadBalancerIngress: 1 ip string; 2 hostname string; 3 ipMode string; 4 ports [PortStatus]
ConfigMapNodeConfigSource: 1 namespace string; 2 name string; 3 uid string; 4 resourceVersion string; 5 kubeletConfigKey string
DaemonEndpoint: 1 Port int
NodeSwapStatus: 1 capacity int
NodeRuntimeHandlerFeatures: 1 recursiveReadOnlyMounts bool; 2 userNamespaces bool
GCEPersistentDiskVolumeSource: 1 pdName string; 2 fsType string; 3 partition int omitempty; 4 readOnly bool omitempty
AWSElasticBlockStoreVolumeSource: 1 volumeID string; 2 fsType string; 3 partition int omitempty; 4 readOnly bool omitempty
HostPathVolumeSource: 1 path string; 2 type string
GlusterfsPersistentVolumeSource: 1 endpoints string; 2 path string; 3 readOnly bool omitempty; 4 endpointsNamespace string
NFSVolumeSource: 1 server string; 2 path string; 3 readOnly bool omitempty
RBDPersistentVolumeSource: 1 monitors [string]; 2 image string; 3 fsType string; 4 pool string; 5 user string; 6 keyring string; 7 secretRef SecretReference; 8 readOnly bool omitempty
ISCSIPersistentVolumeSource: 1 targetPortal string; 2 iqn string; 3 lun int; 4 iscsiInterface string; 5 fsType string; 6 readOnly bool omitempty; 7 portals [string]; 8 chapAuthDiscovery bool omitempty; 11 chapAuthSession bool omitempty; 10 secretRef SecretReference; 12 initiatorName string
CinderPersistentVolumeSource: 1 volumeID string; 2 fsType string; 3 readOnly bool omitempty; 4 secretRef SecretReference
CephFSPersistentVolumeSource: 1 monitors [string]; 2 path string; 3 user string; 4 secretFile string; 5 secretRef SecretReference; 6 readOnly bool omitempty
FCVolumeSource: 1 targetWWNs [string]; 2 lun int; 3 fsType string; 4 readOnly bool omitempty; 5 wwids [string]
FlockerVolumeSource: 1 datasetName string; 2 datasetUUID string
FlexPersistentVolumeSource: 1 driver string; 2 fsType string; 3 secretRef SecretReference; 4 readOnly bool omitempty; 5 options {string}
AzureFilePersistentVolumeSource: 1 secretName string; 2 shareName string; 3 readOnly bool omitempty; 4 secretNamespace string
VsphereVirtualDiskVolumeSource: 1 volumePath string; 2 fsType string; 3 storagePolicyName string; 4 storagePolicyID string
QuobyteVolumeSource: 1 registry string; 2 volume string; 3 readOnly bool omitempty; 4 user string; 5 group string; 6 tenant string
AzureDiskVolumeSource: 1 diskName string; 2 diskURI string; 3 cachingMode string; 4 fsType string; 5 readOnly bool; 6 kind string
PhotonPersistentDiskVolumeSource: 1 pdID string; 2 fsType string
PortworxVolumeSource: 1 volumeID string; 2 fsType string; 3 readOnly bool omitempty
ScaleIOPersistentVolumeSource: 1 gateway string; 2 system string; 3 secretRef SecretReference; 4 sslEnabled bool omitempty; 5 protectionDomain string; 6 storagePool string; 7 storageMode string; 8 volumeName string; 9 fsType string; 10 readOnly bool omitempty
LocalVolumeSource: 1 path string; 2 fsType string
StorageOSPersistentVolumeSource: 1 volumeName string; 2 volumeNamespace string; 3 fsType string; 4 readOnly bool omitempty; 5 secretRef ObjectReference
CSIPersistentVolumeSource: 1 driver string; 2 volumeHandle string; 3 readOnly bool omitempty; 4 fsType string; 5 volumeAttributes {string}; 6 controllerPublishSecretRef SecretReference; 7 nodeStageSecretRef SecretReference; 8 nodePublishSecretRef SecretReference; 9 controllerExpandSecretRef SecretReference; 10 nodeExpandSecretRef SecretReference
NodeSelector atomic: 1 nodeSelectorTerms [NodeSelectorTerm]
LabelSelectorRequirement: 1 key string; 2 operator string; 3 values [string]
ScopedResourceSelectorRequirement: 1 scopeName string; 2 operator string; 3 values [string]
RollingUpdateDeployment: 1 maxUnavailable IntOrString; 2 maxSurge IntOrString
RollingUpdateStatefulSetStrategy: 1 partition int; 2 maxUnavailable IntOrString
RollingUpdateDaemonSet: 1 maxUnavailable IntOrString; 2 maxSurge IntOrString
PodFailurePolicyRule: 1 action string; 2 onExitCodes PodFailurePolicyOnExitCodesRequirement; 3 onPodConditions [PodFailurePolicyOnPodConditionsPattern]
SuccessPolicyRule: 1 succeededIndexes string; 2 succeededCount int
NetworkPolicyPort: 1 protocol string; 2 port IntOrString; 3 endPort int
NetworkPolicyPeer: 1 podSelector LabelSelector; 2 namespaceSelector LabelSelector; 3 ipBlock IPBlock
IngressServiceBackend: 1 name string; 2 port ServiceBackendPort
IngressRuleValue: 1 http HTTPIngressRuleValue
IngressLoadBalancerIngress: 1 ip string; 2 hostname string; 4 ports [IngressPortStatus]
ObjectMetricSource: 1 describedObject CrossVersionObjectReference; 2 target MetricTarget; 3 metric MetricIdentifier
PodsMetricSource: 1 metric MetricIdentifier; 2 target MetricTarget
ResourceMetricSource: 1 name string; 2 target MetricTarget
ContainerResourceMetricSource: 1 name string; 2 target MetricTarget; 3 container string
ExternalMetricSource: 1 metric MetricIdentifier; 2 target MetricTarget
HPAScalingRules: 3 stabilizationWindowSeconds int; 1 selectPolicy string; 2 policies [HPAScalingPolicy]; 4 tolerance Quantity
ObjectMetricStatus: 1 metric MetricIdentifier; 2 current MetricValueStatus; 3 describedObject CrossVersionObjectReference
PodsMetricStatus: 1 metric MetricIdentifier; 2 current MetricValueStatus
ResourceMetricStatus: 1 name string; 2 current MetricValueStatus
ContainerResourceMetricStatus: 1 name string; 2 current MetricValueStatus; 3 container string
ExternalMetricStatus: 1 metric MetricIdentifier; 2 current MetricValueStatus
ForZone: 1 name string
ForNode: 1 name string
FieldSelectorAttributes: 1 rawSelector string; 2 requirements [FieldSelectorRequirement]
LabelSelectorAttributes: 1 rawSelector string; 2 requirements [LabelSelectorRequirement]
EmptyDirVolumeSource: 1 medium string; 2 sizeLimit Quantity
GitRepoVolumeSource: 1 repository string; 2 revision string; 3 directory string
SecretVolumeSource: 1 secretName string; 2 items [KeyToPath]; 3 defaultMode int; 4 optional bool
ISCSIVolumeSource: 1 targetPortal string; 2 iqn string; 3 lun int; 4 iscsiInterface string; 5 fsType string; 6 readOnly bool omitempty; 7 portals [string]; 8 chapAuthDiscovery bool omitempty; 11 chapAuthSession bool omitempty; 10 secretRef LocalObjectReference; 12 initiatorName string
GlusterfsVolumeSource: 1 endpoints string; 2 path string; 3 readOnly bool omitempty
PersistentVolumeClaimVolumeSource: 1 claimName string; 2 readOnly bool omitempty
RBDVolumeSource: 1 monitors [string]; 2 image string; 3 fsType string; 4 pool string; 5 user string; 6 keyring string; 7 secretRef LocalObjectReference; 8 readOnly bool omitempty
FlexVolumeSource: 1 driver string; 2 fsType string; 3 secretRef LocalObjectReference; 4 readOnly bool omitempty; 5 options {string}
CinderVolumeSource: 1 volumeID string; 2 fsType string; 3 readOnly bool omitempty; 4 secretRef LocalObjectReference
CephFSVolumeSource: 1 monitors [string]; 2 path string; 3 user string; 4 secretFile string; 5 secretRef LocalObjectReference; 6 readOnly bool omitempty
DownwardAPIVolumeSource: 1 items [DownwardAPIVolumeFile]; 2 defaultMode int
AzureFileVolumeSource: 1 secretName string; 2 shareName string; 3 readOnly bool omitempty
ConfigMapVolumeSource: 1 localObjectReference LocalObjectReference inline; 2 items [KeyToPath]; 3 defaultMode int; 4 optional bool
ProjectedVolumeSource: 1 sources [VolumeProjection]; 2 defaultMode int
ScaleIOVolumeSource: 1 gateway string; 2 system string; 3 secretRef LocalObjectReference; 4 sslEnabled bool omitempty; 5 protectionDomain string; 6 storagePool string; 7 storageMode string; 8 volumeName string; 9 fsType string; 10 readOnly bool omitempty
StorageOSVolumeSource: 1 volumeName string; 2 volumeNamespace string; 3 fsType string; 4 readOnly bool omitempty; 5 secretRef LocalObjectReference
CSIVolumeSource: 1 driver string; 2 readOnly bool; 3 fsType string; 4 volumeAttributes {string}; 5 nodePublishSecretRef LocalObjectReference
EphemeralVolumeSource: 1 volumeClaimTemplate PersistentVolumeClaimTemplate
ImageVolumeSource: 1 reference string; 2 pullPolicy string
ConfigMapEnvSource: 1 localObjectReference LocalObjectReference inline; 2 optional bool
SecretEnvSource: 1 localObjectReference LocalObjectReference inline; 2 optional bool
EnvVarSource: 1 fieldRef ObjectFieldSelector; 2 resourceFieldRef ResourceFieldSelector; 3 configMapKeyRef ConfigMapKeySelector; 4 secretKeyRef SecretKeySelector; 5 fileKeyRef FileKeySelector
ContainerRestartRuleOnExitCodes: 1 operator string; 2 values [int] set
ProbeHandler: 1 exec ExecAction; 2 httpGet HTTPGetAction; 3 tcpSocket TCPSocketAction; 4 grpc GRPCAction
LifecycleHandler: 1 exec ExecAction; 2 httpGet HTTPGetAction; 3 tcpSocket TCPSocketAction; 4 sleep SleepAction
Capabilities: 1 add [string]; 2 drop [string]
PreferredSchedulingTerm: 1 weight int; 2 preference NodeSelectorTerm
PodAffinityTerm: 1 labelSelector LabelSelector; 2 namespaces [string]; 3 topologyKey string; 4 namespaceSelector LabelSelector; 5 matchLabelKeys [string]; 6 mismatchLabelKeys [string]
WeightedPodAffinityTerm: 1 weight int; 2 podAffinityTerm PodAffinityTerm
ContainerStateWaiting: 1 reason string; 2 message string
ContainerStateRunning: 1 startedAt Time
ContainerStateTerminated: 1 exitCode int; 2 signal int omitempty; 3 reason string; 4 message string; 5 startedAt Time; 6 finishedAt Time; 7 containerID string
LinuxContainerUser: 1 uid int; 2 gid int; 3 supplementalGroups [int]
ResourceHealth: 1 resourceID string; 2 health string
PortStatus: 1 port int; 2 protocol string; 3 error string
SecretReference atomic: 1 name string; 2 namespace string
NodeSelectorTerm atomic: 1 matchExpressions [NodeSelectorRequirement]; 2 matchFields [NodeSelectorRequirement]
PodFailurePolicyOnExitCodesRequirement: 1 containerName string; 2 operator string; 3 values [int] set
PodFailurePolicyOnPodConditionsPattern: 1 type string; 2 status string
IPBlock: 1 cidr string; 2 except [string]
ServiceBackendPort atomic: 1 name string; 2 number int omitempty
HTTPIngressRuleValue: 1 paths [HTTPIngressPath]
IngressPortStatus: 1 port int; 2 protocol string; 3 error string
MetricTarget: 1 type string; 2 value Quantity; 3 averageValue Quantity; 4 averageUtilization int
MetricIdentifier: 1 name string; 2 selector LabelSelector
HPAScalingPolicy: 1 type string; 2 value int; 3 periodSeconds int
MetricValueStatus: 1 value Quantity; 2 averageValue Quantity; 3 averageUtilization int
FieldSelectorRequirement: 1 key string; 2 operator string; 3 values [string]
KeyToPath: 1 key string; 2 path string; 3 mode int
DownwardAPIVolumeFile: 1 path string; 2 fieldRef ObjectFieldSelector; 3 resourceFieldRef ResourceFieldSelector; 4 mode int
VolumeProjection: 1 secret SecretProjection; 2 downwardAPI DownwardAPIProjection; 3 configMap ConfigMapProjection; 4 serviceAccountToken ServiceAccountTokenProjection; 5 clusterTrustBundle ClusterTrustBundleProjection; 6 podCertificate PodCertificateProjection
PersistentVolumeClaimTemplate: 1 metadata ObjectMeta; 2 spec PersistentVolumeClaimSpec
ObjectFieldSelector atomic: 1 apiVersion string; 2 fieldPath string
ResourceFieldSelector atomic: 1 containerName string; 2 resource string; 3 divisor Quantity
ConfigMapKeySelector atomic: 1 localObjectReference LocalObjectReference inline; 2 key string; 3 optional bool
SecretKeySelector atomic: 1 localObjectReference LocalObjectReference inline; 2 key string; 3 optional bool
FileKeySelector atomic: 1 volumeName string; 2 path string; 3 key string; 4 optional bool
ExecAction: 1 command [string]
HTTPGetAction: 1 path string; 2 port IntOrString; 3 host string; 4 scheme string; 5 httpHeaders [HTTPHeader]
TCPSocketAction: 1 port IntOrString; 2 host string
GRPCAction: 1 port int; 2 service string
SleepAction: 1 seconds int
NodeSelectorRequirement: 1 key string; 2 operator string; 3 values [string]
HTTPIngressPath: 1 path string; 3 pathType string; 2 backend IngressBackend
SecretProjection: 1 localObjectReference LocalObjectReference inline; 2 items [KeyToPath]; 4 optional bool
DownwardAPIProjection: 1 items [DownwardAPIVolumeFile]
ConfigMapProjection: 1 localObjectReference LocalObjectReference inline; 2 items [KeyToPath]; 4 optional bool
ServiceAccountTokenProjection: 1 audience string; 2 expirationSeconds int; 3 path string
ClusterTrustBundleProjection: 1 name string; 2 signerName string; 3 labelSelector LabelSelector; 5 optional bool; 4 path string
PodCertificateProjection: 1 signerName string; 2 keyType string; 3 maxExpirationSeconds int; 4 credentialBundlePath string; 5 keyPath string; 6 certificateChainPath string
HTTPHeader: 1 name string; 2 value string
)";

}  // namespace mtc::sandbox
