"""Where the backup lies: an S3 bucket, or a folder with the same keys.

Implements `ports.BackupStore`; may import the entrance and, for S3, `aws`. Open `s3.py` or
`folder.py` first. What S3's answers mean is one table in `s3_errors.py`, how long it is waited for
stands in `s3_budget.py`; what a disk can do is tried out by `probe.py`, and how a file gets its
name there stands in `folder_naming.py`. What may be a key is `keys.py`.
"""
