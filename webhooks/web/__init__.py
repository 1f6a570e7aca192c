"""The web server: the Flask app, plain WSGI for webhooks, the handler, readiness, gunicorn's settings."""
