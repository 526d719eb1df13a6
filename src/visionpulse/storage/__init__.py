"""Where bytes are kept: adapters of `protocols.Storage`, one file per technology."""
