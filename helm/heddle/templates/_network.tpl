{{- define "heddle.egressToDns" -}}
- ports: [{ port: 53, protocol: UDP }, { port: 53, protocol: TCP }]
{{- end -}}

{{/*
Whether the port of a service tells strangers nothing but health and metrics, so that whoever reads metrics may be anyone: not empty then. A
worker takes no calls at all; others must ask for certificates. Takes root, name.
*/}}
{{- define "heddle.refusesStrangers" -}}
{{- $tls := .root.Values.tls -}}
{{- $asks := ternary $tls.edge.clientCertificates $tls.clientCertificates (eq .name "gateway") -}}
{{- if or (eq .name "worker") (and $tls.enabled (eq $tls.cleartext "probes") $asks) -}}
true
{{- end -}}
{{- end -}}

{{/* Takes values with `ports` and `peers`. */}}
{{- define "heddle.egressTo" -}}
- ports:
    {{- range .ports }}
    - { port: {{ . }}, protocol: TCP }
    {{- end }}
  {{- with .peers }}
  to: {{- toYaml . | nindent 4 }}
  {{- end }}
{{- end -}}
