"""HTTP for the service: the outgoing client, certificates, content encodings."""
