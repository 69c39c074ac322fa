// SPDX-License-Identifier: Apache-2.0
// Messages between threads: a lock-free multi-producer queue a loop, with an eventfd that is written only when the loop
// sleeps. This enum names every kind of message of the program.
#ifndef PHX_IO_INBOX_H
#define PHX_IO_INBOX_H

#include <stdatomic.h>
#include <stdbool.h>

enum msg_kind {
    MSG_CALL,          // run msg->fn(msg) on the receiving loop; used by tests and one-off work
    MSG_ACCEPTED,      // an accepted socket handed to the least loaded worker
    MSG_QUEUE_WAKE,    // a queued stream got a slot of a server (slot reserved)
    MSG_SNAPSHOT,      // a new configuration snapshot is published
    MSG_STOP_LISTEN,   // soft stop: close listeners, finish what runs
    MSG_STOP,          // leave the loop
    MSG_SERVER_EVENT,  // a server changed state (administration, health, cluster)
    MSG_CHECK_NOW,     // run a health check at once
    MSG_SHUT_SESSIONS, // close the sessions of a server
    MSG_ACTION_DONE,   // a waiting action or fetch has its answer
    MSG_LINK_UP,       // a carrier connection was accepted
    MSG_VERDICT,       // local health verdict for the cluster
    MSG_CLUSTER_EVENT, // membership or shared state changed
    MSG_RELOAD_DONE,   // the builder thread has a snapshot, or the reasons why not
    MSG_KIND_COUNT
};

struct msg;
typedef void msg_fn(struct msg *m);

// Embedded at the start of each message. The receiver frees it (each kind says how in its handler).
struct msg {
    struct msg *_Atomic next;
    enum msg_kind kind;
    msg_fn *fn; // for MSG_CALL, else optional
};

struct inbox;
struct loop;

// From any thread. Ownership of m passes on. Never fails, never blocks. Messages of one sender keep their order.
void inbox_send(struct inbox *box, struct msg *m);
// The function that receives messages of one kind; process-wide table, filled at start before threads run. A message
// with its own fn goes to that instead.
void inbox_handle(enum msg_kind kind, msg_fn *fn);
// Likewise for what is still there when its loop is destroyed: fn only frees it. Without, the message is left alone.
void inbox_discard(enum msg_kind kind, msg_fn *fn);

// For loop.c.
struct inbox *inbox_create(struct loop *loop);
void inbox_destroy(struct inbox **box);
void inbox_drain(struct inbox *box);
bool inbox_prepare_sleep(struct inbox *box); // false: something is there, do not sleep
void inbox_woke(struct inbox *box);

const char *msg_kind_name(enum msg_kind kind);

#endif
