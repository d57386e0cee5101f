"""Codes and statuses: every one of them means something, and always the same."""

import pytest

from smugmug_backup.errors import (
    AccessRefused,
    AlbumNotFound,
    Answer,
    EmptySet,
    LoginLost,
    MalformedAnswer,
    RequestRejected,
    SourceError,
    SourceRetired,
    SourceUnavailable,
)
from smugmug_backup.smugmug.errors import (
    CODES,
    Retry,
    rule_of_code,
    rule_of_problem,
    rule_of_refusal,
    rule_of_status,
)

EXPECTED = {
    1: LoginLost,
    3: LoginLost,
    4: AccessRefused,
    5: SourceUnavailable,
    6: RequestRejected,
    9: AlbumNotFound,
    11: SourceRetired,
    12: RequestRejected,
    13: RequestRejected,
    15: EmptySet,
    16: RequestRejected,
    17: SourceRetired,
    18: LoginLost,
    21: RequestRejected,
    22: RequestRejected,
    30: LoginLost,
    31: LoginLost,
    32: LoginLost,
    33: LoginLost,
    34: AccessRefused,
    35: LoginLost,
    36: LoginLost,
    37: LoginLost,
    38: SourceRetired,
    64: RequestRejected,
    98: SourceUnavailable,
    99: SourceUnavailable,
}


def test_every_code_that_is_known_anywhere_has_its_rule() -> None:
    assert {code: rule.error for code, rule in CODES.items()} == EXPECTED
    assert all(rule.evidence for rule in CODES.values())


@pytest.mark.parametrize("code", [2, 7, 8, 10, 14, 19, 20, 25, 97, 100, -1, 0, 10**30])
def test_an_unknown_code_fails_what_was_asked_and_no_more(code: int) -> None:
    error = rule_of_code(code).error
    assert error is RequestRejected
    assert not error.fatal and error.answer is Answer.NEVER


def test_only_the_empty_set_answers_empty() -> None:
    empty = [code for code, rule in CODES.items() if rule.error.answer is Answer.EMPTY]
    assert empty == [15]


@pytest.mark.parametrize(
    ("status", "error", "retry"),
    [
        (204, MalformedAnswer, Retry.YES),
        (301, MalformedAnswer, Retry.YES),
        (400, RequestRejected, Retry.NO),
        (401, LoginLost, Retry.NO),
        (403, AccessRefused, Retry.NO),
        (404, MalformedAnswer, Retry.YES),
        (410, MalformedAnswer, Retry.YES),
        (418, RequestRejected, Retry.NO),
        (429, SourceUnavailable, Retry.YES),
        (500, SourceUnavailable, Retry.YES),
        (502, SourceUnavailable, Retry.YES),
        (503, SourceUnavailable, Retry.YES),
        (599, SourceUnavailable, Retry.YES),
    ],
)
def test_statuses(status: int, error: type[SourceError], retry: Retry) -> None:
    rule = rule_of_status(status)
    assert rule is not None and (rule.error, rule.retry) == (error, retry)


def test_what_asks_for_less_slows_everybody_down() -> None:
    assert [code for code, rule in CODES.items() if rule.slow] == [98, 99]
    assert all(rule_of_status(status).slow for status in (429, 503))  # type: ignore[union-attr]
    assert rule_of_status(200) is None


@pytest.mark.parametrize(
    ("problem", "error", "retry"),
    [
        ("nonce_used", LoginLost, Retry.YES),
        ("timestamp_refused", LoginLost, Retry.ONCE),
        ("permission_denied", AccessRefused, Retry.NO),
        ("permission_unknown", AccessRefused, Retry.NO),
        ("user_refused", AccessRefused, Retry.NO),
        ("additional_authorization_required", AccessRefused, Retry.NO),
        ("token_rejected", LoginLost, Retry.NO),
        ("consumer_key_unknown", LoginLost, Retry.NO),
        ("signature_invalid", LoginLost, Retry.NO),
        ("a problem without a name", LoginLost, Retry.NO),
    ],
)
def test_problems_of_a_signature(problem: str, error: type[SourceError], retry: Retry) -> None:
    rule = rule_of_problem(problem)
    assert (rule.error, rule.retry) == (error, retry)
    assert rule.mends_clock is (problem == "timestamp_refused")


@pytest.mark.parametrize(
    ("status", "problem", "of_the_account", "of_an_album"),
    [
        (401, "token_revoked", LoginLost, LoginLost),
        (401, "nonce_used", LoginLost, LoginLost),
        (401, "permission_denied", LoginLost, AccessRefused),
        (401, None, LoginLost, AccessRefused),
        (403, None, LoginLost, AccessRefused),
        (403, "token_revoked", LoginLost, AccessRefused),
        (403, "nonce_used", LoginLost, AccessRefused),
    ],
)
def test_a_refusal_speaks_of_the_album_unless_it_speaks_of_the_login(
    status: int,
    problem: str | None,
    of_the_account: type[SourceError],
    of_an_album: type[SourceError],
) -> None:
    assert rule_of_refusal(status, problem, vital=True).error is of_the_account
    assert rule_of_refusal(status, problem, vital=False).error is of_an_album
    signs_again = Retry.YES if (status, problem) == (401, "nonce_used") else Retry.NO
    assert rule_of_refusal(status, problem, vital=True).retry is signs_again
