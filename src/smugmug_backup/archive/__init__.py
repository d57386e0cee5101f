"""What the files of a store mean: their names, their fields, and which of them is newest.

The bottom of the house: it knows `ports.BackupStore` and nothing of AWS, HTTP, threads or the
source's APIs. Start at `archive`, or with FORMAT.md; which keys there are stands in `keys`.
"""
