"""The local SmugMug is honest: clients that nobody here wrote work with it.

Only their idea of where SmugMug is gets changed.
"""

import hashlib
import time

import gallery_dl.config
import gallery_dl.job
import gallery_dl.oauth
import pytest
import smugpy

from tests.local_smugmug import LocalSmugMug, World, demo_account


@pytest.fixture
def smugmug():
    with LocalSmugMug(World(demo_account())) as smugmug:
        yield smugmug


class SmugPy(smugpy.SmugMug):
    """smugpy, led to the local SmugMug as by a name server and a proxy that speaks https."""

    there = ""

    def _fetch_url(self, url, body, header=None, method="POST"):
        scheme, rest = url.split("://")
        host, _, path = rest.partition("/")
        header = {"Host": host, "X-Forwarded-Proto": scheme, **(header or {})}
        return super()._fetch_url(f"{self.there}/{path}", body, header, method)


def smugpy_for(smugmug, *, signed: bool) -> SmugPy:
    secrets = smugmug.world.account.secrets
    tokens = (
        {
            "oauth_secret": secrets.api_secret,
            "oauth_token": secrets.access_token,
            "oauth_token_secret": secrets.access_token_secret,
        }
        if signed
        else {}
    )
    client = SmugPy(api_key=secrets.api_key, app_name="test", **tokens)
    client.there = smugmug.url
    return client


def test_smugpy_lists_the_public_albums_and_their_images(smugmug):
    client = smugpy_for(smugmug, signed=False)
    albums = client.albums_get(NickName="larkfield")["Albums"]
    assert [album["Title"] for album in albums] == [
        "Harbour 2024",
        "Scans &amp; Misc",
        "Birthday",
        "Best of winter",
    ]
    first = albums[0]
    answer = client.images_get(AlbumID=first["id"], AlbumKey=first["Key"], Heavy=True)
    snapshot = smugmug.world.snapshot(view="public")[first["Key"]]
    assert [image["Key"] for image in answer["Album"]["Images"]] == list(snapshot.image_keys)
    locked = albums[2]
    with pytest.raises(smugpy.SmugMugException, match=r"\(4\)"):
        client.images_get(AlbumID=locked["id"], AlbumKey=locked["Key"])
    assert client.service_ping()["stat"] == "ok"


def test_smugpy_signs_as_the_owner(smugmug):
    client = smugpy_for(smugmug, signed=True)
    albums = client.albums_get(Heavy=True)["Albums"]
    assert len(albums) == 5
    draft = albums[4]
    images = client.images_get(AlbumID=draft["id"], AlbumKey=draft["Key"], Extras="MD5Sum")
    (image,) = smugmug.world.snapshot()[draft["Key"]].images.values()
    assert images["Album"]["Images"][0]["MD5Sum"] == image.md5
    user = client.auth_checkAccessToken()["Auth"]["User"]
    assert user["NickName"] == "larkfield"


@pytest.fixture
def gallery(smugmug, tmp_path, monkeypatch):
    """gallery-dl, its API's root being the local SmugMug; gives the folder it saves into."""
    ask = gallery_dl.oauth.OAuth1API.request

    def ask_there(self, url, **options):
        return ask(self, url.replace("https://api.smugmug.com", smugmug.url), **options)

    monkeypatch.setattr(gallery_dl.oauth.OAuth1API, "request", ask_there)
    # It waits between requests out of courtesy, which costs this test its time.
    monkeypatch.setattr(time, "sleep", lambda seconds: None)
    gallery_dl.config.clear()
    secrets = smugmug.world.account.secrets
    settings = {
        "base-directory": str(tmp_path),
        "directory": ["{Album[AlbumKey]}"],
        "filename": "{Image[ImageKey]}.{extension}",
        "cache": {"file": None},
        "api-key": secrets.api_key,
        "api-secret": secrets.api_secret,
        "access-token": secrets.access_token,
        "access-token-secret": secrets.access_token_secret,
    }
    for name, value in settings.items():
        gallery_dl.config.set(("extractor",), name, value)
    gallery_dl.config.set(("output",), "mode", "null")
    yield tmp_path
    gallery_dl.config.clear()


def test_gallery_dl_downloads_an_album_byte_for_byte(smugmug, gallery):
    smugmug.world.edit_album(next(iter(smugmug.world.account.albums)), privacy="Private")
    album = next(iter(smugmug.world.snapshot().values()))
    job = gallery_dl.job.DownloadJob(f"smugmug:album:{album.key}")
    assert job.run() == 0
    job.extractor.session.close()
    saved = {path.stem: path.read_bytes() for path in (gallery / album.key).iterdir()}
    assert {key: hashlib.sha256(content).hexdigest() for key, content in saved.items()} == {
        image.key: image.sha256 for image in album.images.values()
    }
    assert all(call.signed for call in smugmug.calls.log)


def test_gallery_dl_lists_the_accounts_albums(smugmug, gallery):
    job = gallery_dl.job.DataJob("https://larkfield.smugmug.com/", file=None)
    assert job.run() == 0
    job.extractor.session.close()
    urls = [message[1] for message in job.data if isinstance(message[1], str)]
    assert urls == [f"smugmug:album:{key}" for key in smugmug.world.account.albums]
