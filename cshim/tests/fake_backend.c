// SPDX-License-Identifier: AGPL-3.0-only
// A FAKE backend: speaks PTCOMM as the name of the job tells it to ("death.1" dies within the data), and holds no data but a pattern.
#define _GNU_SOURCE
#include <dirent.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../frame.h"
#include "../payload.h"
#include "fake_data.h"

static char scenario[64], kind;
static uint32_t sent, received;
static uint64_t files, objects, bytes;
static uint8_t body[FRAME_PAYLOAD_MAX_BYTES];
static frame_header header;

_Noreturn static void complain(const char *what) {
    fprintf(stderr, "fake backend: %s\n", what);
    _exit(3);
}

static bool is(const char *name) {
    return strcmp(scenario, name) == 0;
}

static void write_all(int fd, const void *from, size_t length) {
    for (size_t done = 0; done < length;) {
        ssize_t count = write(fd, (const char *)from + done, length - done);
        if (count <= 0) _exit(4);
        done += (size_t)count;
    }
}

static void send_bytes(char type, const void *payload, size_t length) {
    uint8_t head[FRAME_HEADER_BYTES];
    frame_encode_header(head, type, sent++, payload, (uint32_t)length);
    write_all(1, head, sizeof head);
    write_all(1, payload, length);
}

static void send_writer(char type, payload_writer *writer) {
    send_bytes(type, writer->bytes, writer->length);
    payload_free(writer);
}

static void read_all(void *room, size_t length) {
    for (size_t done = 0; done < length;) {
        ssize_t count = read(0, (char *)room + done, length - done);
        if (count <= 0) complain("input ended");
        done += (size_t)count;
    }
}

static char receive(void) {
    uint8_t head[FRAME_HEADER_BYTES];
    read_all(head, sizeof head);
    if (frame_decode_header(head, received++, &header) != NULL) complain("bad header");
    read_all(body, header.length);
    if (!frame_payload_matches(&header, body)) complain("bad crc");
    return header.type;
}

static void expect(char type) {
    if (receive() != type) complain("another frame was expected");
}

static void message(const char *text) {
    payload_writer writer = {0};
    put_integer(&writer, 'I', 1);
    put_text(&writer, text);
    send_writer('M', &writer);
}

_Noreturn static void stop(const char *text) {
    payload_writer writer = {0};
    put_integer(&writer, 203, 2);
    put_text(&writer, text);
    send_writer('X', &writer);
    _exit(1);
}

// Reads on up to Cancel.
_Noreturn static void stop_at_cancel(void) {
    while (receive() != 'C') continue;
    stop("MONGO-203 The fake backend was cancelled");
}

static void open_file(const char *name, uint64_t size) {
    payload_writer writer = {0};
    put_integer(&writer, 1, 1);
    put_integer(&writer, 0640, 4);
    put_integer(&writer, size, 8);
    for (int time = 1; time <= 3; time++) put_integer(&writer, (uint64_t)time, 8);
    put_text(&writer, name);
    send_writer('F', &writer);
    files++;
}

static void open_object(const char *name, uint64_t size) {
    payload_writer writer = {0};
    put_integer(&writer, 25, 4);
    put_integer(&writer, 1, 4);
    put_integer(&writer, 0, 4);
    put_integer(&writer, size, 8);
    put_text(&writer, name);
    put_text(&writer, "");
    send_writer('R', &writer);
    objects++;
}

static void send_data(uint64_t from, size_t length) {
    static uint8_t room[FRAME_PAYLOAD_MAX_BYTES];
    fake_fill(room, from, length);
    send_bytes('D', room, length);
    bytes += length;
}

static void end_object(uint64_t size) {
    payload_writer writer = {0};
    put_integer(&writer, size, 8);
    send_writer('E', &writer);
}

static void send_totals(uint64_t frames) {
    payload_writer writer = {0};
    const uint64_t totals[4] = {files, objects, bytes + (is("short-totals") ? 1 : 0), frames};
    for (int at = 0; at < 4; at++) put_integer(&writer, totals[at], 8);
    send_writer('T', &writer);
}

_Noreturn static void wait_for_finish(void) {
    expect('Z');
    _exit(is("exit-1") || body[0] != 'T');
}

static bool has_nothing_of_the_daemon(void) {
    DIR *folder = opendir("/proc/self/fd");
    int descriptors = 0;
    while (readdir(folder) != NULL) descriptors++;
    closedir(folder);
    struct sigaction action;
    sigaction(SIGPIPE, NULL, &action);
    char place[8] = "";
    bool plain = getenv("FAKE_SECRET") == NULL && getenv("PODHEITOR_MONGODB_BACKEND") != NULL && getenv("PATH") != NULL;
    return plain && descriptors == 6 && action.sa_handler == SIG_DFL && getcwd(place, sizeof place) != NULL && strcmp(place, "/") == 0;
}

static void flood(void) {
    struct pollfd input = {.fd = 0, .events = POLLIN};
    for (uint64_t at = 0; poll(&input, 1, 0) == 0; at += 65536) send_data(at, 65536);
    stop_at_cancel();
}

// A message and half a frame in one write; the other half comes after Cancel.
static void half_a_frame(void) {
    uint8_t text[] = {'I', 3, 0, 0, 0, 'n', 'o', 'w'}, data[4000] = {0}, room[sizeof text + sizeof data + 2 * FRAME_HEADER_BYTES];
    size_t cut = sizeof room - 1000;
    frame_encode_header(room, 'M', sent++, text, sizeof text);
    memcpy(room + FRAME_HEADER_BYTES, text, sizeof text);
    frame_encode_header(room + FRAME_HEADER_BYTES + sizeof text, 'D', sent++, data, sizeof data);
    memcpy(room + 2 * FRAME_HEADER_BYTES + sizeof text, data, sizeof data);
    write_all(1, room, cut);
    expect('C');
    write_all(1, room + cut, sizeof room - cut);
    stop("MONGO-203 The fake backend was cancelled");
}

static void send_big_file(void) {
    open_file("/@mongodb/big", FAKE_FILE_BYTES);
    if (is("partial")) half_a_frame();
    if (is("wait-data")) message("now");
    if (is("wait-data")) stop_at_cancel();
    send_data(0, 100000);
    if (is("death")) kill(getpid(), SIGKILL);
    if (is("silence")) pause();
    if (is("garbage")) write_all(1, "error: Uncaught (in promise) TypeError: x is not a function\n", 60);
    if (is("garbage")) pause();
    if (is("abort")) stop("MONGO-301 The fake server went away");
    if (is("silent-abort")) stop("");
    if (is("last-words")) complain("panicked at 'no\tmemory'");
    for (int at = 0; at < 256 && is("stderr"); at++) write_all(2, body, 4096);
    for (size_t at = 100000; at < FAKE_FILE_BYTES; at += 100000) send_data(at, 100000);
    end_object(FAKE_FILE_BYTES);
}

_Noreturn static void back_up(void) {
    expect('P');
    bool bad = memmem(body, header.length, "bad", 3) != NULL;
    expect('S');
    if (is("wait-object")) message("now");
    if (is("wait-object")) stop_at_cancel();
    if (bad) stop("MONGO-101 The fake line is bad");
    if (is("flood")) open_file("/@mongodb/endless", 1ull << 40);
    if (is("flood")) message("now");
    if (is("flood")) flood();
    open_object("podheitor-mongodb/manifest/fake", FAKE_OBJECT_BYTES);
    send_data(0, FAKE_OBJECT_BYTES);
    end_object(FAKE_OBJECT_BYTES);
    message("between");
    send_big_file();
    open_file("/@mongodb/empty", 0);
    end_object(0);
    send_totals(sent);
    if (is("second-totals")) send_totals(sent);
    wait_for_finish();
}

_Noreturn static void estimate(void) {
    expect('P');
    expect('S');
    open_file("/@mongodb/big", FAKE_FILE_BYTES);
    open_file("/@mongodb/empty", 0);
    if (is("abort")) stop("MONGO-301 The fake server went away");
    send_totals(sent);
    wait_for_finish();
}

static void open_directory(const char *name) {
    payload_writer writer = {0};
    put_integer(&writer, 2, 1);
    put_integer(&writer, 0700, 4);
    put_integer(&writer, 100, 8);
    for (int time = 1; time <= 3; time++) put_integer(&writer, 2, 8);
    put_text(&writer, name);
    send_writer('F', &writer);
    files++;
}

static void expect_text(char type, const char *text) {
    size_t prefix = type == 'Q' ? 4 : 0;
    expect(type);
    if (header.length != prefix + strlen(text) || memcmp(body + prefix, text, strlen(text)) != 0) complain("another text was expected");
}

_Noreturn static void list(void) {
    expect_text('P', "podheitor-mongodb: fake listing=x");
    expect_text('Q', "/app and more");
    expect('S');
    open_directory("/@mongodb/rs0/app");
    open_file("/@mongodb/rs0/app/big", 100);
    if (is("abort")) stop("MONGO-101 The fake server has no such path");
    send_totals(sent);
    wait_for_finish();
}

static void send_value(const char *text) {
    payload_writer writer = {0};
    put_text(&writer, text);
    send_writer('V', &writer);
}

_Noreturn static void answer_query(void) {
    expect_text('P', "podheitor-mongodb: fake");
    expect_text('Q', "databases");
    expect('S');
    if (is("abort")) stop("MONGO-102 There is no such parameter\nHint: ask for another one");
    if (!is("nothing")) send_value("database=app");
    if (is("death")) kill(getpid(), SIGKILL);
    if (!is("nothing")) send_value("database=shop %s");
    send_totals(sent);
    wait_for_finish();
}

static void answer(uint8_t value) {
    send_bytes('A', &value, 1);
}

// Takes one offered file; its data were checked by the frame's checksum, and are compared with the pattern here.
static void take_file(void) {
    payload_reader reader = {.at = body, .left = header.length};
    for (int skipped = 0; skipped < 5; skipped++) take_integer(&reader, 1);
    uint64_t size = take_integer(&reader, 8), at = 0;
    for (int skipped = 0; skipped < 3; skipped++) take_integer(&reader, 8);
    char *name = take_text(&reader);
    files++;
    if (name == NULL) complain("no name");
    bool wanted = strstr(name, "skipped") == NULL;
    free(name);
    if (is("wait-answer")) message("now");
    if (is("wait-answer")) stop_at_cancel();
    if (is("abort")) stop("MONGO-501 The fake server is full");
    answer(is("bad-answer") ? 9 : wanted ? 1 : 2);
    if (is("stuck")) message("now");
    if (is("stuck")) for (;;) pause();
    for (; wanted && receive() != 'E'; at += header.length) {
        if (header.type != 'D' || !fake_matches(body, at, header.length)) complain("other data");
        if (is("death")) kill(getpid(), SIGKILL);
        for (int count = 0; is("chatter") && at == 0 && count < 60000; count++) message("chatter");
        bytes += header.length;
    }
    if (wanted && at < size) stop("MONGO-505 The fake volume broke off");
}

_Noreturn static void restore(void) {
    uint64_t listed = 0, frames = 0;
    while (receive() != 'T') {
        if (header.type == 'R') objects++;
        if (header.type == 'D') bytes += header.length;
        if (header.type == 'L') listed++;
        if (header.type == 'F') take_file();
        frames = received;
    }
    if (is("happy") && listed != files) complain("not every file was listed");
    send_totals(frames);
    wait_for_finish();
}

int main(int count, char **arguments) {
    alarm(60);
    bool told = count == 6 && strcmp(arguments[1], "job") == 0 && strcmp(arguments[2], "--kind") == 0 && strcmp(arguments[4], "--working-dir") == 0;
    if (!told || strcmp(arguments[5], "/tmp") != 0) complain("other arguments were expected");
    payload_writer hello = {0};
    put_integer(&hello, 1, 2);
    put_text(&hello, "fake-backend");
    put_text(&hello, "0");
    expect('H');
    if (!has_nothing_of_the_daemon()) complain("something of the daemon came along");
    send_writer('H', &hello);
    expect('J');
    payload_reader reader = {.at = body, .left = header.length};
    kind = (char)take_integer(&reader, 1);
    if (arguments[3][0] != kind || arguments[3][1] != 0) complain("another kind was expected");
    if ((take_integer(&reader, 1) == ' ') != (kind != 'B' && kind != 'E')) complain("another level was expected");
    for (int skipped = 0; skipped < 13; skipped++) take_integer(&reader, 1);
    char *name = take_text(&reader);
    snprintf(scenario, sizeof scenario, "%.*s", name == NULL ? 0 : (int)strcspn(name, "."), name);
    free(name);
    if (kind == 'B') back_up();
    if (kind == 'E') estimate();
    if (kind == 'L') list();
    if (kind == 'Q') answer_query();
    restore();
}
