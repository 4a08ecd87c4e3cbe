"""The words both halves of inscope share: frozen types, and the codec between them and protobuf. No I/O lives here."""
