{{/* PodSecurity `restricted`, for every pod. */}}
{{- define "heddle.podSecurity" -}}
runAsNonRoot: true
runAsUser: 65532
runAsGroup: 65532
fsGroup: 65532
fsGroupChangePolicy: OnRootMismatch
seccompProfile: { type: RuntimeDefault }
{{- end -}}

{{- define "heddle.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
runAsNonRoot: true
capabilities: { drop: [ALL] }
{{- end -}}

{{- define "heddle.image" -}}
{{- $values := .root.Values.image -}}
{{- default (printf "%s/%s:%s" $values.repository .image (default .root.Chart.AppVersion $values.tag)) .override -}}
{{- end -}}

{{/* Findings of kube-score that are not followed; Chart.yaml says why. */}}
{{- define "heddle.lintAnnotations" -}}
kube-score/ignore: {{ index .Chart.Annotations "heddle/kube-score-ignored" }}
{{- end -}}

{{/*
Three questions. Startup: has the program been loaded, so that the others can be asked? Readiness: does it answer calls, its own or by
passing them on? A process that waits for its database does not. Liveness: does its event loop turn? Nothing outside of the
process has a say in that, so an outage of the database restarts nobody.
*/}}
{{- define "heddle.probes" -}}
startupProbe:
  grpc: { port: {{ .port }}, service: liveness }
  periodSeconds: 1
  timeoutSeconds: 2
  failureThreshold: 60
readinessProbe:
  grpc: { port: {{ .port }} }
  periodSeconds: 2
  timeoutSeconds: 2
  failureThreshold: 2
livenessProbe:
  grpc: { port: {{ .port }}, service: liveness }
  periodSeconds: 10
  timeoutSeconds: 5
  failureThreshold: 6
{{- end -}}

{{/* The environment of a service's process. Takes root, name, service. */}}
{{- define "heddle.env" -}}
{{- $root := .root -}}
{{- $name := .name -}}
{{- $service := .service -}}
{{- $env := list
  (dict "name" "HEDDLE_HOST" "value" $root.Values.listenAddress)
  (dict "name" "HEDDLE_PORT" "value" (toString $service.is.port))
  (dict "name" "HEDDLE_LOG_LEVEL" "value" $root.Values.logLevel) -}}
{{- if $service.is.replica -}}
  {{- $env = concat $env (list
    (dict "name" "POD_IP" "valueFrom" (dict "fieldRef" (dict "fieldPath" "status.podIP")))
    (dict "name" "HEDDLE_OWNER" "valueFrom" (dict "fieldRef" (dict "fieldPath" "metadata.name")))
    (dict "name" "HEDDLE_ADVERTISED_HOST" "value" "$(POD_IP)")) -}}
{{- end -}}
{{- if $service.is.database -}}
  {{- $env = concat $env (list
    (dict "name" "DATABASE_URL_FILE" "value" "/etc/heddle/database/url")
    (dict "name" "HEDDLE_DATABASE_CONNECTIONS" "value" (toString $root.Values.database.connections))) -}}
  {{- if $root.Values.database.caSecret.secret -}}
    {{- $env = append $env (dict "name" "HEDDLE_DATABASE_CA_FILE" "value" "/etc/heddle/database-ca/ca.crt") -}}
  {{- end -}}
{{- end -}}
{{- if $service.is.kafka -}}
  {{- $env = concat $env (list
    (dict "name" "KAFKA_BROKERS" "value" (join "," $root.Values.kafka.brokers))
    (dict "name" "HEDDLE_TOPICS_FILE" "value" "/etc/heddle/topics/topics.yaml")) -}}
  {{- $env = concat $env (include "heddle.kafkaEnv" $root | fromYaml).env -}}
{{- end -}}
{{- $env = concat $env (include "heddle.tlsEnv" . | fromYaml).env -}}
{{- $scheme := include "heddle.scheme" $root -}}
{{- $catalog := include "heddle.catalog" $root | fromYaml -}}
{{- if and (eq $name "worker") (hasKey $service.env "HEDDLE_ADDRESS") -}}
  {{/* Its own goes before. */}}
{{- else if eq $name "worker" -}}
  {{/* One hop less than by the gateway, where there is a scheduler to call. */}}
  {{- $to := ternary "scheduler" "gateway" (has "scheduler" $service.calls) -}}
  {{- $env = append $env (dict "name" "HEDDLE_ADDRESS" "value" (printf "%s://%s-%s:%d" $scheme (include "heddle.fullname" $root) $to (int (index $catalog $to).port))) -}}
{{- else -}}
  {{- range without $service.calls $name -}}
    {{- $env = append $env (dict "name" (printf "HEDDLE_%s_ADDRESS" (upper .)) "value" (printf "%s://%s-%s:%d" $scheme (include "heddle.fullname" $root) . (int (index $catalog .).port))) -}}
  {{- end -}}
{{- end -}}
{{- range $variable, $from := $service.secretFiles -}}
  {{- $env = append $env (dict "name" (printf "%s_FILE" $variable) "value" (printf "/etc/heddle/secrets/%s/value" $variable)) -}}
{{- end -}}
{{- range $variable, $value := $service.env -}}
  {{- $env = append $env (dict "name" $variable "value" (toString $value)) -}}
{{- end -}}
{{- toYaml $env -}}
{{- end -}}

{{- define "heddle.volumes" -}}
{{- $root := .root -}}
{{- $volumes := list -}}
{{- if .service.is.database -}}
  {{- $volumes = append $volumes (dict "name" "database" "secret" (dict "secretName" $root.Values.database.existingSecret "defaultMode" 288 "items" (list (dict "key" (printf "%s-url" .name) "path" "url")))) -}}
{{- end -}}
{{- if .service.is.kafka -}}
  {{- $volumes = append $volumes (dict "name" "topics" "configMap" (dict "name" (printf "%s-topics" (include "heddle.fullname" $root)))) -}}
{{- end -}}
{{- range $variable, $from := .service.secretFiles -}}
  {{- $volumes = append $volumes (dict "name" (printf "secret-%s" ($variable | lower | replace "_" "-")) "secret" (dict "secretName" $from.secret "defaultMode" 288 "items" (list (dict "key" $from.key "path" "value")))) -}}
{{- end -}}
{{- range $name, $from := include "heddle.secretVolumes" . | fromYaml -}}
  {{- $volumes = append $volumes (dict "name" $name "secret" (dict "secretName" $from.secret "defaultMode" 288 "items" $from.items)) -}}
{{- end -}}
{{- $volumes = concat $volumes .service.extraVolumes -}}
{{- if $volumes -}}
volumes: {{- toYaml $volumes | nindent 2 }}
{{- end -}}
{{- end -}}

{{- define "heddle.volumeMounts" -}}
{{- $mounts := list -}}
{{- if .service.is.database -}}
  {{- $mounts = append $mounts (dict "name" "database" "mountPath" "/etc/heddle/database" "readOnly" true) -}}
{{- end -}}
{{- if .service.is.kafka -}}
  {{- $mounts = append $mounts (dict "name" "topics" "mountPath" "/etc/heddle/topics" "readOnly" true) -}}
{{- end -}}
{{- range $variable, $from := .service.secretFiles -}}
  {{- $mounts = append $mounts (dict "name" (printf "secret-%s" ($variable | lower | replace "_" "-")) "mountPath" (printf "/etc/heddle/secrets/%s" $variable) "readOnly" true) -}}
{{- end -}}
{{- range $name, $_ := include "heddle.secretVolumes" . | fromYaml -}}
  {{- $mounts = append $mounts (dict "name" $name "mountPath" (printf "/etc/heddle/%s" $name) "readOnly" true) -}}
{{- end -}}
{{- $mounts = concat $mounts .service.extraVolumeMounts -}}
{{- if $mounts -}}
volumeMounts: {{- toYaml $mounts | nindent 2 }}
{{- end -}}
{{- end -}}
