"""What is needed of AWS besides the bucket: the secret, the state machine, errors in our words.

An adapter: may import the entrance, no room and no other adapter. Start at `errors`, which every
call to an AWS service goes by.
"""
