"""HTTP as the service uses it: the one outgoing client, certificates, content encodings."""
