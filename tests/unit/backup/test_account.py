"""The account's guard: what is refused before anything is written."""

from contextlib import nullcontext

import pytest

from smugmug_backup.archive.report import AlbumState
from smugmug_backup.backup.account import ACCOUNT, Binding, check_albums, check_binding, is_bound
from smugmug_backup.errors import RunRefused
from smugmug_backup.model import Account, Album
from tests.tools.clock import START


def albums(**counts):
    return [Album(key, None, key, (), count, {}, ()) for key, count in counts.items()]


def known(**counts):
    return {
        key: AlbumState(generation=1, image_count=n, count_difference=0)
        for key, n in counts.items()
    }


def bound(nickname, access, *formerly):
    return Binding(Account(nickname, access), formerly)


def test_another_account_is_refused_whatever_the_case_of_its_name():
    check_binding(bound("larkfield", "owner"), Account("LarkField", "owner"))
    with pytest.raises(RunRefused, match="larkfield"):
        check_binding(bound("larkfield", "owner"), Account("other", "owner"))


def test_a_lesser_view_is_refused_and_a_wider_one_is_not():
    check_binding(bound("larkfield", "public"), Account("larkfield", "owner"))
    with pytest.raises(RunRefused, match="public"):
        check_binding(bound("larkfield", "owner"), Account("larkfield", "public"))


def test_no_albums_are_never_believed_not_even_on_the_first_day():
    with pytest.raises(RunRefused):
        check_albums({}, [], accepted=())
    with pytest.raises(RunRefused):
        check_albums(known(a=1), [], accepted=(ACCOUNT,))


def test_none_of_the_known_albums_is_believed_by_the_owners_word_alone():
    with pytest.raises(RunRefused, match="accept_shrink"):
        check_albums(known(a=1, b=1), albums(c=1, d=1), accepted=())
    check_albums(known(a=1, b=1), albums(c=1, d=1), accepted=(ACCOUNT,))


def test_the_owner_can_accept_the_shrinking_of_one_album_alone():
    before, after = known(a=100, b=100), albums(a=10, b=100)
    with pytest.raises(RunRefused):
        check_albums(before, after, accepted=("b",))
    check_albums(before, after, accepted=("a",))


def test_a_renamed_account_is_let_in_if_its_owner_says_so_and_it_shows_most_known_albums():
    seen = Account("newname", "owner")
    with pytest.raises(RunRefused, match="accept_rename"):
        check_binding(bound("larkfield", "owner"), seen, known=known(a=1, b=1), albums=albums(a=1))
    for shown, let_in in [("x", False), ("abx", False), ("abcx", True), ("abcd", True)]:
        with nullcontext() if let_in else pytest.raises(RunRefused):
            check_binding(
                bound("larkfield", "owner"),
                seen,
                known=known(a=1, b=1, c=1, d=1),
                albums=albums(**dict.fromkeys(shown, 1)),
                accept_rename=True,
            )


def test_a_name_that_was_accepted_once_binds_for_ever():
    binding = bound("larkfield", "owner").after(Account("newname", "owner"))
    assert (binding.account.nickname, binding.formerly) == ("newname", ("larkfield",))
    check_binding(binding, Account("LARKFIELD", "owner"))
    back = binding.after(Account("larkfield", "owner"))
    assert (back.account.nickname, back.formerly) == ("larkfield", ("newname",))


def test_a_loss_of_two_albums_is_excused_and_three_of_ten_are_not():
    ten = {f"a{n}": 1 for n in range(10)}
    check_albums(known(a=5, b=1, c=1), albums(a=5), accepted=())
    check_albums(known(**ten), albums(**dict(list(ten.items())[:8])), accepted=())
    with pytest.raises(RunRefused, match="10 to 7 albums"):
        check_albums(known(**ten), albums(**dict(list(ten.items())[:7])), accepted=())
    check_albums(known(**ten), albums(**dict(list(ten.items())[:7])), accepted=(ACCOUNT,))


def test_a_loss_of_a_fifth_of_many_albums_is_believed():
    fifteen = {f"a{n}": 1 for n in range(15)}
    check_albums(known(**fifteen), albums(**dict(list(fifteen.items())[:12])), accepted=())


def test_a_loss_of_twenty_images_is_excused_and_more_than_a_fifth_is_not():
    check_albums(known(a=30), albums(a=10), accepted=())
    check_albums(known(a=200), albums(a=160), accepted=())
    with pytest.raises(RunRefused, match="100 to 79 images"):
        check_albums(known(a=100), albums(a=79), accepted=())


def test_images_of_new_albums_do_not_make_up_for_lost_ones():
    with pytest.raises(RunRefused):
        check_albums(known(a=100), albums(a=10, b=90), accepted=())


def test_an_emptied_account_is_refused_although_its_albums_are_all_there():
    with pytest.raises(RunRefused):
        check_albums(known(a=50, b=50), albums(a=0, b=0), accepted=())


def test_albums_that_are_already_missing_are_not_lost_again():
    gone = {f"g{n}": AlbumState(generation=1, image_count=9, missing_since=START) for n in range(9)}
    check_albums(gone | known(a=1), albums(a=1), accepted=())


def test_the_count_difference_belongs_to_what_was_seen_before():
    before = {"a": AlbumState(generation=1, image_count=70, count_difference=30)}
    with pytest.raises(RunRefused):
        check_albums(before, albums(a=75), accepted=())


def test_a_store_of_nobody_yet_is_anybodys_and_one_of_somebody_his_by_all_his_names():
    assert is_bound(Binding(None), Account("larkfield", "owner"))
    assert is_bound(bound("larkfield", "owner"), Account("LarkField", "owner"))
    assert is_bound(bound("larkfield", "owner", "earlier"), Account("earlier", "owner"))
    assert not is_bound(bound("larkfield", "owner"), Account("other", "owner"))
