"""The composition: settings in, one running instance out. The only place that knows every feature."""
