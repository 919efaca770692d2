{{- define "jellyfin.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" }}
{{- end }}

{{/* The release's name alone when it has the chart's name in it. */}}
{{- define "jellyfin.fullname" -}}
{{- if .Values.fullnameOverride }}
{{- .Values.fullnameOverride | trunc 63 | trimSuffix "-" }}
{{- else if contains (include "jellyfin.name" .) .Release.Name }}
{{- .Release.Name | trunc 63 | trimSuffix "-" }}
{{- else }}
{{- printf "%s-%s" .Release.Name (include "jellyfin.name" .) | trunc 63 | trimSuffix "-" }}
{{- end }}
{{- end }}

{{- define "jellyfin.selectorLabels" -}}
app.kubernetes.io/name: {{ include "jellyfin.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "jellyfin.labels" -}}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{ include "jellyfin.selectorLabels" . }}
app.kubernetes.io/version: {{ .Values.image.tag | default .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end }}

{{/* The volume of one entry of `persistence`: (list $ NAME ENTRY) */}}
{{- define "jellyfin.volume" -}}
{{- $root := index . 0 }}{{ $name := index . 1 }}{{ $entry := index . 2 -}}
- name: {{ $name }}
{{- if $entry.existingClaim }}
  persistentVolumeClaim:
    claimName: {{ $entry.existingClaim }}
{{- else if $entry.enabled }}
  persistentVolumeClaim:
    claimName: {{ include "jellyfin.fullname" $root }}-{{ $name }}
{{- else }}
  emptyDir: {}
{{- end }}
{{- end }}
