"""Sources as the service uses them: plugins, and endpoints that bind a source to its secrets."""
