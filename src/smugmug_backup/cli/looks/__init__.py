"""What `doctor` looks at, a module for each; nothing is changed. Each gives `Line`s.

`setup` asks some of the same. Start at `line`.
"""
