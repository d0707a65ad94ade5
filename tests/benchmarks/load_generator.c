/* Sends prepared HTTP requests over keep-alive connections and measures each answer.
 *
 * In C because a Python client needs more processor than the gateway that it measures.
 * Usage: load_generator HOST PORT CONNECTIONS FILE
 * FILE holds requests as "<length>\n<bytes>". Every request is sent once. Prints one JSON object.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { ANSWER_BYTES = 1 << 20, EVENTS = 256 };

struct request { const char *bytes; size_t length; };

struct connection {
    int socket;
    size_t request;
    size_t sent;
    size_t received;
    double started;
    char *answer;
};

static struct request *requests;
static size_t request_count, next_request, answered;
static double *latencies;
static long statuses[600];

static double now(void) {
    struct timespec at;
    clock_gettime(CLOCK_MONOTONIC, &at);
    return (double)at.tv_sec + (double)at.tv_nsec / 1e9;
}

static void fail(const char *what) {
    perror(what);
    exit(1);
}

static void load(const char *path) {
    FILE *file = fopen(path, "rb");
    if (!file) fail(path);
    if (fseek(file, 0, SEEK_END)) fail("seek");
    long size = ftell(file);
    rewind(file);
    char *bytes = malloc((size_t)size + 1);
    if (!bytes || fread(bytes, 1, (size_t)size, file) != (size_t)size) fail("read");
    fclose(file);
    bytes[size] = 0;
    size_t capacity = 1024;
    requests = malloc(capacity * sizeof *requests);
    for (char *at = bytes; at < bytes + size;) {
        char *end;
        size_t length = strtoul(at, &end, 10);
        if (request_count == capacity) {
            capacity *= 2;
            requests = realloc(requests, capacity * sizeof *requests);
        }
        if (!requests || *end != '\n') fail("format");
        requests[request_count].bytes = end + 1;
        requests[request_count++].length = length;
        at = end + 1 + length;
    }
    latencies = malloc((request_count + 1) * sizeof *latencies);
    if (!latencies) fail("memory");
}

static void transmit(struct connection *connection) {
    struct request *request = &requests[connection->request];
    while (connection->sent < request->length) {
        ssize_t count = send(connection->socket, request->bytes + connection->sent,
                             request->length - connection->sent, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (count < 0) {
            if (errno == EAGAIN) return;
            fail("send");
        }
        connection->sent += (size_t)count;
    }
}

static int begin(struct connection *connection) {
    if (next_request == request_count) return 0;
    connection->request = next_request++;
    connection->sent = connection->received = 0;
    connection->started = now();
    transmit(connection);
    return 1;
}

/* Whether the whole answer is there; its status goes into the statistics. */
static int complete(struct connection *connection) {
    connection->answer[connection->received] = 0;
    char *body = strstr(connection->answer, "\r\n\r\n");
    if (!body) return 0;
    char *length = strcasestr(connection->answer, "\r\ncontent-length:");
    size_t expected = length && length < body ? strtoul(length + 17, NULL, 10) : 0;
    if (connection->received < (size_t)(body + 4 - connection->answer) + expected) return 0;
    int status = atoi(connection->answer + 9);
    if (status >= 0 && status < 600) statuses[status]++;
    return 1;
}

static int compare(const void *left, const void *right) {
    double difference = *(const double *)left - *(const double *)right;
    return (difference > 0) - (difference < 0);
}

static double percentile(double share) {
    if (!answered) return 0;
    size_t index = (size_t)(share * (double)(answered - 1));
    return latencies[index] * 1000;
}

int main(int count, char **arguments) {
    if (count != 5) {
        fprintf(stderr, "usage: load_generator HOST PORT CONNECTIONS FILE\n");
        return 2;
    }
    load(arguments[4]);
    int connection_count = atoi(arguments[3]);
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((unsigned short)atoi(arguments[2]))};
    if (inet_pton(AF_INET, arguments[1], &address.sin_addr) != 1) fail("address");
    int epoll = epoll_create1(0);
    struct connection *connections = calloc((size_t)connection_count, sizeof *connections);
    if (epoll < 0 || !connections) fail("setup");
    for (int i = 0; i < connection_count; i++) {
        struct connection *connection = &connections[i];
        connection->answer = malloc(ANSWER_BYTES + 1);
        connection->socket = socket(AF_INET, SOCK_STREAM, 0);
        int yes = 1;
        setsockopt(connection->socket, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
        if (!connection->answer ||
            connect(connection->socket, (struct sockaddr *)&address, sizeof address))
            fail("connect");
    }
    double start = now();
    int active = 0;
    for (int i = 0; i < connection_count; i++) {
        struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLET,
                                    .data.ptr = &connections[i]};
        if (epoll_ctl(epoll, EPOLL_CTL_ADD, connections[i].socket, &event)) fail("epoll");
        active += begin(&connections[i]);
    }
    while (active > 0) {
        struct epoll_event events[EVENTS];
        int ready = epoll_wait(epoll, events, EVENTS, 30000);
        if (ready <= 0) fail("no answer for 30 s");
        for (int i = 0; i < ready; i++) {
            struct connection *connection = events[i].data.ptr;
            if (events[i].events & EPOLLOUT) transmit(connection);
            for (;;) {
                ssize_t size = recv(connection->socket, connection->answer + connection->received,
                                    ANSWER_BYTES - connection->received, MSG_DONTWAIT);
                if (size < 0 && errno == EAGAIN) break;
                if (size <= 0) fail("connection lost");
                connection->received += (size_t)size;
                if (complete(connection)) {
                    latencies[answered++] = now() - connection->started;
                    if (!begin(connection)) {
                        active--;
                        break;
                    }
                }
            }
        }
    }
    double seconds = now() - start;
    qsort(latencies, answered, sizeof *latencies, compare);
    printf("{\"requests\": %zu, \"seconds\": %.4f, \"rate\": %.1f, \"p50_ms\": %.2f, "
           "\"p99_ms\": %.2f, \"max_ms\": %.2f, \"statuses\": {",
           answered, seconds, (double)answered / seconds, percentile(0.5), percentile(0.99),
           percentile(1.0));
    const char *separator = "";
    for (int status = 0; status < 600; status++)
        if (statuses[status]) {
            printf("%s\"%d\": %ld", separator, status, statuses[status]);
            separator = ", ";
        }
    printf("}}\n");
    return 0;
}
