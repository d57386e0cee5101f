"""The search for secrets finds them."""

from tests.local_smugmug import generate_account
from tests.tools.canaries import leaks


def test_each_secret_of_an_account_is_found_wherever_it_stands():
    account = generate_account(seed=4)
    for secret in account.secret_texts():
        assert leaks(account, [("log", f"a line with {secret} in it")])
        assert leaks(account, [("object", b"\xff" + secret.encode())])
    assert leaks(
        account, [("log", "https://photos.smugmug.com/photos/i-pW7dQkN/0/Kk31vTq/O/x.jpg")]
    )
    assert leaks(account, [("log", "an ordinary line"), ("object", b"\xff\xd8")]) == []


def test_no_two_accounts_share_a_secret():
    one, other = (generate_account(seed=seed).secret_texts() for seed in (4, 5))
    assert not set(one) & set(other)
    assert len(set(one)) == len(one)
