// SPDX-License-Identifier: Apache-2.0
// Publishing of the cluster's state: the cluster thread builds views, any thread takes and gives them back (see
// cluster_view_get()). Inside of the service; for cluster.c and view.c.
#ifndef PHX_CLUSTER_VIEW_H
#define PHX_CLUSTER_VIEW_H

#include "cluster/cluster.h"
#include "cluster/core.h"

struct view_publisher;

// Names and addresses are borrowed from options' copies, which live as long as the service.
struct view_publisher *view_publisher_create(const struct cluster_options *options);
void view_publisher_destroy(struct view_publisher **p);
// On the cluster thread.
void view_publish(struct view_publisher *p, const struct core *core);
// From any thread.
const struct cluster_view *view_take(struct view_publisher *p);

#endif
