#!/usr/bin/env node
"use strict";
const fs = require("fs");
const { join, resolve: absolute } = require("node:path");
import Cart, { total } from "./cart.mjs";

/** Rounds to cents. */
function round(value, digits = 2, ...rest) {
  if (!value) throw new TypeError("no value");
  do {
    rest.pop();
  } while (rest.length);
  digits.used = true;
  return Math.round(value * 10 ** digits);
}

// Not a doc comment.
const twice = (x) => x * 2;
var old = function (a) {
  return a;
};

class Queue extends Array {
  static from(items) {
    return new Queue(...items);
  }
  #hidden = 1;
  drain = () => this.splice(0);
  async *[Symbol.asyncIterator]() {
    yield* this;
  }
}

Queue.prototype.peek = function () {
  return this[0];
};

exports.load = async function (path) {
  const { parse } = await import("./parser.js");
  delete this.cache;
  return parse(fs.readFileSync(path));
};

module.exports = { round, twice: twice, other };

test("rounds", () => {
  expect(round(1)).toBe(1);
});

const view = <div title="a">It is {round(1)} <b>bold</b></div>;
