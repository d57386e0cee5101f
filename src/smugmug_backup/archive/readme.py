"""The README.txt of the store: how to read the backup without this program."""

README_TEXT = """\
A BACKUP OF A SMUGMUG ACCOUNT
=============================

Made by SmugMug Backup. No program is needed to read it: everything is a plain file, and the texts
are JSON in UTF-8, which any editor and any browser shows. No file is ever changed, and none is
removed unless the owner asks for it (see forgotten/). In the texts, times that end in Z are UTC,
null means "not known" or "none", and the name of a file counts from the folder of this README.


1. THE FOLDERS
--------------

README.txt     this text; a later version's is README.2.txt, README.3.txt ...
runs/          one report for each run: is the backup complete, what is missing, every album.
               Beside some of them the same as a page for people, .html
manifests/     what the backup holds of each album: one folder an album, one file a generation
originals/     the photos and videos, byte for byte as SmugMug delivered them: one folder an image
records/       all that SmugMug says of each image: caption, keywords, dates, places
checks/        what checks of this backup found
drills/        what fire drills found: samples compared with SmugMug
forgotten/     what the owner had deleted for good
work/          notes of long runs; no part of the backup, they may vanish


2. FIND A PHOTO
---------------

1. Open the newest report: in runs/, the last year, the last month, the .json file whose name is
   the last in the alphabet. If its "status" is "refused", or its "part" or its "clock_doubted"
   is true, take the one before, and so on. Its "albums" is the table of contents: it has the
   "title" and "path" of every album, under the album's key.
2. Go to the album's folder in manifests/ (section 3) and open the file with the highest number.
3. Search it for the file name or the image's key. The line says where the bytes lie:
   "original" -> "key", such as originals/V2xgTbs=11/51f7e3a09bd24cc8816e0f42d7a9c350.jpg
4. A file name means nothing there: the name is the MD5 of the bytes, or "rev-" and a number.
   Save it under the "file_name" of the line.
5. To search captions and keywords, search the files in records/. Each line names its image.

Older states are the lower numbers. Nothing that was once there is lost from them.

GONE. A line with "missing_since" or "deleted_at" is of an image that has left the album on
SmugMug; its line, its record and its bytes stay here. The same words in the first line of a
manifest, or in a report, say it of a whole album.

NOT THERE. "original" -> "status" is "pending" for bytes that are still awaited and "unavailable"
for those that SmugMug does not give; "reason" tells why (section 6). Then "previous" may name
earlier bytes that are still here.


3. NAMES
--------

Folders of albums and images have the key of the album or image as their name. Some disks take
"ab" and "AB" for the same name. So a key with capital letters is followed by = and a number that
says which of its letters are capitals, in hexadecimal: 1 for the first character, 2 for the
second, 4 for the third, 8 for the fourth, 10 for the fifth, 20 for the sixth ..., added up.
hT4mWq has capitals at its second and fifth place: 2 + 10 = 12, its folder is hT4mWq=12. A key
that Windows reserves (con, prn, aux, nul, com0 to com9, lpt0 to lpt9) has it too: con=0.

NUMBERED NAMES. If a name was taken by other bytes (by damaged ones, mostly), a number stands
before the ending: <name>.2.jpg, <name>.3.jpg. Where a file is missing, or does not have the
SHA-256 that is stated of it, look for the numbered one that has it: that one counts.

manifests/<album>/00000007.jsonl   generation 7 of the album; the highest number is the newest
records/<album>/<32 digits>.jsonl  named by the first half of its own SHA-256
originals/<image>/<32 digits>.jpg  named by its own MD5
originals/<image>/rev-<16>.jpg     one whose MD5 SmugMug does not state, or states otherwise
runs/<year>/<month>/<run>.json     a run's name is its beginning (UTC) and 8 random digits
checks/, drills/                   likewise
forgotten/<image>.json             one for each image that was deleted for good
work/<run>/plan.jsonl              what the run handed over; <album>-<number>.json: how it went


4. CHECK IT BY HAND
-------------------

A photo:       sha256sum FILE   must print the "sha256" of its line in the manifest.
               md5sum FILE      must print the file's own name, if that is not "rev-...".
A records file: sha256sum FILE  must begin with the file's own name.
A manifest:    sha256sum FILE   must print the "manifest_sha256" of the album in the report, or
               the "previous" -> "sha256" in the first line of the generation after it.
A report:      sha256sum FILE   must print what the next report states under "previous".
This README:   sha256sum FILE   the newest one's is the "readme_sha256" of the newest report.

THE SEAL is the SHA-256 of the newest report: the one that no other report names. Write it down
elsewhere, and you can prove the whole backup with it, from one file to the next:
   the report whose sha256sum is the seal
   -> its "previous": the reports before it, and so on to the first
   -> its "readme_sha256": this file; its "check" -> "sha256": the check's report (a copy of the
      backup may have none)
   -> its "albums": each album's manifest, by "generation" and "manifest_sha256"
      -> its "previous": the generation before it, and so on to the first
      -> each line's "record": a records file, proved by its own name
      -> each line's "original" -> "sha256": the bytes of the photo
After two runs at once there are two such reports, and two seals, until the next run joins them.

THE RECORD OF AN IMAGE is one line of a records file. Its place is the line's "record_at": [offset,
length] in bytes. To print it:
   tail -c +OFFSET FILE | head -c LENGTH         with 1 added to the offset: [68,1840] is +69
Append | sha256sum to that, and the first 16 digits must be the line's "fingerprint".


5. WHAT IS NEVER STORED
-----------------------

Never, because they are secrets: passwords and their hints, upload keys, guest upload addresses,
tokens. Not in records, because they change without any edit: every field whose name ends in URL,
Url, Uri or Uris ("urls" lists which were there) and Position; of an album also ImageCount,
LastUpdated, ImagesLastUpdated and Highlight. Web addresses would not outlive the account anyway.


6. EVERY FIELD OF EVERY FILE
----------------------------

In all files
  format          what kind of file this is
  version         of this description, 1
  run_id          the run, check or drill that wrote it: YYYYMMDDTHHMMSSZ- and 8 digits
  started_at      when it began
  ended_at        when it ended
  source          which of SmugMug's interfaces was asked: smugmug-1.3.0 or smugmug-v2
  album_key       the key of an album, unique on its own
  image_key       the key of an image, unique on its own
  urls            names of the fields that held web addresses; the addresses are not kept
  account         whose photos these are:
    nickname      the name in the account's address
    access        how it was seen: owner (everything) or public (what any visitor sees)
    formerly      in reports: earlier nicknames of the account that its owner has confirmed

Records file: line 1 has the album, each further line one image
  image           all that SmugMug says of the image, in SmugMug's own words

Manifest, line 1: the album
  generation      its number: 1, 2, 3 ...
  previous        the generation from which it was made: its generation and sha256; null if none
  written_at      when it was written
  title           the album's title
  path            category and subcategory, or the folders, that lead to the album
  album           all that SmugMug says of the album, in SmugMug's own words
  image_count     how many images are in the album, gone ones not counted
  line_count      how many lines follow, gone ones counted
  cursor          up to when changes are known, in seconds since 1970; 0: never listed in full
  full_listing_at when the album was last listed in full
  deleted_at      when it was certain that the album is gone from SmugMug, else null

Manifest, each further line: one image, in the order of the keys
  image_id        SmugMug's number of it
  file_name       the name of the file as it was uploaded
  record          the records file that has its record; null if the record is lost
  record_at       [offset, length]: where in that file its line lies, in bytes
  fingerprint     the first 16 digits of the SHA-256 of that line
  last_updated    what SmugMug says of its last change
  position        its place in the album when that was last listed in full
  original        its bytes:
    kind          wanted: original; rendition (a video as SmugMug serves it); none (there is none)
    status        stored, pending (awaited) or unavailable (SmugMug does not give it)
    key           the file
    bytes         its length
    sha256        its SHA-256
    md5           its MD5
    source_md5    the MD5 that SmugMug states now
    verified      true: stored, and SmugMug's MD5 agrees
    reason        why it is not stored, or not right:
                    not_yet             its turn has not come
                    processing          SmugMug is still working on it
                    download_failed     the download broke off
                    md5_mismatch        the bytes have another MD5 than SmugMug states
                    no_original_url     SmugMug offers no file
                    refused_by_source   SmugMug refused the file
                    bad_at_source       SmugMug delivers it whole, but wrong
                    too_large           larger than the owner's limit
                    damaged             what was stored was found damaged
                    forgotten           the owner had it deleted for good
    reason_since  since when it is this reason
    pending_since since when these bytes are awaited
    previous      the bytes stored before, while they count: their key, bytes, sha256, md5
  missing_since   when SmugMug first did not show the image any more, else null
  deleted_at      when that was confirmed, else null

Run report
  previous        the reports before it, usually one: run_id and sha256 of each
  status          complete; continuing (the work goes on); incomplete (something is missing, see
                  failures and pending); refused (SmugMug's answer could not be believed)
  trigger         what started the run; null if started by hand
  attempt_of      the earlier run of the same trigger, or the one that it finishes
  dated_at        the date that SmugMug told at the beginning
  clock_doubted   true: this machine's clock and SmugMug's differed by more than 12 hours
  part            true: a run over chosen albums only
  complete_as_of  the newest complete run up to this one:
    at            from when it is (its dated_at)
  counts          numbers. At the end, of what has not left SmugMug:
    albums        albums
    images        images
    pending       images whose bytes are awaited
    unavailable   images whose bytes SmugMug does not give
    unverified    images stored whose MD5 SmugMug does not state, or states otherwise
                  What happened in this run:
    albums_changed   albums with a new generation
    new           images that came
    changed       images that changed
    missing       images not shown any more
    deleted       images whose absence was confirmed
    repaired      damages that were mended
    originals_stored  files stored
    bytes_stored  their bytes
    cursor_misses    changes that SmugMug should have told and did not
    late_arrivals    new images that it told late
    api_calls     questions to SmugMug
    s3_requests   requests to the storage
    seconds       how long it took
  failures        what went wrong, at most 1,000: album_key, image_key (null if it is no image), and
    code          what kind of failure
    message       the same in words
  more_failures   how many more
  unavailable     the images that SmugMug does not give, at most 1,000: album_key, image_key,
                  file_name, reason
                  (here also record_lost: what SmugMug said of it is lost)
  more_unavailable  how many more
  pending         the images awaited, at most 1,000: album_key, image_key, reason, and
    since         since when
  more_pending    how many more
  check           the newest check that the run saw: its run_id, sha256 and ended_at, and
    sound         what it said
    open          how many of its findings are open after this run
  readme_sha256   the SHA-256 of the newest README.txt
  ignored_albums  keys of the albums that the owner told us to leave out
  notes           remarks
  changes         what changed at SmugMug in this run; null if nothing did:
    albums        by album, how many images of each kind:
      new         came
      back        came back
      replaced    have other bytes than before
      caption_lost   had a title or caption and have none
      keywords_lost  had keywords and have none
      changed     changed otherwise
      missing     are not shown any more, seen for the first time
      moved       are not shown any more, and another album shows them
      left        their absence was confirmed
                  and how many images albums have of which it is so as a whole:
      album_new   came
      album_back  came back
      album_missing  is not shown any more, seen for the first time
      album_left  its absence was confirmed
      made_public   can be seen by everybody now
      made_private  could be seen by everybody before
    images        some of them by name: album_key, image_key, file_name, and
    what          of which kind it is
    more_images   how many more
  albums          every album, gone ones too, by its key: title, path, cursor, full_listing_at,
                  image_count, missing_since and deleted_at as above, and
    generation    its newest generation; 0 if there is none yet
    manifest_sha256  the SHA-256 of that manifest
    album_fingerprint  the first 16 digits of the SHA-256 of its "album" as canonical JSON
    listed_at     when it was last listed with success
    tried_at      when that was last tried
    bytes         how many bytes its images have, gone ones not counted
    count_difference  by how many images SmugMug's count is always too high; null: not known
    pending       how many of its images are awaited
    unavailable   how many SmugMug does not give
    unverified    how many are stored without a matching MD5
    next_full     why the next run will list the whole album, else null
    doubt         why its listing was not believed, else null:
      since       since when
      difference  by how many images SmugMug's count and its listing differ
      keys        a short hash of the keys in the listing

Check report: previous, trigger and sound as above, and
  history         true: all generations were checked, not the newest alone
  of_run          the newest run report at that time
  objects         how many files there were
  read_objects    how many of them were read
  read_bytes      how many bytes were read
  not_checked     what was left out
  findings        what is wrong, from earlier checks too, until it is right again. Of each:
    key           the file; with the album_key and image_key that it belongs to
    problem       missing, damaged, unreadable, broken_chain (does not have the SHA-256 that is
                  stated), misnamed (its name is not its hash), foreign (not of this backup)
    scope         state (it is part of the newest state) or history
    since         when it was first found
    message       the same in words
  more_findings   how many more
  accepted        what the owner has accepted as lost
  heads           older reports that no other report names: run_id and sha256

Drill report: read_bytes, of_run as above, and
  seal            the seal from which the files were found
  sampled         how many images were taken
  same            how many were the same here and at SmugMug
  years           the first and last year in which they were taken; null: not known
  images          each of them: album_key, image_key, key, message, and
    outcome       same, replaced_since, gone_since, unavailable_at_source; or, an alarm: differs,
                  damaged, unreadable, broken_chain

Forgotten image: its image_key, and
  forgotten_at    when the owner asked for it
  keys            the files that were deleted

Notes of a long run, in work/
  albums          in a plan's line: the albums of one helper, each with its album and state
  state           what the report would say of the album
  album           key, title, path and urls as above, and
    id            SmugMug's number of the album
    image_count   SmugMug's count of its images
    data          all that SmugMug says of it
    changed_at    its last change
  accept_shrink   albums whose loss of images the owner has accepted
  check           the check whose findings are to be mended
  open_elsewhere  how many there are in other albums
  mended          in an outcome: the files of findings that are past
  committed       true if a new generation was written
  left_over       true if work is left; failures, unavailable, pending, notes, counts and
                  clock_doubted are as in a report
"""
