"""Where the backup lies: an S3 bucket, or a folder with the same keys.

Implements `ports.BackupStore`; may import the entrance and, for S3, `aws`. Open `s3.py` or
`folder.py` first. What a disk can do is tried out by `probe.py`, how a file gets its name there stands
in `folder_naming.py`, and what systems do differently in the entrance's `system.py`. What S3's answers mean is one table in `s3_errors.py`, how long
it is waited for stands in `s3_budget.py`, and what may be a key in `keys.py`.
"""
