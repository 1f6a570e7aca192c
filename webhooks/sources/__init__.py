"""Sources in the service: plugins, and endpoints that bind a source to its secrets."""
