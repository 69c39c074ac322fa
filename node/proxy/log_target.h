// SPDX-License-Identifier: Apache-2.0
// Where log lines go, and the thread that takes them there. A target is made by the builder thread for the `log` lines
// of a configuration, lives until the process ends, and is otherwise immutable. Internal to the access log.
#ifndef PHX_PROXY_LOG_TARGET_H
#define PHX_PROXY_LOG_TARGET_H

#include <stdatomic.h>
#include <sys/socket.h>

#include "config/model.h"

struct log_record;

struct log_target {
    struct log_target *next;
    enum cfg_log_target kind;
    enum cfg_log_format format;
    unsigned len; // longest line, the line's end included
    int facility, level, min_level;
    unsigned sample_from, sample_to, sample_size; // size 0 = all
    _Atomic unsigned sampled;
    int fd; // stream: the descriptor; datagram: the socket, shared by all of its family
    bool datagram;
    bool fifo; // a stream whose writes are whole up to PIPE_BUF
    socklen_t addr_len;
    struct sockaddr_storage addr;
};

// Does a line of this level go there? Counts it in the sample.
bool log_target_takes(struct log_target *t, int level);
// What stands in front of the text, by the target's format (configuration.txt 3.1 "log"). Sender thread.
size_t log_target_header(const struct log_target *t, struct log_record *r, char *dst, size_t size);

// ---- log_sender.c
int log_sender_start(void); // 0 or -errno
void log_sender_stop(void); // sends what is left
uint64_t log_sender_dropped(void);

// Set once by log_init(): the default tag, and this machine's name.
extern char log_default_tag[64], log_host[256];

#endif
