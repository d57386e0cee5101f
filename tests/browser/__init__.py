"""The pages of `browse` in a real browser. Needs `make browser`, which brings one."""
