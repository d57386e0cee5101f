"""Where the backup lies: an S3 bucket, or a folder with the same keys.

Adapters of `ports.BackupStore`: may import the entrance, no room, and of `aws/` how a client is
made. They move bytes and do not know what a file means. Start at `location`, which opens either.
"""
