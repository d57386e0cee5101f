"""The owner's tool, `smugmug-backup`. Never imported by the Lambda function."""
