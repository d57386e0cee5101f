"""What is asked of AWS: its clients, the secret, the mail, the state machine.

Every client of AWS in this program is made in `client.py`, S3's too; what its errors mean, but for
S3's own, stands in `errors.py`. May import `ports`, `errors`, `settings`.
"""
