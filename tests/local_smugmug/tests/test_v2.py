"""API v2 of the local SmugMug, as recorded answers of the real one show it."""

import json

import pytest

from tests.local_smugmug import demo_account


@pytest.fixture
def accounts():
    return [demo_account()]


@pytest.fixture
def keys(caller) -> list[str]:
    """Harbour, Scans, Birthday (password), Best of winter (deep), Drafts (private)."""
    return list(caller.account.albums)


def shown(caller, path, **params):
    """The one thing of an answer."""
    response = caller.v2(path, **params).json()["Response"]
    return response[response["Locator"]]


def test_the_user_behind_the_signature(caller):
    user = shown(caller, "!authuser")
    assert user["NickName"] == "larkfield"
    assert user["Uris"]["UserAlbums"]["Uri"] == "/api/v2/user/larkfield!albums"
    assert shown(caller, "/user/larkfield", signed=False)["ResponseLevel"] == "Public"
    assert shown(caller, "!siteuser", signed=False)["NickName"] == "larkfield"
    assert caller.v2("!authuser", signed=False).status_code == 401


def test_albums_of_the_owner_and_of_the_public(caller, keys):
    albums = caller.v2_things("/user/larkfield!albums")
    assert [album["AlbumKey"] for album in albums] == keys
    assert albums[0]["UrlPath"] == "/Travel/Coast/Harbour-2024"
    assert albums[2]["Password"] == caller.account.albums[keys[2]].password
    public = caller.v2_things("/user/larkfield!albums", signed=False)
    assert [album["AlbumKey"] for album in public] == keys[:4]
    assert not any("Password" in album or "UploadKey" in album for album in public)


def test_pages_lead_from_one_to_the_next(caller, keys):
    uri, found = "/user/larkfield!albums?start=1&count=2", []
    while uri:
        response = caller.v2(uri).json()["Response"]
        found += [album["AlbumKey"] for album in response["Album"]]
        assert response["Pages"]["Total"] == 5
        assert response["Pages"]["LastPage"].endswith("?start=5&count=2")
        uri = response["Pages"].get("NextPage")
    assert found == keys
    assert response["Pages"]["Count"] == 1
    assert response["Pages"]["PrevPage"].endswith("?start=3&count=2")


def test_an_empty_list_is_absent(caller):
    empty = caller.smugmug.world.new_album("Nothing").key
    response = caller.v2(f"/album/{empty}!images").json()["Response"]
    assert "AlbumImage" not in response
    assert response["Pages"]["Total"] == 0
    beyond = caller.v2(f"/album/{empty}!images", start=50).json()["Response"]
    assert "AlbumImage" not in beyond


def test_images_tell_all_that_a_backup_needs(caller, keys):
    image = caller.v2_things(f"/album/{keys[0]}!images")[1]
    listed = caller.images(keys[0], Heavy="1")[1]
    assert image["ImageKey"] == listed["Key"]
    assert image["UploadKey"] == str(listed["id"])
    assert image["ArchivedMD5"] == listed["MD5Sum"]
    assert image["ArchivedSize"] == image["OriginalSize"] == listed["Size"]
    assert image["KeywordArray"] == ["harbour", "dusk", "food"]
    assert image["LastUpdated"] == "2024-08-10T21:10:17+00:00"
    assert image["Uri"] == f"/api/v2/album/{keys[0]}/image/{listed['Key']}-0"
    assert len(caller.photo(image["ArchivedUri"]).content) == listed["Size"]
    assert shown(caller, image["Uri"]) == image


def test_oddities_are_absent_fields(caller, keys):
    by_name = {i["FileName"]: i for i in caller.v2_things(f"/album/{keys[1]}!images")}
    assert "ArchivedMD5" not in by_name["no_md5.jpg"]
    assert "ArchivedUri" in by_name["no_md5.jpg"]
    assert "ArchivedUri" not in by_name["no_original.jpg"]
    ridge, quay = caller.v2_things(f"/album/{keys[3]}!images")
    assert ridge["ComponentFileTypes"] == {"CR2": ["CR2"]}
    assert quay["Origin"] == "Collected"
    assert quay["CollectedFrom"] == caller.account.albums[keys[0]].title, "a name, and no URI"
    assert quay["Uris"]["ImageAlbum"]["Uri"] == f"/api/v2/album/{keys[0]}"


def test_a_video_is_its_largest_rendition_and_its_original_a_still(caller, keys):
    video = caller.v2_things(f"/album/{keys[0]}!images")[3]
    assert video["IsVideo"] is True
    assert video["ArchivedUri"].endswith("-D.jpg")
    assert caller.photo(video["ArchivedUri"]).content[:2] == b"\xff\xd8"
    assert caller.photo(video["ArchivedUri"]).headers["Content-Length"] == str(
        video["ArchivedSize"]
    )
    largest = shown(caller, video["Uris"]["LargestVideo"]["Uri"])
    content = caller.photo(largest["Url"]).content
    assert (len(content), largest["Ext"], largest["Width"]) == (largest["Size"], "mp4", 1280)
    size = f"/video/{video['ImageKey']}-0!size640"
    assert shown(caller, size)["Width"] == 640
    assert caller.v2(f"/video/{video['ImageKey']}-0!size1920").status_code == 404


def test_a_video_in_the_making_offers_nothing(caller, keys):
    world = caller.smugmug.world
    making = world.upload_video(keys[0], processing=True).key
    never = world.upload_video(keys[0], processing=True, cannot_process=True).key
    raw, stuck = caller.v2_things(f"/album/{keys[0]}!images")[-2:]
    assert (raw["Processing"], raw["Status"]) == (True, "Open")
    assert "LargestVideo" not in raw["Uris"]
    assert "ArchivedUri" not in raw
    assert (stuck["Status"], stuck["SubStatus"]) == ("Preprocess", "CanNotProcess")
    for key in (making, never):
        assert caller.v2(f"/image/{key}-0!largestvideo").status_code == 404


def test_an_image_has_sizes_and_a_download(caller, keys):
    key = caller.v2_things(f"/album/{keys[0]}!images")[0]["ImageKey"]
    details = shown(caller, f"/image/{key}-0!sizedetails")
    original = details["ImageSizeOriginal"]
    assert len(caller.photo(original["Url"]).content) == original["Size"]
    assert "ImageSizeThumb" in details["UsableSizes"]
    assert caller.photo(shown(caller, f"/image/{key}!download")["Url"]).status_code == 200
    assert caller.photo(shown(caller, f"/image/{key}-0!largestimage")["Url"]).status_code == 200
    assert shown(caller, f"/image/{key}")["ImageKey"] == key


def test_folders_of_any_depth(caller, keys):
    album = shown(caller, f"/album/{keys[3]}", _verbosity=1)
    parents = caller.v2_things(album["Uris"]["ParentFolders"])
    assert [folder["Name"] for folder in parents] == ["Winter", "2024", "Mountains", "Travel", ""]
    nodes = caller.v2_things(f"/node/{album['NodeID']}!parents")
    assert [node["Type"] for node in nodes] == ["Album"] + ["Folder"] * 5
    assert nodes[-1]["IsRoot"] is True
    assert shown(caller, f"/node/{album['NodeID']}!parent")["Name"] == "Winter"
    assert shown(caller, album["Uris"]["Folder"])["UrlPath"] == "/Travel/Mountains/2024/Winter"
    root = shown(caller, "!authuser")["Uris"]["Node"]["Uri"]
    children = caller.v2_things(f"{root}!children")
    assert [child["Name"] for child in children] == ["Travel", "Other", "Family"]
    coast = caller.v2_things("/folder/user/larkfield/Travel/Coast!albums")
    assert [inside["AlbumKey"] for inside in coast] == [keys[0]]
    travel = caller.v2_things("/folder/user/larkfield/Travel!folders")
    assert [folder["Name"] for folder in travel] == ["Coast", "Mountains"]
    assert shown(caller, f"/folder/id/{travel[0]['NodeID']}")["Name"] == "Coast"
    assert shown(caller, "/folder/user/larkfield/Travel/Coast!parent")["Name"] == "Travel"
    assert caller.v2("/folder/user/larkfield/Nowhere").status_code == 404
    lookup = "/user/larkfield!urlpathlookup"
    assert shown(caller, lookup, urlpath=album["UrlPath"])["AlbumKey"] == keys[3]
    assert shown(caller, lookup, urlpath="/Travel")["UrlPath"] == "/Travel"


def test_answers_can_be_kept_small(caller, keys):
    path = f"/album/{keys[0]}!images"
    image = caller.v2_things(path, _filter="ImageKey,Serial", _filteruri="LargestVideo")[0]
    assert image.keys() == {"ImageKey", "Serial", "Uri", "ResponseLevel"}
    video = caller.v2_things(path, _filter="ImageKey", _filteruri="LargestVideo")[3]
    assert set(video["Uris"]) == {"LargestVideo"}
    assert "Uris" not in caller.v2_things(path, _filteruri="")[3]
    data = caller.v2(path, _verbosity=3).json()
    assert data["Request"]["Method"] == "GET"
    assert "Options" in data
    assert "Request" not in caller.v2(path).json()
    assert "\n" in caller.v2(path, _pretty="1").text


def test_links_can_be_expanded(caller, keys):
    path = f"/album/{keys[0]}"
    data = caller.v2(path, _expand="User,ParentFolders,AlbumImages.ImageSizeDetails").json()
    album, expansions = data["Response"]["Album"], data["Expansions"]
    parents = expansions[album["Uris"]["ParentFolders"]["Uri"]]
    assert parents["Locator"] == "Folder"
    assert [folder["UrlPath"] for folder in parents["Folder"]] == ["/Travel/Coast", "/Travel", "/"]
    images = expansions[f"/api/v2/album/{keys[0]}!images"]["AlbumImage"]
    sizes = images[0]["Uris"]["ImageSizeDetails"]["Uri"]
    assert "ImageSizeOriginal" in expansions[sizes]["ImageSizeDetails"]
    inline = caller.v2(path, _expand="User", _expandmethod="inline").json()
    assert inline["Response"]["Album"]["Uris"]["User"]["User"]["NickName"] == "larkfield"
    assert "Expansions" not in inline
    flat = caller.v2(path, _expand="User", _expandmethod="inline", _verbosity=1).json()
    assert flat["Response"]["Album"]["Uris"]["User"]["NickName"] == "larkfield"


def test_expansions_can_be_configured(caller, keys):
    config = {
        "filter": ["AlbumKey"],
        "filteruri": ["AlbumImages"],
        "expand": {"AlbumImages": {"filter": ["ImageKey"], "filteruri": [], "args": {"count": 2}}},
    }
    data = caller.v2(f"/album/{keys[0]}", _config=json.dumps(config)).json()
    assert set(data["Response"]["Album"]) == {"AlbumKey", "Uri", "ResponseLevel", "Uris"}
    (images,) = data["Expansions"].values()
    assert images["Pages"]["Count"] == 2
    assert set(images["AlbumImage"][0]) == {"ImageKey", "Uri", "ResponseLevel"}


def test_errors_are_statuses_with_a_code(caller, keys):
    for path in ("/album/none", "/image/none-0", "/user/none", "/nonsense", "/node/none"):
        answer = caller.v2(path)
        assert (answer.status_code, answer.json()["Code"]) == (404, 404)
    assert caller.v2(f"/album/{keys[4]}", signed=False).status_code == 404
    assert caller.v2(f"/album/{keys[0]}!images", signed=False, APIKey="x").status_code == 401
    assert caller.v2(f"/album/{keys[0]}!images", start="x").json()["Code"] == 400
    bad = caller.auth(client_secret="wrong")
    url = f"{caller.smugmug.url}/api/v2!authuser"
    answer = caller.http.get(url, auth=bad, headers={"Accept": "application/json"})
    assert (answer.status_code, answer.json()["Code"]) == (401, 401)
    assert caller.v2("!authuser", http="DELETE").status_code == 405


def test_without_accept_it_is_a_web_page(caller):
    url = f"{caller.smugmug.url}/api/v2!authuser"
    answer = caller.http.get(url, auth=caller.auth())
    assert answer.headers["Content-Type"].startswith("text/html")
    answer = caller.http.get(url, params={"_accept": "application/json"}, auth=caller.auth())
    assert answer.json()["Code"] == 200


def test_a_password_is_asked_for_and_unlocks(caller, keys):
    images = f"/album/{keys[2]}!images"
    assert shown(caller, f"/album/{keys[2]}", signed=False)["ResponseLevel"] == "Password"
    assert caller.v2(images, signed=False).status_code == 401
    unlock = f"/album/{keys[2]}!unlock"
    assert caller.v2(unlock, http="POST", signed=False, Password="x").status_code == 401
    password = caller.account.albums[keys[2]].password
    assert caller.v2(unlock, http="POST", signed=False, Password=password).status_code == 200
    assert len(caller.v2_things(images, signed=False)) == 1
    assert len(caller.v2_things(images)) == 2


def test_a_protected_site_is_closed_to_the_public(caller, keys):
    caller.account.site_protected = True
    for path in ("/user/larkfield!albums", f"/album/{keys[0]}!images"):
        assert caller.v2(path, signed=False).status_code == 401
        assert caller.v2(path).status_code == 200
