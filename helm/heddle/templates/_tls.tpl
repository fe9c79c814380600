{{/* The Secret with the certificate of a service. Takes root, name. */}}
{{- define "heddle.tlsSecret" -}}
{{- if .root.Values.tls.certManager.enabled -}}
{{- printf "%s-%s-tls" (include "heddle.fullname" .root) .name -}}
{{- else -}}
{{- replace "<service>" .name .root.Values.tls.secretName -}}
{{- end -}}
{{- end -}}

{{- define "heddle.scheme" -}}
{{- ternary "https" "http" (and .Values.tls.enabled .Values.tls.calls) -}}
{{- end -}}

{{/* What the ports of a service speak, for meshes and gateways. */}}
{{- define "heddle.appProtocol" -}}
{{- ternary "https" "kubernetes.io/h2c" .Values.tls.enabled -}}
{{- end -}}

{{/* The certificate, the one of the edge, and authorities of what is outside, as environment. Takes root, name, service; gives a list under `env`. */}}
{{- define "heddle.tlsEnv" -}}
{{- $tls := .root.Values.tls -}}
{{- $env := list -}}
{{- if $tls.enabled -}}
  {{- $env = concat $env (list
    (dict "name" "HEDDLE_TLS_CERT_FILE" "value" "/etc/heddle/tls/tls.crt")
    (dict "name" "HEDDLE_TLS_KEY_FILE" "value" "/etc/heddle/tls/tls.key")
    (dict "name" "HEDDLE_TLS_CA_FILE" "value" "/etc/heddle/tls/ca.crt")
    (dict "name" "HEDDLE_TLS_CLEARTEXT" "value" $tls.cleartext)) -}}
  {{- $asks := $tls.clientCertificates -}}
  {{- if eq .name "gateway" -}}
    {{- $asks = $tls.edge.clientCertificates -}}
    {{- if $tls.edge.secretName -}}
      {{- $env = concat $env (list
        (dict "name" "HEDDLE_TLS_EDGE_CERT_FILE" "value" "/etc/heddle/tls-edge/tls.crt")
        (dict "name" "HEDDLE_TLS_EDGE_KEY_FILE" "value" "/etc/heddle/tls-edge/tls.key")) -}}
    {{- end -}}
  {{- end -}}
  {{- if $asks -}}
    {{- $env = append $env (dict "name" "HEDDLE_TLS_CLIENT_CA_FILE" "value" "/etc/heddle/tls/ca.crt") -}}
  {{- end -}}
  {{- if .service.is.replica -}}
    {{/* Replicas call each other by address, which is in no certificate. */}}
    {{- $env = append $env (dict "name" "HEDDLE_TLS_REPLICA_NAME" "value" (printf "%s-%s" (include "heddle.fullname" .root) .name)) -}}
  {{- end -}}
{{- end -}}
{{- toYaml (dict "env" $env) -}}
{{- end -}}

{{/* The same for Kafka. */}}
{{- define "heddle.kafkaEnv" -}}
{{- $kafka := .Values.kafka -}}
{{- $env := list -}}
{{- if $kafka.topics.prefix -}}
  {{- $env = append $env (dict "name" "KAFKA_TOPIC_PREFIX" "value" $kafka.topics.prefix) -}}
{{- end -}}
{{- if $kafka.tls.enabled -}}
  {{- $env = append $env (dict "name" "KAFKA_TLS" "value" "true") -}}
  {{- if $kafka.tls.caSecret.secret -}}
    {{- $env = append $env (dict "name" "KAFKA_CA_FILE" "value" "/etc/heddle/kafka-ca/ca.crt") -}}
  {{- end -}}
  {{- if $kafka.tls.clientSecret -}}
    {{- $env = concat $env (list
      (dict "name" "KAFKA_CERT_FILE" "value" "/etc/heddle/kafka-client/tls.crt")
      (dict "name" "KAFKA_KEY_FILE" "value" "/etc/heddle/kafka-client/tls.key")) -}}
  {{- end -}}
{{- end -}}
{{- if $kafka.sasl.mechanism -}}
  {{- $env = concat $env (list
    (dict "name" "KAFKA_SASL_MECHANISM" "value" $kafka.sasl.mechanism)
    (dict "name" "KAFKA_SASL_USERNAME" "value" $kafka.sasl.username)
    (dict "name" "KAFKA_SASL_PASSWORD_FILE" "value" "/etc/heddle/kafka-sasl/password")) -}}
{{- end -}}
{{- toYaml (dict "env" $env) -}}
{{- end -}}

{{/*
Secrets that a service has as files beside its database URL: name of the volume and folder → Secret, and which of its keys under which
name. Takes root, name, service.
*/}}
{{- define "heddle.secretVolumes" -}}
{{- $values := .root.Values -}}
{{- $pair := list (dict "key" "tls.crt" "path" "tls.crt") (dict "key" "tls.key" "path" "tls.key") -}}
{{- $volumes := dict -}}
{{- if and .service.is.database $values.database.caSecret.secret -}}
  {{- $_ := set $volumes "database-ca" (dict "secret" $values.database.caSecret.secret "items" (list (dict "key" $values.database.caSecret.key "path" "ca.crt"))) -}}
{{- end -}}
{{- if .service.is.kafka -}}
  {{- if and $values.kafka.tls.enabled $values.kafka.tls.caSecret.secret -}}
    {{- $_ := set $volumes "kafka-ca" (dict "secret" $values.kafka.tls.caSecret.secret "items" (list (dict "key" $values.kafka.tls.caSecret.key "path" "ca.crt"))) -}}
  {{- end -}}
  {{- if and $values.kafka.tls.enabled $values.kafka.tls.clientSecret -}}
    {{- $_ := set $volumes "kafka-client" (dict "secret" $values.kafka.tls.clientSecret "items" $pair) -}}
  {{- end -}}
  {{- if $values.kafka.sasl.mechanism -}}
    {{- $_ := set $volumes "kafka-sasl" (dict "secret" $values.kafka.sasl.passwordSecret.secret "items" (list (dict "key" $values.kafka.sasl.passwordSecret.key "path" "password"))) -}}
  {{- end -}}
{{- end -}}
{{- if $values.tls.enabled -}}
  {{- $_ := set $volumes "tls" (dict "secret" (include "heddle.tlsSecret" .) "items" (append $pair (dict "key" "ca.crt" "path" "ca.crt"))) -}}
  {{- if and (eq .name "gateway") $values.tls.edge.secretName -}}
    {{- $_ := set $volumes "tls-edge" (dict "secret" $values.tls.edge.secretName "items" $pair) -}}
  {{- end -}}
{{- end -}}
{{- toYaml $volumes -}}
{{- end -}}
