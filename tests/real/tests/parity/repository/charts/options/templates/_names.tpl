{{- define "options.name" -}}
{{ .Release.Name }}-{{ .Chart.Name }}
{{- end -}}
