{{/* deploy/topics.yaml with the copies that this cluster can hold. */}}
{{- define "heddle.topics" -}}
{{- $topics := list -}}
{{- range (.Files.Get "files/topics.yaml" | fromYaml).topics -}}
  {{- $topic := set . "replicationFactor" (int $.Values.kafka.topics.replicationFactor) -}}
  {{- $config := set (default dict $topic.config) "min.insync.replicas" (toString $.Values.kafka.topics.minInsyncReplicas) -}}
  {{- $topic = set $topic "config" $config -}}
  {{/* Numbers of YAML are floats here, and this one is long enough to be written as 6.048e+08. */}}
  {{- $topic = set $topic "retentionMs" (int64 $topic.retentionMs) -}}
  {{- $topic = set $topic "partitions" (int $topic.partitions) -}}
  {{- $topics = append $topics $topic -}}
{{- end -}}
{{- toYaml (dict "topics" $topics) -}}
{{- end -}}
