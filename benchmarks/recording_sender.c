/* Sends one file to many multicast groups at a constant rate, evenly spaced, on the loopback interface.
   sender FILE FIRST_GROUP PORT COUNT BITS_PER_SECOND SECONDS
   At the end (or at TERM) prints: datagrams a stream, and the most it was ever late in microseconds. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

enum { DATAGRAM = 1316 };
static volatile sig_atomic_t ended;

static void end(int number) { (void)number; ended = 1; }

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec + t.tv_nsec / 1e9;
}

int main(int argc, char **argv) {
    if (argc != 7) return 2;
    FILE *file = fopen(argv[1], "rb");
    if (!file) return 1;
    fseek(file, 0, SEEK_END);
    long period = ftell(file);
    rewind(file);
    char *content = malloc(period + DATAGRAM);
    if (!content || fread(content, 1, period, file) != (size_t)period) return 1;
    memcpy(content + period, content, DATAGRAM); /* a datagram may reach over the end */
    long count = atol(argv[4]);
    double rate = atof(argv[5]), seconds = atof(argv[6]);
    unsigned long first = ntohl(inet_addr(argv[2]));
    struct sockaddr_in *targets = calloc(count, sizeof *targets);
    for (long n = 0; n < count; n++) {
        targets[n].sin_family = AF_INET;
        targets[n].sin_port = htons(atoi(argv[3]));
        targets[n].sin_addr.s_addr = htonl(first + n);
    }
    int out = socket(AF_INET, SOCK_DGRAM, 0);
    struct in_addr lo = {htonl(INADDR_LOOPBACK)};
    unsigned char none = 0;
    int buffer = 4 << 20;
    setsockopt(out, IPPROTO_IP, IP_MULTICAST_IF, &lo, sizeof lo);
    setsockopt(out, IPPROTO_IP, IP_MULTICAST_TTL, &none, sizeof none);
    setsockopt(out, SOL_SOCKET, SO_SNDBUF, &buffer, sizeof buffer);
    signal(SIGTERM, end);
    double step = DATAGRAM * 8 / rate / count, began = now(), latest = 0;
    long long total = (long long)(seconds / step) / count * count, number = 0;
    while (number < total && (!ended || number % count)) {
        double late = now() - began - number * step;
        if (late < 0) {
            struct timespec nap = {0, (long)((-late < 0.0005 ? 0.0005 : -late) * 1e9)};
            nanosleep(&nap, NULL);
            continue;
        }
        if (late > latest) latest = late;
        char *place = content + (number / count) * DATAGRAM % period;
        sendto(out, place, DATAGRAM, 0, (struct sockaddr *)&targets[number % count], sizeof *targets);
        number++;
    }
    printf("%lld %.0f\n", number / count, latest * 1e6);
    return 0;
}
