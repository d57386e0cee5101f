"""The deployed stack, end to end: `sam build`, `sam deploy` into a local AWS, real workers."""
