"""What the backup decides and in which order it acts; standard library only.

No AWS, HTTP, environment, clock or sleep in here: they come in through `ports`.
"""
