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
{{- if gt (int .Values.kafka.topics.minInsyncReplicas) (int .Values.kafka.topics.replicationFactor) -}}
  {{- fail "kafka.topics.minInsyncReplicas is above replicationFactor: nothing could ever be published" -}}
{{- end -}}
{{- end -}}
