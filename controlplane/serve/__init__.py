"""The gRPC services and the three sockets they are served on. Peers are hostile until TLS and codec say otherwise."""
