"""Words that stand in the lists of several nodes, beside files and the runtime's own choices."""

BUNDLED = "bundled light prior"
NO_LORA = "none"
