"""Where the backup lies: an S3 bucket, or a folder with the same keys."""
