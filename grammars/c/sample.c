// Copyright of somebody.

#include "cart.h"
#include <stdio.h>
#include "util/list.h"

#define MAX_ITEMS 100
#define SQUARE(x) ((x) * (x))
#define GUARD

/** A cart of items. */
struct cart {
    struct item *items; /* what it holds */
    size_t count;
};

/* A price in cents. */
typedef struct {
    int cents;
    char currency[4];
} price_t;

typedef struct node {
    struct node *next;
} node_t;

typedef int (*compare_fn)(const void *, const void *);
typedef unsigned long id_t;

enum colour { RED, GREEN };
typedef enum { SMALL, LARGE } size_kind;
union value {
    int i;
    float f;
};

static int opened = 0;
extern const char *names[];
const char *const default_name = "cart";

static int hidden(void);
int cart_total(const struct cart *cart, int limit);

/* Adds up the prices.
 * Slowly. */
int cart_total(const struct cart *cart, int limit)
{
    int sum = 0;
    assert(cart != NULL);
    for (size_t i = 0; i < cart->count; i++) {
        if (cart->items[i].price > limit) {
            return -1;
        }
        sum += price_of(&cart->items[i]);
    }
    opened++;
    cart->count = 0;
    *limit_of(cart) = 3;
    do {
        sum--;
    } while (sum > 10);
    switch (sum) {
    case 1:
        exit(1);
    default:
        break;
    }
    while (next(cart)) cart->visit(cart);
    return sum ? SQUARE(sum) : 0;
}

static int hidden(void) { return 1; }

static inline int shown(void) { return 1; }

char *cart_name(struct cart *cart, int (*compare)(int, int), char buffer[]) {
    return cart->name;
}

#ifdef DEBUG
void dump(void) { printf("x"); }
#endif

void test_total(void) { assert(1); }
