/* The photo host and the S3 of the benchmark, as cheap as they can be: a thread a connection,
   sendfile() for what goes out, and what nobody will read again is dropped in the kernel.

     light photos MILLISECONDS INDEX PACK
     light s3 MILLISECONDS

   The address is the first line that it says; it serves on loopback until it is ended. What it
   keeps, checks and leaves out is told in light/__init__.py; light/server.py is the same in
   Python, and light/test_light.py asks both. Linux only. */

#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { HEAD_ROOM = 1 << 16, BLOCK = 1 << 16, PARTS = 10001, DROPPED_FROM = 16 << 10 };

static long latency;
static char started_http[64], started_iso[64];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

/* -- memory that grows -------------------------------------------------------------------------- */

typedef struct { char *at; size_t size, room; } Text;

static void *need(void *got) {
  if (!got) { perror("light"); exit(1); }
  return got;
}

static void add(Text *text, const void *bytes, size_t size) {
  if (text->size + size + 1 > text->room) {
    text->room = (text->size + size + 1) * 2;
    text->at = need(realloc(text->at, text->room));
  }
  memcpy(text->at + text->size, bytes, size);
  text->size += size;
  text->at[text->size] = 0;
}

static void say(Text *text, const char *form, ...) {
  char line[4096];
  va_list given;
  va_start(given, form);
  int size = vsnprintf(line, sizeof line, form, given);
  va_end(given);
  if (size >= (int)sizeof line) size = sizeof line - 1;
  add(text, line, (size_t)size);
}

/* -- HTTP --------------------------------------------------------------------------------------- */

typedef struct {
  int socket, last;
  char buffer[HEAD_ROOM + 1];
  size_t held; /* bytes in the buffer */
  size_t head; /* of them, so many are the head */
  char *method, *path, *query;
  char *headers[128];
  int count;
  Text out, body;
} Connection;

static const char *header(Connection *c, const char *name) {
  size_t size = strlen(name);
  for (int i = 0; i < c->count; i++)
    if (!strncasecmp(c->headers[i], name, size) && c->headers[i][size] == ':') {
      const char *value = c->headers[i] + size + 1;
      while (*value == ' ') value++;
      return value;
    }
  return NULL;
}

static int has(const char *value, const char *text) {
  return value && strcasestr(value, text) != NULL;
}

/* Whether there is a request; its head is in the buffer, and perhaps more. */
static int receive_head(Connection *c) {
  char *end;
  c->buffer[c->held] = 0;
  while (!(end = memmem(c->buffer, c->held, "\r\n\r\n", 4))) {
    if (c->held == HEAD_ROOM) return 0;
    ssize_t got = recv(c->socket, c->buffer + c->held, HEAD_ROOM - c->held, 0);
    if (got <= 0) return 0;
    c->held += (size_t)got;
  }
  c->head = (size_t)(end - c->buffer) + 4;
  *end = 0;
  c->count = 0;
  char *line = c->buffer, *next;
  for (int i = 0; line; line = next, i++) {
    if ((next = strstr(line, "\r\n"))) *next = 0, next += 2;
    if (i && c->count < 128) c->headers[c->count++] = line;
    if (!i) {
      c->method = line;
      if (!(c->path = strchr(line, ' '))) return 0;
      *c->path++ = 0;
      char *version = strchr(c->path, ' ');
      if (!version) return 0;
      *version = 0;
      if ((c->query = strchr(c->path, '?'))) *c->query++ = 0;
      else c->query = version;
    }
  }
  return 1;
}

/* The body: into memory, or dropped without a copy. */
static int receive_body(Connection *c, size_t size, int keep) {
  c->body.size = 0;
  size_t there = c->held - c->head;
  if (there > size) there = size;
  if (keep) add(&c->body, c->buffer + c->head, there);
  memmove(c->buffer, c->buffer + c->head + there, c->held - c->head - there);
  c->held -= c->head + there;
  c->head = 0;
  for (size_t left = size - there; left;) {
    ssize_t got;
    if (keep) {
      char piece[BLOCK];
      got = recv(c->socket, piece, left < sizeof piece ? left : sizeof piece, 0);
      if (got > 0) add(&c->body, piece, (size_t)got);
    } else {
      got = recv(c->socket, NULL, left, MSG_TRUNC);
    }
    if (got <= 0) return 0;
    left -= (size_t)got;
  }
  return 1;
}

static int send_all(int socket, const char *bytes, size_t size, int flags) {
  while (size) {
    ssize_t sent = send(socket, bytes, size, flags | MSG_NOSIGNAL);
    if (sent < 0) return 0;
    bytes += sent, size -= (size_t)sent;
  }
  return 1;
}

static int send_file(int socket, int file, off_t offset, size_t size) {
  while (size) {
    ssize_t sent = sendfile(socket, file, &offset, size);
    if (sent <= 0) return 0;
    size -= (size_t)sent;
  }
  return 1;
}

static void wait_a_while(void) {
  struct timespec left = {latency / 1000, latency % 1000 * 1000000};
  while (latency && nanosleep(&left, &left) && errno == EINTR) {}
}

/* -- the photo host ----------------------------------------------------------------------------- */

typedef struct { char key[32]; size_t size; off_t first, plain; } Photo;

static Photo *photos;
static size_t photo_count;
static int pack;

static int by_key(const void *a, const void *b) {
  return strcmp(((const Photo *)a)->key, ((const Photo *)b)->key);
}

static void load_photos(const char *index, const char *name) {
  FILE *file = need(fopen(index, "r"));
  Photo one;
  while (fscanf(file, "%31s %zu %ld %ld", one.key, &one.size, &one.first, &one.plain) == 4) {
    photos = need(realloc(photos, (photo_count + 1) * sizeof one));
    photos[photo_count++] = one;
  }
  fclose(file);
  qsort(photos, photo_count, sizeof *photos, by_key);
  if ((pack = open(name, O_RDONLY)) < 0) need(NULL);
}

static int serve_photo(Connection *c) {
  if (!receive_body(c, 0, 0)) return 0;
  Photo asked = {{0}, 0, 0, 0}, *found = NULL;
  if (sscanf(c->path, "/photos/i-%31[^/]", asked.key) == 1)
    found = bsearch(&asked, photos, photo_count, sizeof *photos, by_key);
  wait_a_while();
  c->out.size = 0;
  if (!found) {
    say(&c->out, "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n");
    return send_all(c->socket, c->out.at, c->out.size, 0);
  }
  say(&c->out, "HTTP/1.1 200 OK\r\nContent-Type: image/jpeg\r\nContent-Length: %zu\r\n%s\r\n",
      found->size, c->last ? "Connection: close\r\n" : "");
  int only_head = !strcmp(c->method, "HEAD");
  if (!send_all(c->socket, c->out.at, c->out.size, only_head ? 0 : MSG_MORE)) return 0;
  for (size_t start = 0; start < found->size && !only_head; start += BLOCK) {
    size_t size = found->size - start < BLOCK ? found->size - start : BLOCK;
    if (!start) {
      if (!send_file(c->socket, pack, found->first, size)) return 0;
      continue;
    }
    /* Each block begins with its number, so that no two of a photo are alike. */
    unsigned char number[8];
    uint64_t block = start / BLOCK;
    for (int i = 7; i >= 0; i--, block >>= 8) number[i] = (unsigned char)block;
    size_t told = size < 8 ? size : 8;
    int more = size > told || start + BLOCK < found->size ? MSG_MORE : 0;
    if (!send_all(c->socket, (char *)number, told, more)) return 0;
    if (size > told && !send_file(c->socket, pack, found->plain + 8, size - told)) return 0;
  }
  return 1;
}

/* -- S3 ----------------------------------------------------------------------------------------- */

typedef struct {
  char *key, *body; /* body NULL: dropped */
  size_t size;
  uint64_t tag;
  char *checksum; /* "x-amz-checksum-sha256: ..." as it was sent */
  char *type, *disposition;
  int whole; /* its checksum is FULL_OBJECT */
} Object;

typedef struct Upload {
  char *key, *type, *disposition;
  uint64_t id;
  size_t sizes[PARTS];
  struct Upload *next;
} Upload;

static Object **objects; /* by key */
static size_t object_count, object_room;
static Upload *uploads;
static uint64_t last_tag;

static const char *names[] = {"PutObject", "GetObject", "HeadObject", "DeleteObject",
                              "ListObjectsV2", "CreateMultipartUpload", "UploadPart",
                              "CompleteMultipartUpload", "AbortMultipartUpload", "refused"};
enum { PUT, GET, HEAD, DELETE, LIST, CREATE, PART, COMPLETE, ABORT, REFUSED, KINDS };
static unsigned long counts[KINDS];

static void count(int kind) { __atomic_add_fetch(&counts[kind], 1, __ATOMIC_RELAXED); }

static size_t place_of(const char *key) { /* of the first that is not smaller */
  size_t low = 0, high = object_count;
  while (low < high) {
    size_t middle = (low + high) / 2;
    if (strcmp(objects[middle]->key, key) < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}

static Object *find(const char *key) {
  size_t place = place_of(key);
  return place < object_count && !strcmp(objects[place]->key, key) ? objects[place] : NULL;
}

static void forget(Object *o) {
  free(o->key), free(o->body), free(o->checksum), free(o->type), free(o->disposition), free(o);
}

/* Whether it was free, or may be replaced; takes what `made` holds. */
static int keep_object(Object *made, int only_new) {
  pthread_mutex_lock(&lock);
  size_t place = place_of(made->key);
  int taken = place < object_count && !strcmp(objects[place]->key, made->key);
  if (taken && only_new) {
    pthread_mutex_unlock(&lock);
    forget(made);
    return 0;
  }
  made->tag = ++last_tag;
  if (taken) {
    forget(objects[place]);
  } else {
    if (object_count == object_room) {
      object_room = object_room ? object_room * 2 : 1024;
      objects = need(realloc(objects, object_room * sizeof *objects));
    }
    memmove(objects + place + 1, objects + place, (object_count - place) * sizeof *objects);
    object_count++;
  }
  objects[place] = made;
  pthread_mutex_unlock(&lock);
  return 1;
}

static char *copy_of(const char *text) { return text ? need(strdup(text)) : NULL; }

static char *decoded(const char *text) {
  char *made = need(malloc(strlen(text) + 1)), *to = made;
  for (; *text; text++) {
    unsigned code;
    if (*text == '%' && sscanf(text + 1, "%2x", &code) == 1) *to++ = (char)code, text += 2;
    else *to++ = *text == '+' ? ' ' : *text;
  }
  *to = 0;
  return made;
}

/* The value of a parameter, decoded, or NULL; an empty one for a name alone. */
static char *parameter(Connection *c, const char *name) {
  size_t size = strlen(name);
  for (char *at = c->query; at && *at; at = strchr(at, '&') ? strchr(at, '&') + 1 : NULL)
    if (!strncmp(at, name, size) && (at[size] == '=' || at[size] == '&' || !at[size])) {
      if (at[size] != '=') return copy_of("");
      size_t end = strcspn(at + size + 1, "&");
      char *raw = need(strndup(at + size + 1, end)), *made = decoded(raw);
      free(raw);
      return made;
    }
  return NULL;
}

static int answer(Connection *c, const char *status, const char *more, const char *body,
                  size_t size, int only_head) {
  c->out.size = 0;
  say(&c->out, "HTTP/1.1 %s\r\nServer: light\r\nContent-Length: %zu\r\n", status, size);
  add(&c->out, more, strlen(more));
  say(&c->out, "%s\r\n", c->last ? "Connection: close\r\n" : "");
  int with = size && !only_head;
  if (with && size <= BLOCK) add(&c->out, body, size);
  if (!send_all(c->socket, c->out.at, c->out.size, 0)) return 0;
  return !(with && size > BLOCK) || send_all(c->socket, body, size, 0);
}

static int refuse(Connection *c, const char *status, const char *code, int only_head) {
  char body[256];
  int size = snprintf(body, sizeof body, "<?xml version=\"1.0\"?><Error><Code>%s</Code>"
                      "<Message>%s</Message></Error>", code, code);
  count(REFUSED);
  return answer(c, status, "Content-Type: application/xml\r\n", body, (size_t)size, only_head);
}

static void escape(Text *text, const char *value) {
  for (; *value; value++)
    if (*value == '&') add(text, "&amp;", 5);
    else if (*value == '<') add(text, "&lt;", 4);
    else if (*value == '>') add(text, "&gt;", 4);
    else add(text, value, 1);
}

/* The checksum that came with a request, as a whole header line; but not its type or its mode. */
static char *checksum_of(Connection *c) {
  for (int i = 0; i < c->count; i++)
    if (!strncasecmp(c->headers[i], "x-amz-checksum-", 15) &&
        strncasecmp(c->headers[i], "x-amz-checksum-type", 19) &&
        strncasecmp(c->headers[i], "x-amz-checksum-mode", 19) &&
        strncasecmp(c->headers[i], "x-amz-checksum-algorithm", 24))
      return copy_of(c->headers[i]);
  return NULL;
}

/* What aws-chunked wraps: "SIZE[;chunk-signature=...]\r\n...\r\n", a 0 at the end. */
static void unwrap(Text *body) {
  size_t read = 0, written = 0;
  while (read < body->size) {
    char *end;
    size_t size = strtoull(body->at + read, &end, 16);
    char *line = memmem(body->at + read, body->size - read, "\r\n", 2);
    if (!size || !line || (size_t)(line + 2 - body->at) + size > body->size) break;
    memmove(body->at + written, line + 2, size);
    written += size;
    read = (size_t)(line + 2 - body->at) + size + 2;
  }
  body->size = written;
}

static int put_object(Connection *c, const char *key) {
  const char *length = header(c, "content-length"), *coded = header(c, "x-amz-decoded-content-length");
  const char *type = header(c, "content-type"), *free_only = header(c, "if-none-match");
  const char *hash = header(c, "x-amz-content-sha256");
  if (!length || header(c, "transfer-encoding") || header(c, "x-amz-copy-source")) {
    c->last = 1; /* whatever follows is not read */
    return refuse(c, "501 Not Implemented", "NotImplemented", 0);
  }
  size_t size = strtoull(length, NULL, 10), real = coded ? strtoull(coded, NULL, 10) : size;
  int wrapped = has(hash, "STREAMING-");
  int only_new = free_only && !strcmp(free_only, "*");
  Object made = {copy_of(key), NULL, real, 0, checksum_of(c), copy_of(type),
                 copy_of(header(c, "content-disposition")), 0};
  char *number = parameter(c, "partNumber"), *id = parameter(c, "uploadId");
  /* A picture's bytes are read by nobody. */
  int keep = !id && !(real > DROPPED_FROM && (has(type, "image/") || has(type, "video/")));
  int fine = receive_body(c, size, keep);
  if (!fine) { free(number), free(id); return 0; }
  if (keep && wrapped) unwrap(&c->body);
  if (keep && c->body.size != real) {
    free(number), free(id);
    return refuse(c, "400 Bad Request", "IncompleteBody", 0);
  }
  wait_a_while();
  if (id) {
    unsigned long part = number ? strtoul(number, NULL, 10) : 0;
    uint64_t wanted = strtoull(id, NULL, 10);
    int known = 0;
    free(number), free(id);
    count(PART);
    pthread_mutex_lock(&lock);
    for (Upload *u = uploads; u; u = u->next)
      if (u->id == wanted && part && part < PARTS) known = 1, u->sizes[part] = real + 1;
    pthread_mutex_unlock(&lock);
    char more[512];
    snprintf(more, sizeof more, "ETag: \"%lu-part\"\r\n%.300s%s", part,
             made.checksum ? made.checksum : "", made.checksum ? "\r\n" : "");
    free(made.key), free(made.checksum), free(made.type), free(made.disposition);
    if (!known) return refuse(c, "404 Not Found", "NoSuchUpload", 0);
    return answer(c, "200 OK", more, "", 0, 0);
  }
  free(number), free(id);
  count(PUT);
  if (keep) {
    made.body = need(malloc(real + 1));
    memcpy(made.body, real ? c->body.at : "", real);
  }
  char more[512];
  snprintf(more, sizeof more, "%.300s%s", made.checksum ? made.checksum : "",
           made.checksum ? "\r\n" : "");
  Object *object = need(malloc(sizeof made));
  *object = made;
  if (!keep_object(object, only_new))
    return refuse(c, "412 Precondition Failed", "PreconditionFailed", 0);
  snprintf(more + strlen(more), 64, "ETag: \"%016lx-1\"\r\n", (unsigned long)object->tag);
  return answer(c, "200 OK", more, "", 0, 0);
}

static int get_object(Connection *c, const char *key, int only_head) {
  if (!receive_body(c, 0, 0)) return 0;
  count(only_head ? HEAD : GET);
  const char *range = header(c, "range"), *same = header(c, "if-match");
  int told = has(header(c, "x-amz-checksum-mode"), "ENABLED");
  pthread_mutex_lock(&lock);
  Object *o = find(key);
  if (!o) {
    pthread_mutex_unlock(&lock);
    return refuse(c, "404 Not Found", "NoSuchKey", only_head);
  }
  size_t first = 0, last = o->size ? o->size - 1 : 0, size = o->size;
  char tag[64], more[2048];
  snprintf(tag, sizeof tag, "\"%016lx-1\"", (unsigned long)o->tag);
  const char *status = "200 OK", *wrong = NULL;
  if (same && strcmp(same, tag)) status = "412 Precondition Failed", wrong = "PreconditionFailed";
  else if (!only_head && !o->body && o->size) status = "501 Not Implemented", wrong = "NotKept";
  else if (range && sscanf(range, "bytes=%zu-%zu", &first, &last) >= 1) {
    if (first >= o->size) status = "416 Range Not Satisfiable", wrong = "InvalidRange";
    else {
      if (last >= o->size) last = o->size - 1;
      status = "206 Partial Content", size = last - first + 1;
    }
  }
  int used = snprintf(more, sizeof more,
      "ETag: %s\r\nLast-Modified: %s\r\nAccept-Ranges: bytes\r\nContent-Type: %.100s\r\n", tag,
      started_http, o->type ? o->type : "binary/octet-stream");
  if (o->disposition)
    used += snprintf(more + used, sizeof more - (size_t)used, "Content-Disposition: %.600s\r\n",
                     o->disposition);
  if (told && o->checksum && status[2] != '6')
    used += snprintf(more + used, sizeof more - (size_t)used, "%.200s\r\nx-amz-checksum-type: %s\r\n",
                     o->checksum, "FULL_OBJECT");
  if (status[2] == '6')
    snprintf(more + used, sizeof more - (size_t)used, "Content-Range: bytes %zu-%zu/%zu\r\n", first,
             last, o->size);
  char *body = NULL;
  if (!wrong && !only_head && size) {
    body = need(malloc(size));
    memcpy(body, o->body + first, size);
  }
  pthread_mutex_unlock(&lock);
  if (wrong) return refuse(c, status, wrong, only_head);
  int fine = answer(c, status, more, body, size, only_head);
  free(body);
  return fine;
}

static int list_objects(Connection *c, const char *bucket) {
  if (!receive_body(c, 0, 0)) return 0;
  count(LIST);
  char *prefix = parameter(c, "prefix"), *token = parameter(c, "continuation-token");
  char *after = token ? NULL : parameter(c, "start-after"), *most = parameter(c, "max-keys");
  char *cut = parameter(c, "delimiter");
  if (!prefix) prefix = copy_of("");
  const char *last = token ? token : after;
  unsigned long left = most ? strtoul(most, NULL, 10) : 1000, listed = 0;
  if (left > 1000) left = 1000;
  Text entries = {0};
  char *next = NULL;
  pthread_mutex_lock(&lock);
  size_t place = place_of(last && strcmp(last, prefix) > 0 ? last : prefix);
  for (; place < object_count && !strncmp(objects[place]->key, prefix, strlen(prefix)); place++) {
    Object *o = objects[place];
    if (last && strcmp(o->key, last) <= 0) continue;
    if (listed == left) {
      next = copy_of(objects[place - 1]->key);
      break;
    }
    listed++;
    say(&entries, "<Contents><Key>");
    escape(&entries, o->key);
    say(&entries, "</Key><LastModified>%s</LastModified><ETag>&quot;%016lx-1&quot;</ETag>"
        "<Size>%zu</Size><StorageClass>STANDARD</StorageClass></Contents>", started_iso,
        (unsigned long)o->tag, o->size);
  }
  pthread_mutex_unlock(&lock);
  Text page = {0};
  say(&page, "<?xml version=\"1.0\"?><ListBucketResult><Name>%s</Name><KeyCount>%lu</KeyCount>"
      "<MaxKeys>%lu</MaxKeys><IsTruncated>%s</IsTruncated><Prefix>", bucket, listed, left,
      next ? "true" : "false");
  escape(&page, prefix);
  say(&page, "</Prefix>");
  if (next) {
    say(&page, "<NextContinuationToken>");
    escape(&page, next);
    say(&page, "</NextContinuationToken>");
  }
  if (entries.size) add(&page, entries.at, entries.size);
  say(&page, "</ListBucketResult>");
  int fine = cut ? refuse(c, "501 Not Implemented", "NotImplemented", 0)
                 : answer(c, "200 OK", "Content-Type: application/xml\r\n", page.at, page.size, 0);
  free(prefix), free(token), free(after), free(most), free(cut), free(next);
  free(entries.at), free(page.at);
  return fine;
}

static int create_upload(Connection *c, const char *key) {
  Upload *made = need(calloc(1, sizeof *made));
  made->key = copy_of(key);
  made->type = copy_of(header(c, "content-type"));
  made->disposition = copy_of(header(c, "content-disposition"));
  char kind[128] = "";
  const char *algorithm = header(c, "x-amz-checksum-algorithm");
  const char *of_what = header(c, "x-amz-checksum-type");
  if (algorithm)
    snprintf(kind, sizeof kind, "x-amz-checksum-algorithm: %.20s\r\nx-amz-checksum-type: %.20s\r\n",
             algorithm, of_what ? of_what : "COMPOSITE");
  const char *length = header(c, "content-length");
  if (!receive_body(c, length ? strtoull(length, NULL, 10) : 0, 0)) return 0;
  count(CREATE);
  wait_a_while();
  pthread_mutex_lock(&lock);
  made->id = ++last_tag;
  made->next = uploads;
  uploads = made;
  pthread_mutex_unlock(&lock);
  Text body = {0};
  say(&body, "<?xml version=\"1.0\"?><InitiateMultipartUploadResult><Bucket>b</Bucket><Key>");
  escape(&body, key);
  say(&body, "</Key><UploadId>%lu</UploadId></InitiateMultipartUploadResult>",
      (unsigned long)made->id);
  int fine = answer(c, "200 OK", kind, body.at, body.size, 0);
  free(body.at);
  return fine;
}

static Upload *take_upload(const char *id) {
  uint64_t wanted = strtoull(id, NULL, 10);
  Upload *found = NULL;
  pthread_mutex_lock(&lock);
  for (Upload **at = &uploads; *at; at = &(*at)->next)
    if ((*at)->id == wanted) {
      found = *at;
      *at = found->next;
      break;
    }
  pthread_mutex_unlock(&lock);
  return found;
}

static int end_upload(Connection *c, const char *key, const char *id, int complete) {
  char *checksum = checksum_of(c);
  const char *free_only = header(c, "if-none-match"), *length = header(c, "content-length");
  int only_new = free_only && !strcmp(free_only, "*");
  if (!receive_body(c, length ? strtoull(length, NULL, 10) : 0, 0)) return 0;
  count(complete ? COMPLETE : ABORT);
  wait_a_while();
  if (complete && only_new) {
    pthread_mutex_lock(&lock);
    int taken = find(key) != NULL;
    pthread_mutex_unlock(&lock);
    if (taken) {
      free(checksum);
      return refuse(c, "412 Precondition Failed", "PreconditionFailed", 0);
    }
  }
  Upload *upload = take_upload(id);
  if (!upload) {
    free(checksum);
    return refuse(c, "404 Not Found", "NoSuchUpload", 0);
  }
  size_t size = 0;
  for (int part = 1; part < PARTS; part++)
    if (upload->sizes[part]) size += upload->sizes[part] - 1;
  int kept = 1;
  if (complete) {
    Object *made = need(calloc(1, sizeof *made));
    made->key = copy_of(key), made->size = size, made->checksum = checksum, checksum = NULL;
    made->type = upload->type, made->disposition = upload->disposition;
    upload->type = upload->disposition = NULL;
    kept = keep_object(made, only_new);
  }
  free(checksum), free(upload->key), free(upload->type), free(upload->disposition), free(upload);
  if (!kept) return refuse(c, "412 Precondition Failed", "PreconditionFailed", 0);
  if (!complete) return answer(c, "204 No Content", "", "", 0, 1);
  Text body = {0};
  say(&body, "<?xml version=\"1.0\"?><CompleteMultipartUploadResult><Bucket>b</Bucket><Key>");
  escape(&body, key);
  say(&body, "</Key><ETag>&quot;whole-1&quot;</ETag></CompleteMultipartUploadResult>");
  int fine = answer(c, "200 OK", "", body.at, body.size, 0);
  free(body.at);
  return fine;
}

static int delete_object(Connection *c, const char *key) {
  if (!receive_body(c, 0, 0)) return 0;
  count(DELETE);
  wait_a_while();
  pthread_mutex_lock(&lock);
  size_t place = place_of(key);
  if (place < object_count && !strcmp(objects[place]->key, key)) {
    forget(objects[place]);
    memmove(objects + place, objects + place + 1, (--object_count - place) * sizeof *objects);
  }
  pthread_mutex_unlock(&lock);
  return answer(c, "204 No Content", "", "", 0, 1);
}

static int tell_counts(Connection *c) {
  if (!receive_body(c, 0, 0)) return 0;
  Text body = {0};
  for (int kind = 0; kind < KINDS; kind++)
    say(&body, "%s\"%s\": %lu", kind ? ", " : "{", names[kind], counts[kind]);
  say(&body, "}");
  if (!strcmp(c->method, "DELETE")) memset(counts, 0, sizeof counts);
  int fine = answer(c, "200 OK", "Content-Type: application/json\r\n", body.at, body.size, 0);
  free(body.at);
  return fine;
}

static int serve_s3(Connection *c) {
  if (!strcmp(c->path, "/_counts")) return tell_counts(c);
  char *path = decoded(c->path), *bucket = path + 1, *key = strchr(bucket, '/');
  if (key) *key++ = 0;
  char *id = parameter(c, "uploadId"), *begin = parameter(c, "uploads");
  int fine, named = key && *key;
  if (named && !strcmp(c->method, "PUT")) fine = put_object(c, key);
  else if (named && !strcmp(c->method, "GET") && !id) fine = get_object(c, key, 0);
  else if (named && !strcmp(c->method, "HEAD")) fine = get_object(c, key, 1);
  else if (named && !strcmp(c->method, "POST") && begin) fine = create_upload(c, key);
  else if (named && !strcmp(c->method, "POST") && id) fine = end_upload(c, key, id, 1);
  else if (named && !strcmp(c->method, "DELETE") && id) fine = end_upload(c, key, id, 0);
  else if (named && !strcmp(c->method, "DELETE")) fine = delete_object(c, key);
  else if (!named && !strcmp(c->method, "GET") && strstr(c->query, "list-type=2"))
    fine = list_objects(c, bucket);
  else {
    const char *length = header(c, "content-length");
    fine = receive_body(c, length ? strtoull(length, NULL, 10) : 0, 0) &&
           refuse(c, "501 Not Implemented", "NotImplemented", !strcmp(c->method, "HEAD"));
  }
  free(path), free(id), free(begin);
  return fine;
}

/* -- connections -------------------------------------------------------------------------------- */

static int (*serve)(Connection *);

static void *live(void *given) {
  Connection *c = given;
  while (receive_head(c)) {
    c->last = has(header(c, "connection"), "close");
    if (has(header(c, "expect"), "100-continue") &&
        !send_all(c->socket, "HTTP/1.1 100 Continue\r\n\r\n", 25, 0))
      break;
    if (!serve(c) || c->last) break;
  }
  close(c->socket);
  free(c->out.at), free(c->body.at), free(c);
  return NULL;
}

int main(int given, char **arguments) {
  if (given < 3) return 2;
  latency = atol(arguments[2]);
  if (!strcmp(arguments[1], "photos") && given == 5) {
    load_photos(arguments[3], arguments[4]);
    serve = serve_photo;
  } else if (!strcmp(arguments[1], "s3")) {
    serve = serve_s3;
  } else {
    return 2;
  }
  time_t now = time(NULL);
  struct tm utc;
  gmtime_r(&now, &utc);
  strftime(started_http, sizeof started_http, "%a, %d %b %Y %H:%M:%S GMT", &utc);
  strftime(started_iso, sizeof started_iso, "%Y-%m-%dT%H:%M:%S.000Z", &utc);
  signal(SIGPIPE, SIG_IGN);
  int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;
  struct sockaddr_in place = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t size = sizeof place;
  if (listener < 0 || bind(listener, (struct sockaddr *)&place, size) || listen(listener, 512) ||
      getsockname(listener, (struct sockaddr *)&place, &size))
    need(NULL);
  printf("http://127.0.0.1:%d\n", ntohs(place.sin_port));
  fflush(stdout);
  pthread_attr_t small;
  pthread_attr_init(&small);
  pthread_attr_setdetachstate(&small, PTHREAD_CREATE_DETACHED);
  pthread_attr_setstacksize(&small, 1 << 19);
  for (;;) {
    int accepted = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
    if (accepted < 0) continue;
    setsockopt(accepted, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    Connection *c = need(calloc(1, sizeof *c));
    c->socket = accepted;
    pthread_t thread;
    if (pthread_create(&thread, &small, live, c)) close(accepted), free(c);
  }
}
