/* An S3 server that swallows everything and says yes: what an upload to it costs is the client's own.
 *
 *     sync_sink PORT [SHA256 [CRC64NVME]]      with -DTLS also: PORT SHA256 CRC64NVME CERTIFICATE KEY
 *
 * One thread (with TLS one for each connection), epoll, HTTP/1.1 with keep-alive. Bodies are dropped in the kernel (MSG_TRUNC). It knows PUT of objects and
 * parts, POST ?uploads, POST ?uploadId, GET of a list of parts (none), HEAD with the size last put under any key, DELETE.
 * A PUT with this x-amz-content-sha256 or x-amz-checksum-crc64nvme is refused, so that it passes for a server that checks
 * what the big ones check. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>
#ifdef TLS
#include <openssl/ssl.h>
#include <pthread.h>
static SSL_CTX *CONTEXT;
static __thread SSL *CHANNEL;
static __thread char DROPPED[1 << 18];
/* The same names, over TLS: each thread has one connection, and waits. */
static ssize_t take(int fd, void *to, size_t size, int flags) {
    (void)fd, (void)flags;
    if (!to && size > sizeof DROPPED) size = sizeof DROPPED;
    int n = SSL_read(CHANNEL, to ? to : DROPPED, size > (1 << 18) ? 1 << 18 : (int)size);
    return n > 0 ? n : 0;
}
static ssize_t give(int fd, const void *from, size_t size) { (void)fd; return SSL_write(CHANNEL, from, (int)size); }
#define recv take
#define write give
#endif

enum { HEAD_BYTES = 16384 };
struct peer { int fd; long owed; int used; char verb; char query[8]; int refuse; char head[HEAD_BYTES + 1]; };

static long put_bytes, last_size;
static const char *WRONG = "no sum", *WRONG_CRC = "no sum";

static void answer(struct peer *p) {
    char out[1024], body[512] = "";
    int status = p->refuse ? 400 : 200;
    if (p->verb == 'N') {
        static const char none[] = "HTTP/1.1 404 None\r\nContent-Length: 0\r\n\r\n";
        if (write(p->fd, none, sizeof none - 1) < 0) p->owed = -1;
        return;
    }
    if (p->refuse)
        strcpy(body, "<Error><Code>XAmzContentSHA256Mismatch</Code></Error>");
    else if (p->verb == 'P' && strstr(p->query, "ups"))
        strcpy(body, "<R><UploadId>one</UploadId></R>");
    else if (p->verb == 'P' && strstr(p->query, "end")) {
        last_size = put_bytes;
        put_bytes = 0;
        strcpy(body, "<R><ETag>\"0123456789abcdef0123456789abcdef-1\"</ETag></R>");
    }
    int n;
    if (p->verb == 'H')
        n = snprintf(out, sizeof out, "HTTP/1.1 200 OK\r\nETag: \"0\"\r\nContent-Length: %ld\r\n\r\n", last_size);
    else
        n = snprintf(out, sizeof out, "HTTP/1.1 %d X\r\nETag: \"0123456789abcdef0123456789abcdef\"\r\nContent-Length: %zu\r\n\r\n%s",
                     status, strlen(body), body);
    if (write(p->fd, out, n) != n) p->owed = -1;
}

static int begin(struct peer *p, char *end) {
    *end = 0;
    p->verb = p->head[0] == 'P' && p->head[1] == 'U' ? 'U' : p->head[0];
    p->query[0] = 0;
    char *line = strstr(p->head, "\r\n"), *at;
    if (line) *line = 0;
    if (strstr(p->head, "?uploads")) strcpy(p->query, "ups");
    else if (p->verb == 'P' && strstr(p->head, "uploadId=")) strcpy(p->query, "end");
    else if (strstr(p->head, "partNumber=")) strcpy(p->query, "part");
    if (p->verb == 'H' && strstr(p->head, "/peer ")) p->verb = 'N'; /* rclone asks whether its folder is a file */
    if (line) *line = '\r';
    at = strcasestr(p->head, "\r\ncontent-length:");
    p->owed = at ? atol(at + 17) : 0;
    at = strcasestr(p->head, "\r\nx-amz-content-sha256:");
    p->refuse = at && strstr(at, WRONG) != NULL;
    at = strcasestr(p->head, "\r\nx-amz-checksum-crc64nvme:");
    p->refuse |= at && strstr(at, WRONG_CRC) != NULL;
    if (p->verb == 'U' && !strcmp(p->query, "part")) __sync_fetch_and_add(&put_bytes, p->owed);
    else if (p->verb == 'U') last_size = p->owed;
    if (strcasestr(p->head, "\r\nexpect: 100-continue") && write(p->fd, "HTTP/1.1 100 Continue\r\n\r\n", 25) != 25) return -1;
    return 0;
}

static int serve(struct peer *p) {
    for (;;) {
        if (p->owed > 0) {
            ssize_t n = recv(p->fd, NULL, p->owed > (1 << 20) ? (1 << 20) : p->owed, MSG_TRUNC | MSG_DONTWAIT);
            if (n <= 0) return n == 0 ? -1 : 0;
            if ((p->owed -= n) > 0) continue;
            answer(p);
            if (p->owed < 0) return -1;
        }
        ssize_t n = recv(p->fd, p->head + p->used, HEAD_BYTES - p->used, MSG_DONTWAIT);
        if (n <= 0) return n == 0 ? -1 : 0;
        p->used += n;
        p->head[p->used] = 0;
        char *end;
        while (p->used && (end = strstr(p->head, "\r\n\r\n"))) {
            int size = end + 4 - p->head;
            if (begin(p, end) < 0) return -1;
            int more = p->used - size;
            int eaten = more < p->owed ? more : (int)p->owed;
            memmove(p->head, p->head + size + eaten, more - eaten);
            p->used = more - eaten;
            p->head[p->used] = 0;
            p->owed -= eaten;
            if (p->owed > 0) break;
            answer(p);
            if (p->owed < 0) return -1;
        }
        if (p->used >= HEAD_BYTES) return -1;
    }
}

#ifdef TLS
static void *attend(void *given) {
    struct peer *p = given;
    CHANNEL = SSL_new(CONTEXT);
    SSL_set_fd(CHANNEL, p->fd);
    if (SSL_accept(CHANNEL) == 1)
        while (serve(p) >= 0) {}
    SSL_free(CHANNEL);
    close(p->fd);
    free(p);
    return NULL;
}
#endif

int main(int argc, char **argv) {
    int one = 1, port = argc > 1 ? atoi(argv[1]) : 0, hub = epoll_create1(0), door = socket(AF_INET, SOCK_STREAM, 0);
    if (argc > 2) WRONG = argv[2];
    if (argc > 3) WRONG_CRC = argv[3];
#ifdef TLS
    CONTEXT = SSL_CTX_new(TLS_server_method());
    if (argc < 6 || SSL_CTX_use_certificate_file(CONTEXT, argv[4], SSL_FILETYPE_PEM) != 1
        || SSL_CTX_use_PrivateKey_file(CONTEXT, argv[5], SSL_FILETYPE_PEM) != 1)
        return fprintf(stderr, "no certificate\n"), 1;
#endif
    struct sockaddr_in here = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    setsockopt(door, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (bind(door, (void *)&here, sizeof here) || listen(door, 64)) return perror("bind"), 1;
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = NULL}, events[64];
    epoll_ctl(hub, EPOLL_CTL_ADD, door, &event);
    for (;;) {
        int count = epoll_wait(hub, events, 64, -1);
        for (int i = 0; i < count; i++) {
            struct peer *p = events[i].data.ptr;
            if (!p) {
                int fd = accept(door, NULL, NULL);
                if (fd < 0) continue;
                setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
                p = calloc(1, sizeof *p);
                p->fd = fd;
#ifdef TLS
                pthread_t thread;
                if (!pthread_create(&thread, NULL, attend, p)) pthread_detach(thread);
                continue;
#endif
                event.data.ptr = p;
                epoll_ctl(hub, EPOLL_CTL_ADD, fd, &event);
            } else if (serve(p) < 0) {
                close(p->fd);
                free(p);
            }
        }
    }
}
