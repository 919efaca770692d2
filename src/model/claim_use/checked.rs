//! Kinds whose CRDs were read: what they do with `readOnly` below a pod spec.
//!
//! Each of them keeps `readOnly` at volumes and at mounts: its schema has both fields, or preserves unknown ones. None of
//! the CRDs that were read drops them. The link behind a group leads to its CRDs.

/// Kinds whose pod specs keep `readOnly`, by their group.
#[rustfmt::skip]
const KEEPS_READ_ONLY: &[(&str, &[&str])] = &[
    ("", &["Pod", "PodTemplate", "ReplicationController"]), // https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/
    ("actions.github.com", &["AutoscalingListener", "AutoscalingRunnerSet", "EphemeralRunner", "EphemeralRunnerSet"]), // https://github.com/actions/actions-runner-controller/tree/master/charts/gha-runner-scale-set-controller/crds
    ("actions.summerwind.dev", &["Runner", "RunnerDeployment", "RunnerReplicaSet", "RunnerSet"]), // https://github.com/actions/actions-runner-controller/tree/master/config/crd/bases
    ("agent.k8s.elastic.co", &["Agent"]), // https://github.com/elastic/cloud-on-k8s/tree/main/config/crds/v1 (all of Elastic's; `podTemplate` preserves unknown fields)
    ("apm.k8s.elastic.co", &["ApmServer"]),
    ("apps", &["DaemonSet", "Deployment", "ReplicaSet", "StatefulSet"]),
    ("apps.kruise.io", &["AdvancedCronJob", "BroadcastJob", "CloneSet", "DaemonSet", "SidecarSet", "StatefulSet", "UnitedDeployment"]), // https://github.com/openkruise/kruise/tree/master/config/crd/bases (`template` preserves unknown fields)
    ("apps.openshift.io", &["DeploymentConfig"]), // https://github.com/openshift/api/blob/master/apps/v1/types.go (an aggregated API, no CRD)
    ("argoproj.io", &["AnalysisRun", "AnalysisTemplate", "ClusterAnalysisTemplate", "Experiment", "Rollout"]), // https://github.com/argoproj/argo-rollouts/tree/master/manifests/crds (`volumes` preserves unknown fields)
    ("batch", &["CronJob", "Job"]),
    ("batch.volcano.sh", &["CronJob", "Job"]), // https://github.com/volcano-sh/volcano/tree/master/config/crd/volcano/bases
    ("beat.k8s.elastic.co", &["Beat"]),
    ("elasticsearch.k8s.elastic.co", &["Elasticsearch"]),
    ("enterprisesearch.k8s.elastic.co", &["EnterpriseSearch"]),
    ("flink.apache.org", &["FlinkBlueGreenDeployment", "FlinkDeployment"]), // https://github.com/apache/flink-kubernetes-operator/tree/main/helm/flink-kubernetes-operator/crds
    ("flow.volcano.sh", &["JobFlow", "JobTemplate"]), // https://github.com/volcano-sh/volcano/tree/master/config/crd/jobflow/bases
    ("grafana.integreatly.org", &["Grafana"]), // https://github.com/grafana/grafana-operator/tree/master/config/crd/bases
    ("jobset.x-k8s.io", &["JobSet"]), // https://github.com/kubernetes-sigs/jobset/tree/main/config/components/crd/bases
    ("k8up.io", &["PodConfig", "PreBackupPod"]), // https://github.com/k8up-io/k8up/tree/master/config/crd/apiextensions.k8s.io/v1
    ("keda.sh", &["ScaledJob"]), // https://github.com/kedacore/keda/tree/main/config/crd/bases
    ("kibana.k8s.elastic.co", &["Kibana"]),
    ("kubeflow.org", &["MPIJob"]), // https://github.com/kubeflow/mpi-operator/tree/master/manifests/base
    ("leaderworkerset.x-k8s.io", &["LeaderWorkerSet"]), // https://github.com/kubernetes-sigs/lws/tree/main/config/crd/bases
    ("logstash.k8s.elastic.co", &["Logstash"]),
    ("maps.k8s.elastic.co", &["ElasticMapsServer"]),
    ("minio.min.io", &["Tenant"]), // https://github.com/minio/operator/tree/master/helm/operator/templates
    ("monitoring.coreos.com", &["Alertmanager", "Prometheus", "PrometheusAgent", "ThanosRuler"]), // https://github.com/prometheus-operator/prometheus-operator/tree/main/example/prometheus-operator-crd
    ("operator.victoriametrics.com", &[ // https://github.com/VictoriaMetrics/operator/tree/master/config/crd/overlay
        "VLAgent", "VLCluster", "VLDistributed", "VLSingle", "VMAgent", "VMAlert", "VMAlertmanager", "VMAnomaly", "VMAuth", "VMCluster",
        "VMDistributed", "VMSingle", "VTCluster", "VTSingle",
    ]),
    ("pkg.crossplane.io", &["DeploymentRuntimeConfig"]), // https://github.com/crossplane/crossplane/tree/main/cluster/crds
    ("postgresql.cnpg.io", &["Pooler"]), // https://github.com/cloudnative-pg/cloudnative-pg/tree/main/config/crd/bases
    ("rabbitmq.com", &["RabbitmqCluster"]), // https://github.com/rabbitmq/cluster-operator/tree/main/config/crd/bases
    ("ray.io", &["RayCluster", "RayCronJob", "RayJob", "RayService"]), // https://github.com/ray-project/kuberay/tree/master/ray-operator/config/crd/bases
    ("serving.knative.dev", &["Configuration", "Revision", "Service"]), // https://github.com/knative/serving/tree/main/config/core/300-resources (`persistentVolumeClaim` preserves unknown fields)
    ("sparkoperator.k8s.io", &["ScheduledSparkApplication", "SparkApplication", "SparkConnect"]), // https://github.com/kubeflow/spark-operator/tree/master/config/crd/bases (`template` of driver and executors)
    ("trainer.kubeflow.org", &["ClusterTrainingRuntime", "OptimizationJob", "TrainJob", "TrainingRuntime"]), // https://github.com/kubeflow/trainer/tree/master/manifests/base/crds
];

/// Reports whether the pod specs of a kind are known to keep `readOnly`.
pub(super) fn keeps_read_only(group: &str, kind: &str) -> bool {
    is_in(KEEPS_READ_ONLY, group, kind)
}

/// Kinds that give the labels of their pod templates to their pods, by their group: they find the pods by these labels.
const KEEPS_LABELS: &[(&str, &[&str])] = &[
    ("", &["Pod", "PodTemplate", "ReplicationController"]),
    ("apps", &["DaemonSet", "Deployment", "ReplicaSet", "StatefulSet"]),
    ("apps.kruise.io", &["CloneSet", "DaemonSet", "StatefulSet"]), // https://github.com/openkruise/kruise/tree/master/apis/apps
    ("apps.openshift.io", &["DeploymentConfig"]), // https://github.com/openshift/api/blob/master/apps/v1/types.go
    ("argoproj.io", &["Rollout"]), // https://github.com/argoproj/argo-rollouts/tree/master/manifests/crds
    ("batch", &["CronJob", "Job"]),
];

/// Reports whether a kind is known to give the labels of its pod template to its pods.
pub(super) fn keeps_labels(group: &str, kind: &str) -> bool {
    is_in(KEEPS_LABELS, group, kind)
}

fn is_in(table: &[(&str, &[&str])], group: &str, kind: &str) -> bool {
    table.iter().any(|(of, kinds)| *of == group && kinds.contains(&kind))
}
