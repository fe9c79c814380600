{{/*
What the chart knows of each service beyond its values: where it listens, and what it needs. Whom it calls is in
files/call-graph.yaml, a copy of deploy/call-graph.yaml.
*/}}
{{- define "heddle.catalog" -}}
gateway: { port: 7233 }
definition: { port: 7234, database: true, kafka: true }
execution: { port: 7235, database: true, kafka: true, replica: true }
scheduler: { port: 7236, database: true, kafka: true, replica: true }
statemachine: { port: 7237, database: true, kafka: true, replica: true }
worker: { port: 7240, internet: true }
{{- end -}}

{{/*
The enabled services as YAML, each with its values (defaults, then its own), its catalog entry under `is`, and under `calls` and
`calledBy` the names from the call graph.
*/}}
{{- define "heddle.services" -}}
{{- $values := .Values -}}
{{- $catalog := include "heddle.catalog" . | fromYaml -}}
{{- $graph := .Files.Get "files/call-graph.yaml" | fromYaml -}}
{{- $services := dict -}}
{{- range $name, $is := $catalog -}}
  {{- $own := index $values.services $name | default dict -}}
  {{- $service := mustMergeOverwrite (deepCopy $values.defaults) (deepCopy $own) (dict "is" $is "calls" list "calledBy" list) -}}
  {{- if $service.enabled -}}
    {{- $_ := set $services $name $service -}}
  {{- end -}}
{{- end -}}
{{- range $graph.calls -}}
  {{- if and (hasKey $services .from) (hasKey $services .to) -}}
    {{- $from := index $services .from -}}
    {{- $to := index $services .to -}}
    {{- $_ := set $from "calls" (append $from.calls .to) -}}
    {{- $_ := set $to "calledBy" (append $to.calledBy .from) -}}
  {{- end -}}
{{- end -}}
{{- toYaml $services -}}
{{- end -}}

{{/* Whether `helm test` has something to run: it calls the edge. */}}
{{- define "heddle.hasTest" -}}
{{- if and .Values.test.enabled (hasKey (include "heddle.services" . | fromYaml) "gateway") -}}
true
{{- end -}}
{{- end -}}

{{/* What cannot be left to a schema: what must be given for this choice of services. */}}
{{- define "heddle.check" -}}
{{- $services := include "heddle.services" . | fromYaml -}}
{{- range $name, $service := $services -}}
  {{- if and $service.is.database (not $.Values.database.existingSecret) -}}
    {{- fail (printf "database.existingSecret is missing: name the Secret with the Postgres URLs (key %s-url and others); docs/operate/install.md says how to make it" $name) -}}
  {{- end -}}
  {{- if and $service.is.kafka (not $.Values.kafka.brokers) -}}
    {{- fail "kafka.brokers is empty: give at least one host:port" -}}
  {{- end -}}
  {{- if and $service.autoscaling.enabled (gt (int $service.autoscaling.minReplicas) (int $service.autoscaling.maxReplicas)) -}}
    {{- fail (printf "services.%s.autoscaling: minReplicas is above maxReplicas" $name) -}}
  {{- end -}}
  {{- if and $service.autoscaling.enabled (eq (int $service.autoscaling.cpuPercent) 0) (not $service.autoscaling.podMetrics) (not $service.autoscaling.metrics) -}}
    {{- fail (printf "services.%s.autoscaling: cpuPercent is 0, and neither podMetrics nor metrics say what it scales by" $name) -}}
  {{- end -}}
  {{- if and $.Values.networkPolicy.enabled $.Values.monitoring.serviceMonitor.enabled (not $.Values.networkPolicy.metricsFrom) (not (include "heddle.refusesStrangers" (dict "root" $ "name" $name))) -}}
    {{- fail (printf "networkPolicy.metricsFrom is empty: name who reads metrics. They are on the port for calls, and that of %s takes calls without a certificate: who may read may call" $name) -}}
  {{- end -}}
{{- end -}}
{{- if not (hasKey $services "gateway") -}}
  {{- if or .Values.ingress.enabled .Values.gatewayApi.enabled -}}
    {{- fail "services.gateway.enabled is false: ingress and gatewayApi would lead nowhere" -}}
  {{- end -}}
  {{- if hasKey $services "worker" -}}
    {{- if not (or (hasKey $services "scheduler") (hasKey $services.worker.env "HEDDLE_ADDRESS")) -}}
      {{- fail "services.worker has neither a gateway nor a scheduler to call: give services.worker.env.HEDDLE_ADDRESS" -}}
    {{- end -}}
  {{- end -}}
{{- end -}}
{{- if .Values.tls.enabled -}}
  {{- if and (not .Values.tls.certManager.enabled) (not .Values.tls.secretName) -}}
    {{- fail "tls.secretName is missing: name the Secret with tls.crt, tls.key and ca.crt, or let tls.certManager make certificates" -}}
  {{- end -}}
  {{- if and .Values.tls.certManager.enabled (not .Values.tls.certManager.issuerRef.name) -}}
    {{- fail "tls.certManager.issuerRef.name is missing: name the Issuer or ClusterIssuer that signs" -}}
  {{- end -}}
  {{- if and (not .Values.tls.calls) (ne .Values.tls.cleartext "all") -}}
    {{- fail "tls.calls is false and tls.cleartext is not `all`: services would call each other in vain" -}}
  {{- end -}}
  {{- if and .Values.tls.edge.secretName (not .Values.tls.edge.dnsNames) -}}
    {{- fail "tls.edge.dnsNames is empty: give the names in the certificate of tls.edge.secretName" -}}
  {{- end -}}
  {{- if and .Values.tls.edge.privateAuthority (not .Values.tls.edge.secretName) -}}
    {{- fail "tls.edge.secretName is missing: tls.edge.privateAuthority says that it has a ca.crt" -}}
  {{- end -}}
{{- end -}}
{{- if and .Values.kafka.sasl.mechanism (not (and .Values.kafka.sasl.username .Values.kafka.sasl.passwordSecret.secret)) -}}
  {{- fail "kafka.sasl.username or kafka.sasl.passwordSecret is missing" -}}
{{- end -}}
{{- if and .Values.ingress.enabled (not .Values.ingress.host) -}}
  {{- fail "ingress.host is missing: an Ingress without a host would take every name" -}}
{{- end -}}
{{- if and .Values.gatewayApi.enabled (not .Values.gatewayApi.parentRefs) -}}
  {{- fail "gatewayApi.parentRefs is empty: name at least one Gateway" -}}
{{- end -}}
{{- if and .Values.gatewayApi.enabled (not .Values.gatewayApi.hostnames) (not .Values.gatewayApi.grpcHostnames) -}}
  {{- fail "gatewayApi.hostnames and gatewayApi.grpcHostnames are empty: give host names for an HTTPRoute, a GRPCRoute or both" -}}
{{- end -}}
{{- range $http := .Values.gatewayApi.hostnames -}}
  {{- range $grpc := $.Values.gatewayApi.grpcHostnames -}}
    {{- $rest := dict "http" (trimPrefix "*" $http) "grpc" (trimPrefix "*" $grpc) -}}
    {{- if or (eq $http $grpc) (and (hasPrefix "*" $http) (hasSuffix $rest.http $rest.grpc)) (and (hasPrefix "*" $grpc) (hasSuffix $rest.grpc $rest.http)) -}}
      {{- fail (printf "gatewayApi: %s of hostnames and %s of grpcHostnames overlap: a Gateway takes a host name for one kind of route only" $http $grpc) -}}
    {{- end -}}
  {{- end -}}
{{- end -}}
{{- if gt (int .Values.kafka.topics.minInsyncReplicas) (int .Values.kafka.topics.replicationFactor) -}}
  {{- fail "kafka.topics.minInsyncReplicas is above replicationFactor: nothing could ever be published" -}}
{{- end -}}
{{- end -}}
