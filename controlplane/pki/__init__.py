"""Who may speak: our own CA, the certificates it signs, and the identity read back from them."""
