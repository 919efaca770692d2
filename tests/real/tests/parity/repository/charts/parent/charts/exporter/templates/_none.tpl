{{- define "exporter.none" }}{{ end }}
