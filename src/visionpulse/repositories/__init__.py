"""Where videos and the ledger's facts are kept."""
