"""Every behaviour of the service that the documentation leaves open, as a switch."""

from dataclasses import dataclass, fields
from typing import Any


@dataclass
class Switches:
    """The defaults are what is documented best; section numbers are those of the API page."""

    # -- API 1.3.0: listings (3.3-3.5) ---------------------------------------------------------
    last_updated_inclusive: bool = False
    """The filter takes ``>=``; documented is "after"."""
    filtered_image_count: str = "total"
    """``ImageCount`` of a filtered listing: ``total`` or ``filtered``."""
    empty_images: str = "[]"
    """``Images`` when there are none: ``[]``, ``absent`` or ``null``."""
    album_count_off: int = 0
    """Added to each ``ImageCount`` of albums.get (see also `Album.count_off`)."""
    listing_count_off: int = 0
    """Added to each ``ImageCount`` of images.get (see also `Album.listing_count_off`)."""
    zone_hours: float = 0.0
    """Dates of 1.3.0 are shown off by so many hours (its zone is unknown)."""
    filter_zone_hours: float = 0.0
    """The filter compares dates that are off by so many hours."""
    album_last_updated: str = "settings"
    """What moves an album's ``LastUpdated``: ``settings``, or ``images`` too."""
    hidden_images: str = "listed"
    """Hidden images, for the owner: ``listed``, ``counted`` (not listed), or ``absent``."""
    processing_images: str = "listed"
    """Videos in the making: ``listed``, ``counted`` (not listed), or ``absent``."""
    late_visibility: float = 0.0
    """An upload, move or edit shows in listings only so many seconds later."""
    late_images_counted: bool = False
    """``ImageCount`` knows of new images before they are listed."""
    move_keeps_last_updated: bool = False
    """Moving and collecting leave an image's ``LastUpdated`` as it was."""
    album_url_listed: bool = True
    """images.get gives the album's ``URL`` (the specification's sample does not)."""
    numbers_as_strings: bool = False
    """Ids and counts come as strings."""
    booleans_as_strings: bool = False
    """Booleans come as ``"1"`` and ``"0"``."""
    anonymous_sees_md5: bool = False
    """MD5Sum is the owner's; this shows it to everybody."""
    anonymous_sees_file_name: bool = False
    """FileName is the owner's; some anonymous apps ask for it."""

    unready_video: str = "unlisted"
    """A video in the making has no Video*URL (``unlisted``), or has them all, and each answers a
    picture with status 200: ``gif`` or ``jpeg``."""

    # -- API 1.3.0: envelope and errors ----------------------------------------------------------
    strict_15: bool = True
    """``Strict`` turns an empty set into error 15."""
    password_refusal: str = "4"
    """An album whose password is not given is code ``4``, or HTTP ``401`` for that album alone."""
    method_in_answers: bool = True
    """The envelope names the method."""
    consumer_key_code: int = 32
    """The code of an unknown consumer key: 32, or 31."""
    retired: str = ""
    """1.3.0 is gone: ``404`` or ``410`` (HTML), ``html`` (200), ``redirect``, or a code."""
    redirect_to_https: bool = False
    """Plain http is answered by a redirect to https, for both APIs."""
    gzip: bool = True
    """``Accept-Encoding: gzip`` is honoured."""
    token_access: str = "Full"
    """What the accounts' own access tokens were made with: ``Full`` or ``Public``."""
    oauth_clock: str = "either"
    """Timestamps are compared with the ``world``'s clock, the ``system``'s, or ``either``."""
    oauth_skew: float = 300.0
    """Seconds a timestamp may be off."""

    # -- photo host (6) --------------------------------------------------------------------------
    url_rotation: int = 0
    """Another number, other tokens in all URLs."""
    url_rotation_each_call: bool = False
    """Each listing has URLs of its own."""
    check_url_token: bool = False
    """A stale token is answered 404. (Seen in 2026: the token is not checked.)"""
    placeholder_for_unsigned: bool = True
    """A private image fetched unsigned is a placeholder with status 200; else 403."""

    # -- API v2 (9) ------------------------------------------------------------------------------
    v2_access: bool = True
    """The API key was accepted for v2."""
    v2_max_count: int | None = None
    """``count`` is clamped to this."""
    v2_slow_page: int | None = None
    """A page with more entries than this takes `v2_slow_seconds`."""
    v2_slow_seconds: float = 600.0
    v2_removed_between_pages: int = 0
    """Before each page of images but the first, the album's first image is deleted; so often."""
    v2_password_listing: str = "refused"
    """The images of an album that needs its password: ``refused`` (401), or ``empty`` (200)."""
    v2_processing_has_archived: bool = False
    """An image that is ``Processing`` has its ArchivedUri already."""
    v2_image_has_archived: bool = True
    """An image's own resource gives its ArchivedUri; else only the one in its home album does."""
    v2_order_changes: bool = False
    """The order of a listing is another one at each of its pages."""
    v2_page_shift: int = 0
    """Pages after the first begin so many entries later than asked for."""
    v2_next_page_keeps_parameters: bool = False
    """``NextPage`` repeats ``_filter`` and the like; recorded answers do not."""
    v2_edit_moves_images_last_updated: bool = True
    """Edits and replacements move ``ImagesLastUpdated``. The service describes it as the time
    "images were added, removed, or rearranged", so False may be the truth."""
    v2_coordinates_as_numbers: bool = False
    """Latitude and Longitude as numbers; recorded as strings."""
    v2_anonymous_sees_md5: bool = True
    """ArchivedMD5 of public images is shown to everybody (recorded so)."""
    v2_rate_limit: int | None = None
    """Calls per window, then 429."""
    v2_rate_window: float = 60.0
    """Seconds of a window."""

    def set(self, **values: Any) -> None:
        """Set switches by name. Raises AttributeError for a name that is none."""
        known = {field.name for field in fields(self)}
        for name, value in values.items():
            if name not in known:
                raise AttributeError(f"no such switch: {name}")
            setattr(self, name, value)
